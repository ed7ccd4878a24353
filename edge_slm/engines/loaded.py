"""The engines of this process: found in the store, loaded when first asked for, then kept."""

from typing import Literal

from edge_slm.answer import ModelUsed
from edge_slm.cards import Card, all_cards, get_card
from edge_slm.engines import ChatEngine, Embedder, Transcriber
from edge_slm.errors import MissingError, UsageError
from edge_slm.i18n import t
from edge_slm.machine import total_ram
from edge_slm.profiles import PROFILES
from edge_slm.store import Store

EMBEDDER = "multilingual-e5-small-q4_0"
# Best first; a machine uses the first that it holds and has the memory for.
CHAT = tuple(PROFILES[name][0] for name in ("standard", "lite"))


class Engines:
    """One chat model, one embedder and one speech model at most."""

    def __init__(self, chat_model: str | None = None) -> None:
        """Load nothing yet.

        Args:
            chat_model: id of the chat model; None takes the best that is installed.
        Raises:
            UsageError: there is no such model, or it is no chat model.
        """
        self._store = Store()
        self._chat_model = chat_model
        if chat_model is not None and get_card(chat_model).task != "chat":
            raise UsageError(
                t(
                    "{id} is not a chat model: see edge-slm models list.",
                    "{id} n'est pas un modèle de dialogue : voir edge-slm models list.",
                    id=chat_model,
                )
            )
        self._chat: tuple[ChatEngine, ModelUsed] | None = None
        self._speech: tuple[Transcriber, ModelUsed] | None = None
        self._embedders: dict[str, Embedder] = {}

    def chat(self) -> tuple[ChatEngine, ModelUsed]:
        """Return the chat engine and what it is.

        Raises:
            MissingError: no chat model is installed.
        """
        if self._chat is None:
            from edge_slm.engines.llama import LlamaChat

            card = get_card(self._chat_model or self._best_chat())
            path = self._store.path(card.id)
            self._chat = LlamaChat(path, template=card.chat_template), _used(card)
        return self._chat

    def speech(self) -> tuple[Transcriber, ModelUsed]:
        """Return the speech engine and what it is.

        Raises:
            MissingError: no speech model is installed.
        """
        if self._speech is None:
            from edge_slm.engines.whisper import WhisperTranscriber

            card = self._first("speech")
            self._speech = WhisperTranscriber(self._store.path(card.id)), _used(card)
        return self._speech

    def embedder(self, model: str = EMBEDDER) -> Embedder:
        """Return the embedder of a base.

        Raises:
            MissingError: it is not installed.
        """
        if model not in self._embedders:
            from edge_slm.engines.embedding import LlamaEmbedder

            self._embedders[model] = LlamaEmbedder(self._store.path(model))
        return self._embedders[model]

    def close(self) -> None:
        """Let all engines go and give their memory back."""
        for engine in (*self._embedders.values(), self._chat and self._chat[0]):
            if engine:
                engine.close()
        self._embedders, self._chat, self._speech = {}, None, None

    def _best_chat(self) -> str:
        installed = [model for model in CHAT if self._store.installed(model)]
        fitting = [model for model in installed if get_card(model).min_ram <= total_ram()]
        if fitting or installed:
            return (fitting or installed[-1:])[0]
        return self._first("chat").id

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


def _used(card: Card) -> ModelUsed:
    return ModelUsed(card.id, card.files[0].sha256, card.quantisation)
