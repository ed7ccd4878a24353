"""The engines of this program: found in the store, each loaded in a process of its own when it is
first asked something (pool.py)."""

import os
from pathlib import Path
from typing import Literal

from edge_slm.answer import ModelUsed
from edge_slm.cards import RUNNABLE, Card, all_cards, get_card
from edge_slm.engines import ChatEngine, Embedder, Transcriber
from edge_slm.engines.files import is_file, spec_of_file
from edge_slm.engines.settings import Settings
from edge_slm.engines.workers import ledger, wire
from edge_slm.engines.workers.pool import Pool
from edge_slm.engines.workers.remote import RemoteChat, RemoteEmbedder, RemoteTranscriber
from edge_slm.engines.workers.spec import Spec
from edge_slm.errors import MissingError, UsageError
from edge_slm.gguf_layout import read_layout
from edge_slm.i18n import t
from edge_slm.machine import resident_memory, total_ram
from edge_slm.profiles import PROFILES
from edge_slm.store import Store

EMBEDDER = "multilingual-e5-small-q4_0"
# Best first; a machine uses the first that it holds and has the memory for.
CHAT = tuple(PROFILES[name][0] for name in ("standard", "lite"))


class Engines:
    """The chat models, the embedders and the speech model of this machine.

    Attributes:
        pool: their processes and their memory budget.
    """

    def __init__(
        self, chat_model: str | None = None, pool: Pool | None = None, budget: int | None = None
    ) -> None:
        """Load nothing yet.

        Args:
            chat_model: id of the chat model, or a GGUF file; None takes the best that is
                installed. Only this names files: what a client of the server asks for is an id.
            pool: where the models run; None makes one, which `close` ends.
            budget: bytes for a pool that is made here; None for the default.
        Raises:
            UsageError: there is no such model or file, or it is no chat model.
            IntegrityError: the file is not whole GGUF.
        """
        self._store = Store()
        self._file = spec_of_file(Path(chat_model)) if chat_model and is_file(chat_model) else None
        self._chat_model = None if self._file else chat_model
        if self._chat_model is not None:
            _check_chat(self._chat_model)
        self._owner = pool is None
        self.pool = pool or Pool(budget)

    def chat(self, model: str | None = None) -> tuple[ChatEngine, ModelUsed]:
        """Return a chat engine and what it is.

        Args:
            model: id of a chat model; None takes the one that these engines were made for.
        Raises:
            UsageError: there is no such model, or it is no chat model.
            MissingError: it is not installed, or no chat model is.
        """
        if self._file and model is None:
            return RemoteChat(self.pool, self._file), _used_file(self._file)
        model = model or self._chat_model or self._best_chat()
        return RemoteChat(self.pool, self.chat_spec(model)), _used(get_card(model))

    def speech(self) -> tuple[Transcriber, ModelUsed]:
        """Return the speech engine and what it is.

        Raises:
            MissingError: no speech model is installed.
        """
        card = self._first("speech")
        return RemoteTranscriber(self.pool, self._spec(card, "speech")), _used(card)

    def embedder(self, model: str = EMBEDDER) -> Embedder:
        """Return the embedder of a base.

        Raises:
            MissingError: it is not installed.
        """
        card = get_card(model)
        _check_format(card)
        return RemoteEmbedder(self.pool, self._spec(card, "embed"))

    def chat_models(self) -> list[str]:
        """Return the chat models that are installed."""
        return [
            card.id
            for card in all_cards().values()
            if card.task == "chat" and card.format in RUNNABLE and self._store.installed(card.id)
        ]

    def specs(self) -> list[Spec]:
        """Return what a worker needs to load each model that is installed."""
        kinds: dict[str, wire.Kind] = {"chat": "chat", "embed": "embed", "speech": "speech"}
        return [
            self._spec(card, kinds[card.task])
            for card in all_cards().values()
            if card.task in kinds and card.format in RUNNABLE and self._store.installed(card.id)
        ]

    def chat_spec(self, model: str) -> Spec:
        """Return what a worker needs to load a chat model.

        Raises:
            UsageError: there is no such model, or it is no chat model.
            MissingError: it is not installed.
        """
        _check_chat(model)
        return self._spec(get_card(model), "chat")

    def close(self) -> None:
        """Let all engines go and give their memory back."""
        if self._owner:
            self.pool.close()
            self.pool = Pool(self.pool.budget)

    def _spec(self, card: Card, kind: wire.Kind) -> Spec:
        load = wire.Load(
            kind,
            os.fsencode(self._store.path(card.id)),
            sha256=card.files[0].sha256,
            template=card.chat_template,
            settings=Settings.for_model(card.files[0].sha256),
        )
        return Spec(card.id, load, card.embed.dimensions if card.embed else 0)

    def _best_chat(self) -> str:
        installed = [model for model in CHAT if self._store.installed(model)]
        fitting = [model for model in installed if self._fits(model)]
        if fitting or installed:
            return (fitting or installed[-1:])[0]
        return self._first("chat").id

    def _fits(self, model: str) -> bool:
        room = self.pool.budget - resident_memory()
        enough = get_card(model).min_ram <= total_ram()
        return enough and ledger.expected(self.chat_spec(model)) <= room

    def _first(self, task: Literal["chat", "speech"]) -> Card:
        for card in all_cards().values():
            runs = card.task == task and card.format in RUNNABLE
            if runs and self._store.installed(card.id):
                return card
        raise MissingError(
            t(
                "No {task} model is on this machine: run edge-slm models pull lite.",
                "Aucun modèle ({task}) sur cette machine : lancez edge-slm models pull lite.",
                task=task,
            )
        )


def _check_chat(model: str) -> None:
    card = get_card(model)
    if card.task != "chat":
        raise UsageError(
            t(
                "{id} is not a chat model: see edge-slm models list.",
                "{id} n'est pas un modèle de dialogue : voir edge-slm models list.",
                id=model,
            )
        )
    _check_format(card)


def _check_format(card: Card) -> None:
    if card.format not in RUNNABLE:
        raise UsageError(
            t(
                "{id} is made for another program: nothing here runs the format {format}.",
                "{id} est fait pour un autre programme : rien ici n'exécute le format {format}.",
                id=card.id,
                format=card.format,
            )
        )


def _used_file(spec: Spec) -> ModelUsed:
    return ModelUsed(spec.model, spec.load.sha256, read_layout(spec.path).file_type)


def _used(card: Card) -> ModelUsed:
    return ModelUsed(card.id, card.files[0].sha256, card.quantisation)
