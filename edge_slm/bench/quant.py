"""Chat models side by side: what each weighs, and what reading and writing with it takes.

Each model gets the same text, cut to the same number of its own tokens, and goes on with it as it
stands: no template, no lookup, no state kept, another passage for each run. It says nothing of what
the models are worth (bench/tasks, eval).
"""

import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from edge_slm.answer import Energy, Usage
from edge_slm.bench.collecting import Stopped, collected
from edge_slm.bench.measure import Runs, case_of, repeated
from edge_slm.bench.record import Case
from edge_slm.bench.runtime.passages import passage
from edge_slm.bench.runtime.states import own_states
from edge_slm.energy.accounts import metered
from edge_slm.engines import ChatEngine, Piece
from edge_slm.engines.files import is_file, spec_of_file
from edge_slm.engines.loaded import Engines
from edge_slm.engines.workers.pool import Pool
from edge_slm.engines.workers.remote import RemoteChat
from edge_slm.engines.workers.spec import Spec
from edge_slm.errors import EdgeSlmError
from edge_slm.gguf_layout import Layout, read_layout
from edge_slm.i18n import t

SUITE = "quant"
READ_TOKENS = 400
WRITTEN_TOKENS = 64
HUNDRED = 100  # tokens: joules and CPU-seconds are told for so many

Advance = Callable[[int], object]


class Reply(NamedTuple):
    """One run: seconds and energy up to the first text, the same after it, and the tokens."""

    first_s: float
    after_s: float
    reading: Energy
    writing: Energy
    usage: Usage


@dataclass(frozen=True)
class Weights:
    """How a GGUF file keeps its weights.

    Attributes:
        parameters: numbers in all tensors.
        bits: per weight, over all tensors.
        widths: from bits per weight of a tensor, such as “4.5” (Q4_0, Q4_K), “6.56” (Q6_K) or “32”
            (F32), to the share of all weights that are kept so.
    """

    parameters: int
    bits: float
    widths: dict[str, float]


def weights(layout: Layout) -> Weights:
    """Return how a file keeps its weights, from the bytes that its tensors really take.

    The name of a quantisation does not tell: a K-quant falls back to wider blocks where a row is no
    multiple of 256.
    """
    parameters, size = 0, 0
    kept: dict[str, int] = defaultdict(int)
    for tensor in layout.tensors.values():
        count = math.prod(tensor.shape)
        parameters += count
        size += tensor.size
        kept[f"{8 * tensor.size / count:.2f}".rstrip("0").rstrip(".")] += count
    shares = {
        width: round(count / parameters, 4) for width, count in sorted(kept.items(), key=_wide)
    }
    return Weights(parameters, round(8 * size / parameters, 3), shares)


def _wide(item: tuple[str, int]) -> float:
    return float(item[0])


def specs(models: Sequence[str]) -> list[Spec]:
    """Return the chat models to compare, each once.

    Args:
        models: ids and GGUF files; none for all chat models that are installed.
    Raises:
        UsageError: no such model or file, or it is no chat model.
        MissingError: a model is not installed, or none is.
        IntegrityError: a file is not GGUF.
    """
    with closing(Engines()) as engines:
        chosen = list(models) or engines.chat_models()
        if not chosen:
            engines.chat()  # says what to do
        found = [
            spec_of_file(Path(one)) if is_file(one) else engines.chat_spec(one) for one in chosen
        ]
    first = {spec.path: spec for spec in reversed(found)}
    return _told_apart([spec for spec in found if first[spec.path] is spec])


def _told_apart(found: list[Spec]) -> list[Spec]:
    """Give files of the same name their whole paths for names."""
    names = Counter(spec.model for spec in found)
    return [
        msgspec.structs.replace(spec, model=str(spec.path)) if names[spec.model] > 1 else spec
        for spec in found
    ]


def run(chosen: Sequence[Spec], repeats: int, advance: Advance) -> tuple[list[Case], Stopped]:
    """Measure models one after the other, one in memory at a time (collecting.collected).

    Args:
        chosen: of `specs`.
        repeats: timed runs of each, after one that is not.
        advance: called with 1 after each run, `repeats` + 1 times a model.
    Returns:
        a case for each model, and the errors that some stopped at.
    """
    return collected([(spec.model, partial(_cases, spec, repeats, advance)) for spec in chosen])


def _cases(spec: Spec, repeats: int, advance: Advance) -> Iterator[Case]:
    with own_states(), closing(Pool()) as pool:
        chat = RemoteChat(pool, spec)
        texts = iter([passage(READ_TOKENS, chat.count_tokens, at) for at in range(repeats + 1)])
        runs = repeated(lambda: _reply(chat, next(texts)), repeats=repeats, advance=advance)
    yield _case(spec, runs)


def _reply(chat: ChatEngine, text: str) -> Reply:
    usage = Usage()
    events = chat.stream(text, WRITTEN_TOKENS)
    with metered() as reading:
        for event in events:
            usage = event.usage or usage
            if isinstance(event, Piece) and event.text:
                break
    with metered() as writing:
        for event in events:
            usage = event.usage or usage
    return Reply(reading.seconds, writing.seconds, reading.energy, writing.energy, usage)


def _case(spec: Spec, runs: Runs[Reply]) -> Case:
    replies = runs.outcomes
    kept = weights(read_layout(spec.path))
    usage = replies[0].usage
    writing = [one for one in replies if one.usage.completion_tokens > 1]
    if not writing:
        raise EdgeSlmError(_wrote_nothing(spec.model))
    return case_of(
        SUITE,
        spec.model,
        runs,
        model=spec.model,
        usage=usage,
        first_token_s=statistics.median(one.first_s for one in replies),
        tokens_per_s=statistics.median(_written(one) / one.after_s for one in writing),
        more={
            "bytes": spec.path.stat().st_size,
            "sha256": spec.load.sha256,
            "parameters": kept.parameters,
            "bits_per_weight": kept.bits,
            "widths": kept.widths,
            "threads": spec.load.settings.thread_count,
            "kv_type": spec.load.settings.kv_type,
            "read_tokens_per_s": statistics.median(_read(one) / one.first_s for one in replies),
            **_per_hundred("read", [(one.reading, _read(one)) for one in replies]),
            **_per_hundred("written", [(one.writing, _written(one)) for one in writing]),
        },
    )


def _read(reply: Reply) -> int:
    return reply.usage.prompt_tokens - reply.usage.cached_tokens


def _written(reply: Reply) -> int:
    """Return the tokens after the first, which comes with the reading."""
    return reply.usage.completion_tokens - 1


def _per_hundred(what: str, bills: Sequence[tuple[Energy, int]]) -> dict[str, Any]:
    """Return the medians of CPU-seconds and joules for a hundred tokens; None where not known."""
    row: dict[str, Any] = {}
    for key, name in (
        ("cpu_seconds", "cpu_seconds"),
        ("joules", "joules"),
        ("low", "joules_low"),
        ("high", "joules_high"),
    ):
        values = [(getattr(energy, key), tokens) for energy, tokens in bills]
        known = [
            HUNDRED * value / tokens for value, tokens in values if value is not None and tokens
        ]
        whole = len(known) == len(values) and known
        row[f"{name}_per_100_{what}"] = statistics.median(known) if whole else None
    return row


def _wrote_nothing(model: str) -> str:
    return t(
        "The model {model} wrote nothing: check it with edge-slm models verify.",
        "Le modèle {model} n'a rien écrit : vérifiez-le avec edge-slm models verify.",
        model=model,
    )
