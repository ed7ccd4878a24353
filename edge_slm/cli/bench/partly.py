"""The end of a suite whose parts may stop: what was measured, then what was not and why."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge_slm.cli.bench.common import finish
from edge_slm.errors import EdgeSlmError, MissingError

if TYPE_CHECKING:
    from edge_slm.bench.collecting import Stopped
    from edge_slm.bench.record import Case


def ready() -> None:
    """Refuse before a long run what would be refused in it.

    Raises:
        UsageError: the meter asked for is not here.
    """
    from edge_slm.energy.accounts import accounts

    accounts()


def finish_partly(
    cases: "list[Case]",
    stopped: "Stopped",
    *,
    as_json: bool,
    out: Path | None,
    against: Path | None,
) -> None:
    """Finish with the cases there are; a part that lacks a model is left out with a sentence.

    Raises:
        EdgeSlmError: nothing was measured, or a part failed for another reason.
        UsageError: see `finish`.
    """
    broken = [error for _, error in stopped if not isinstance(error, MissingError)]
    first: EdgeSlmError | None = next(iter(broken), None)
    if not cases and stopped:
        raise first or stopped[0][1]
    finish(cases, as_json=as_json, out=out, against=against)
    for name, error in stopped:
        if error is not first:
            click.echo(f"{name}: {error}", err=True)
    if first:
        raise first
