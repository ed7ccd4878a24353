"""The engines of this program: found in the store, each loaded in a process of its own when it is
first asked something (pool.py)."""

import os
from typing import Literal

from edge_slm.answer import ModelUsed
from edge_slm.cards import Card, all_cards, get_card
from edge_slm.engines import ChatEngine, Embedder, Transcriber
from edge_slm.engines.settings import Settings
from edge_slm.engines.workers import ledger, wire
from edge_slm.engines.workers.pool import Pool
from edge_slm.engines.workers.remote import RemoteChat, RemoteEmbedder, RemoteTranscriber
from edge_slm.engines.workers.spec import Spec
from edge_slm.errors import MissingError, UsageError
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
            chat_model: id of the chat model; None takes the best that is installed.
            pool: where the models run; None makes one, which `close` ends.
            budget: bytes for a pool that is made here; None for the default.
        Raises:
            UsageError: there is no such model, or it is no chat model.
        """
        self._store = Store()
        self._chat_model = chat_model
        if chat_model is not None:
            _check_chat(chat_model)
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
        return RemoteEmbedder(self.pool, self._spec(get_card(model), "embed"))

    def chat_models(self) -> list[str]:
        """Return the chat models that are installed."""
        return [
            card.id
            for card in all_cards().values()
            if card.task == "chat" and self._store.installed(card.id)
        ]

    def specs(self) -> list[Spec]:
        """Return what a worker needs to load each model that is installed."""
        kinds: dict[str, wire.Kind] = {"chat": "chat", "embed": "embed", "speech": "speech"}
        return [
            self._spec(card, kinds[card.task])
            for card in all_cards().values()
            if card.task in kinds and self._store.installed(card.id)
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
            if card.task == task and self._store.installed(card.id):
                return card
        raise MissingError(
            t(
                "No {task} model is on this machine: run edge-slm models pull lite.",
                "Aucun modèle ({task}) sur cette machine : lancez edge-slm models pull lite.",
                task=task,
            )
        )


def _check_chat(model: str) -> None:
    if get_card(model).task != "chat":
        raise UsageError(
            t(
                "{id} is not a chat model: see edge-slm models list.",
                "{id} n'est pas un modèle de dialogue : voir edge-slm models list.",
                id=model,
            )
        )


def _used(card: Card) -> ModelUsed:
    return ModelUsed(card.id, card.files[0].sha256, card.quantisation)
