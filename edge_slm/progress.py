"""Progress of long work, on standard error: a bar on a terminal, a line at the end elsewhere."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress(label: str, total: int, unit: str = "") -> Iterator[Callable[[int], None]]:
    """Yield a function to call with each step done.

    Args:
        label: what is being done, in the user's language.
        total: the number of steps expected; 0 when it is not known.
        unit: "bytes" shows sizes and speed; anything else is shown as a count.
    """
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        print(f"{label}…", file=sys.stderr, flush=True)  # noqa: T201
        yield lambda _: None
        return
    with _bar(label, total, unit) as advance:
        yield advance


@contextmanager
def _bar(label: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
    # rich.progress costs 80 ms to import: only on a terminal, only for long work.
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (
        [DownloadColumn(), TransferSpeedColumn()] if unit == "bytes" else [MofNCompleteColumn()]
    )
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        *columns,
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task(label, total=total or None)
        yield lambda steps: bar.advance(task, steps)
