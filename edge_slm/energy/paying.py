"""An answer under way is given an account; when it is whole it carries its bill, which is noted."""

import functools
from collections.abc import Iterator
from pathlib import Path

from msgspec.structs import replace

from edge_slm import paths
from edge_slm.answer import Answer, Task
from edge_slm.energy.accounts import Bill, accounts, fallback_of
from edge_slm.energy.ledger import Entry, Ledger, entry_of, priced
from edge_slm.errors import EdgeSlmError

# A task yields pieces of its text as soon as they are known, then the whole answer.
Events = Iterator[str | Answer]


def paid(events: Events, task: Task) -> Events:
    """Yield the pieces of an answer, then the answer with its energy.

    An answer that fails, or that nobody waits for any more, is noted as well: it cost something.

    Args:
        events: pieces of text, then the answer.
        task: what the request was taken for.
    """
    account = accounts()
    bill = account.open()
    kind = "stopped"
    try:
        for event in events:
            if not isinstance(event, Answer):
                yield event
                continue
            account.close(bill)
            kind = event.kind
            yield _with_bill(event, bill)
    except Exception:
        kind = "failed"
        raise
    finally:
        account.close(bill)
        if kind in ("stopped", "failed"):
            note(priced(Entry(task=task, kind=kind, seconds=bill.seconds), bill.energy))


def _with_bill(answer: Answer, bill: Bill) -> Answer:
    faults = fallback_of(bill, accounts().meter)
    whole = replace(answer, energy=bill.energy)
    return replace(whole, warnings=(*whole.warnings, *faults, *note(entry_of(whole, bill.seconds))))


@functools.cache
def _ledger(_: Path) -> Ledger:
    """Return the ledger of a home, kept so that it stays connected."""
    return Ledger()


def note(entry: Entry) -> tuple[str, ...]:
    """Write an entry to the ledger; return why it could not be, which fails no answer."""
    try:
        _ledger(paths.data_dir()).add(entry)
    except EdgeSlmError as error:
        return (str(error),)
    return ()
