"""Runs a chat engine for a request, and keeps the figures."""

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import cast

from edge_slm.answer import Energy, ModelUsed, Usage
from edge_slm.clock import Clock
from edge_slm.energy.accounts import Bill, accounts
from edge_slm.energy.ledger import Entry, priced
from edge_slm.energy.paying import note
from edge_slm.engines import ChatEngine, Done, Options, Piece, Prompt
from edge_slm.server.metrics import Metrics
from edge_slm.server.site import Site


@dataclass
class Generation:
    """A reply under way; `usage`, `energy` and `complete` are right once it is exhausted."""

    engine: ChatEngine
    model: ModelUsed
    metrics: Metrics
    usage: Usage = field(default_factory=Usage)
    energy: Energy = field(default_factory=Energy)
    complete: bool = False

    def pieces(
        self, prompt: Prompt, max_tokens: int | None, options: Options, clock: Clock
    ) -> Iterator[Piece]:
        """Yield the pieces of the reply; closing this iterator stops the engine.

        Args:
            prompt: a conversation or a text.
            max_tokens: the longest reply; None for all that the context has room for.
            options: how it is written.
            clock: when the request began.
        """
        account = accounts()
        bill = account.open()
        events = self.engine.stream(prompt, max_tokens, options)
        try:
            # An engine gives a generator; the protocol promises no more than an iterator.
            with closing(cast("Generator[Piece | Done]", events)) as stream:
                yield from self._noting(stream, clock)
        finally:
            account.close(bill)
            self._keep(bill)

    def _keep(self, bill: Bill) -> None:
        self.energy = bill.energy
        self.metrics.tokens(self.usage)
        self.metrics.energy(bill.energy)
        entry = Entry(
            task="chat",
            kind="raw",
            model=self.model.id,
            model_sha256=self.model.sha256,
            prompt_tokens=self.usage.prompt_tokens,
            cached_tokens=self.usage.cached_tokens,
            completion_tokens=self.usage.completion_tokens,
            seconds=bill.seconds,
        )
        note(priced(entry, bill.energy))

    def _noting(self, events: Iterator[Piece | Done], clock: Clock) -> Iterator[Piece]:
        first = True
        for event in events:
            self.usage = event.usage or self.usage
            if isinstance(event, Done):
                self.complete = event.complete
                return
            if first:
                self.metrics.first_token(clock.laps()["total"] / 1000)
                first = False
            yield event


def generation(site: Site, model: str | None) -> Generation:
    """Return a reply about to be written by a model, the default one when None.

    Raises:
        MissingError: the model is not on this machine.
    """
    engine, used = site.engines.chat(model)
    return Generation(engine, used, site.metrics)
