"""A short request to each model of a pool, with what a right answer looks like."""

from collections.abc import Callable, Sequence
from contextlib import closing
from random import Random
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace

from edge_slm.engines import Done, Message
from edge_slm.engines.workers.pool import Pool
from edge_slm.engines.workers.remote import RemoteChat, RemoteEmbedder, RemoteTranscriber
from edge_slm.engines.workers.spec import Spec
from edge_slm.errors import EdgeSlmError
from edge_slm.i18n import t
from edge_slm.paths import examples_dir

QUESTIONS = (
    "Combien de jours de congé par an ?",
    "Qui signe la demande de télétravail ?",
    "À quelle date la prime est-elle versée ?",
    "How long is parental leave?",
)
REPLY_TOKENS = 8
RECORDING = examples_dir() / "audio" / "question.flac"


class Job(NamedTuple):
    """A model, and a function that asks it something and raises EdgeSlmError if that fails."""

    spec: Spec
    ask: Callable[[Random], None]


def job(pool: Pool, spec: Spec) -> Job:
    """Return what to ask of a model."""
    match spec.kind:
        case "chat":
            chat = RemoteChat(pool, spec)
            return Job(spec, lambda random: _chat(chat, random))
        case "embed":
            embedder = RemoteEmbedder(pool, spec)
            return Job(spec, lambda random: _embed(embedder, random))
        case "speech":
            speech = RemoteTranscriber(pool, spec)
            return Job(spec, lambda _: _transcribe(speech))


def several(specs: Sequence[Spec], least: int) -> list[Spec]:
    """Return at least so many specs: the first chat model again, with ever smaller contexts.

    A model with another context is another process to the pool, as another model is.
    """
    found = list(specs)
    chats = [spec for spec in found if spec.kind == "chat"]
    while chats and len(found) < least:
        settings = chats[-1].load.settings
        load = replace(chats[-1].load, settings=replace(settings, context=settings.context // 2))
        chats.append(replace(chats[-1], load=load))
        found.append(chats[-1])
    return found


def _chat(chat: RemoteChat, random: Random) -> None:
    *_, end = chat.stream([Message("user", random.choice(QUESTIONS))], REPLY_TOKENS)
    if not isinstance(end, Done) or not end.usage.completion_tokens:
        raise _wrong()


def _embed(embedder: RemoteEmbedder, random: Random) -> None:
    vector = embedder.embed_query(random.choice(QUESTIONS))
    if not np.isclose(np.linalg.norm(vector), 1, atol=1e-3):
        raise _wrong()


def _transcribe(speech: RemoteTranscriber) -> None:
    segments, _, _ = speech.transcribe(RECORDING, "fr")
    with closing(segments):  # type: ignore[type-var]  # a generator, behind its protocol
        if not "".join(segment.text for segment in segments).strip():
            raise _wrong()


def _wrong() -> EdgeSlmError:
    return EdgeSlmError(
        t(
            "A model gave an answer that cannot be right: see edge-slm models verify.",
            "Un modèle a donné une réponse qui ne peut être juste : voir edge-slm models verify.",
        )
    )
