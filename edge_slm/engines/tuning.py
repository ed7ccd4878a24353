"""Autotune: the settings that serve a model best on this machine, found by measuring.

Each candidate runs in a process of its own, so that one that crashes is only passed over. One
setting is changed at a time, and a change is kept when it wins clearly. Knows nothing of stores.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
import psutil

from edge_slm.answer import Usage
from edge_slm.engines import Message, Options
from edge_slm.engines.settings import REPACK, Settings
from edge_slm.engines.workers.pool import Pool
from edge_slm.engines.workers.remote import RemoteChat
from edge_slm.engines.workers.spec import Spec
from edge_slm.errors import EdgeSlmError
from edge_slm.i18n import t
from edge_slm.machine import compute_threads

WINS = 0.97  # of the best time so far: less than that is noise
# What the candidates are compared by: a passage read, and an answer that copies from it.
READ_TOKENS = 500
WRITTEN_TOKENS = 80

_SENTENCES = (
    "L'agent adresse sa demande au service des ressources humaines deux mois avant la date.",
    "Le chef de service rend son avis par écrit sous quinze jours et en donne les raisons.",
    "Les pièces à joindre sont le formulaire signé, la copie du livret et le certificat.",
    "Sans réponse de l'administration au bout de deux mois, la demande est réputée acceptée.",
    "L'agent conserve pendant cette période ses droits à l'avancement et à la retraite.",
)


@dataclass(frozen=True)
class Measure:
    """What one candidate did: tokens a second, and the seconds of the request compared by."""

    settings: Settings
    read: float
    written: float

    @property
    def seconds(self) -> float:
        """The time of the request that candidates are compared by."""
        return READ_TOKENS / self.read + WRITTEN_TOKENS / self.written


def tune(spec: Spec, on_measure: Callable[[Measure], None], budget: int | None = None) -> Measure:
    """Return the best settings found for a chat model, with what they do.

    Args:
        spec: the model.
        on_measure: called after each candidate that ran.
        budget: memory in bytes that a candidate may take; the default budget otherwise.
    Raises:
        EdgeSlmError: not even the first settings run.
    """
    best = measure(spec, spec.load.settings, budget)
    on_measure(best)
    for name, values in _choices():
        for value in values:
            settings = msgspec.structs.replace(best.settings, **{name: value})
            if getattr(best.settings, name) == value or not _possible(settings):
                continue
            try:
                tried = measure(spec, settings, budget)
            except EdgeSlmError:  # crashed, or does not fit: not for this machine
                continue
            on_measure(tried)
            if tried.seconds < WINS * best.seconds:
                best = tried
    return best


def measure(spec: Spec, settings: Settings, budget: int | None = None) -> Measure:
    """Return what a model does with some settings: a prompt read anew, then a reply, twice.

    The second reply is the one that counts: the first proves whether drafts can be verified.

    Raises:
        EdgeSlmError: it does not load, or crashed.
    """
    load = msgspec.structs.replace(spec.load, settings=settings)
    with closing(Pool(budget)) as pool:
        chat = RemoteChat(pool, msgspec.structs.replace(spec, load=load))
        text = " ".join(_SENTENCES * 5)
        prompt = [Message("system", text), Message("user", "Recopie ce texte mot pour mot.")]
        chat.count_tokens("")  # loads
        begin = time.perf_counter()
        reply = _timed(chat, prompt)
        read = reply.read / (reply.first - begin)
        reply = _timed(chat, prompt)
    if reply.written < 2:
        raise EdgeSlmError(
            t(
                "{model} wrote nothing to measure.",
                "{model} n'a rien écrit qui se mesure.",
                model=spec.model,
            )
        )
    return Measure(settings, read, (reply.written - 1) / (reply.last - reply.first))


def candidates() -> int:
    """Return how many measures `tune` makes at most."""
    return 1 + sum(len(values) - 1 for _, values in _choices())


class _Timed(NamedTuple):
    first: float
    last: float
    read: int
    written: int


def _timed(chat: RemoteChat, prompt: list[Message]) -> _Timed:
    """Return when the first token and the end came, and how many tokens were read and written."""
    first = 0.0
    usage = Usage()
    for event in chat.stream(prompt, WRITTEN_TOKENS, Options(lookup=True)):
        first = first or time.perf_counter()
        usage = event.usage or usage
    read = usage.prompt_tokens - usage.cached_tokens
    return _Timed(first, time.perf_counter(), read, usage.completion_tokens)


def _choices() -> Iterator[tuple[str, tuple[object, ...]]]:
    logical = psutil.cpu_count() or 1
    yield "repack", (REPACK, not REPACK)
    yield "threads", tuple(sorted({1, compute_threads(), logical}))
    yield "kv_type", ("bf16", "f16", "q8_0")
    yield "flash_attention", (True, False)
    yield "batch", (512, 256, 128)


def _possible(settings: Settings) -> bool:
    # llama.cpp quantises values only where attention is fused.
    return settings.flash_attention or settings.kv_type != "q8_0"
