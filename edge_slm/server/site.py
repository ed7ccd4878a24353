"""What all requests of a server share: engines, bases, figures, limits."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from edge_slm.cards import Card, all_cards, get_card
from edge_slm.engines.loaded import Engines
from edge_slm.errors import UsageError
from edge_slm.i18n import t
from edge_slm.kb.base import KnowledgeBase, base_path, list_bases
from edge_slm.server.errors import Refused, not_found
from edge_slm.server.metrics import Metrics
from edge_slm.store import Store

ASSISTANT = "edge-slm"  # the pseudo-model: the whole assistant


@dataclass(frozen=True)
class Site:
    """One server.

    Attributes:
        engines: where engines come from; shared, and safe to use from several threads.
        kb: names or files of the only bases to show; None for all of the user's.
        timeout: seconds that a request may take; None for no limit.
        metrics: counts of what was done.
        started: when, in seconds since 1970.
    """

    engines: Engines
    kb: Sequence[str] | None = None
    timeout: float | None = None
    metrics: Metrics = field(default_factory=Metrics)
    started: float = field(default_factory=time.time)

    def bases(self) -> list[Path]:
        """Return the files of the bases that this server shows."""
        return list_bases() if self.kb is None else [base_path(name) for name in self.kb]

    @contextmanager
    def opened(self, files: Sequence[Path] | None = None) -> Iterator[list[KnowledgeBase]]:
        """Open bases, all by default, for one request: a connection belongs to one thread."""
        opened: list[KnowledgeBase] = []
        try:
            for path in self.bases() if files is None else files:
                opened.append(KnowledgeBase.open(path))
            yield opened
        finally:
            for base in opened:
                base.close()

    def installed(self) -> list[Card]:
        """Return the cards of the models that are on this machine."""
        store = Store()
        return [card for card in all_cards().values() if store.installed(card.id)]

    def model(self, asked: str | None, task: str) -> str | None:
        """Return the id of the model that a request asks for, None for the default one.

        Raises:
            Refused: there is no such model, or it is for something else.
            MissingError: it is not on this machine.
        """
        if not asked:
            return None
        try:
            card = get_card(asked)
        except UsageError:
            raise no_model(asked) from None
        if card.task != task:
            raise no_model(asked, purpose=task)
        Store().path(card.id)
        return card.id


def no_model(name: str, purpose: str = "") -> Refused:
    """Return the refusal of a model that is not here, or not made for a purpose ("chat"…)."""
    if purpose:
        sentence = t(
            "The model {name} is not made for this ({purpose}): see /v1/models.",
            "Le modèle {name} n'est pas fait pour cela ({purpose}) : voir /v1/models.",
            name=name,
            purpose=purpose,
        )
    else:
        sentence = t(
            "There is no model {name} here: see /v1/models.",
            "Il n'y a pas de modèle {name} ici : voir /v1/models.",
            name=name[:100],
        )
    return not_found(sentence, "model_not_found", "model")
