"""Options and output that the suites of `edge-slm eval` share."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import msgspec

from edge_slm.cli import output
from edge_slm.files import replacing
from edge_slm.i18n import t
from edge_slm.machine import summary

if TYPE_CHECKING:
    from edge_slm.engines import Embedder

F = TypeVar("F", bound=Callable[..., Any])

FILE = click.Path(path_type=Path)
CORPORA = click.option(
    "--corpus",
    "corpora",
    type=FILE,
    multiple=True,
    help=t("JSON lines of documents; repeat to mix.", "Documents en JSON lines ; à répéter."),
)
SAMPLE = click.option(
    "--sample",
    type=click.IntRange(min=1),
    metavar="N",
    help=t("Take N rows only, always the same.", "Ne prendre que N lignes, toujours les mêmes."),
)
DETAILS = click.option(
    "--details",
    type=FILE,
    metavar="FILE",
    help=t(
        "Write what became of each row here, in JSON lines.",
        "Écrire ici, en JSON lines, ce qu'il advient de chaque ligne.",
    ),
)


def rows_of(name: str, en: str, fr: str) -> Callable[[F], F]:
    """Return the required option that names a suite's file of rows."""
    return click.option(f"--{name}", type=FILE, required=True, help=t(en, fr))


QUESTIONS = rows_of("questions", "JSON lines of questions.", "Questions en JSON lines.")


def indexed_path(corpora: Sequence[Path], embedder: "Embedder") -> Path:
    """Return the base that was made of some files of documents, made on the first call."""
    from edge_slm.evaluation.corpus import indexed

    with indexed(corpora, embedder) as base:
        return base.path


def write_details(path: Path | None, rows: Sequence[msgspec.Struct | dict[str, Any]]) -> None:
    """Write one JSON line a row, whole or not at all; nothing without a path."""
    if path:
        with replacing(path) as temporary:
            temporary.write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in rows))


def show(score: msgspec.Struct, as_json: bool) -> None:
    """Print a score: a JSON object with the machine's description, or one line a figure."""
    row: dict[str, Any] = msgspec.to_builtins(score)
    if as_json:
        output.show_json({**row, **summary()})
        return
    for key, value in row.items():
        if isinstance(value, list):
            click.echo(f"{key}: {len(value)}")
            for line in value:
                click.echo(f"  {line}")
        elif isinstance(value, dict):
            click.echo(f"{key}:")
            for name, line in value.items():
                click.echo(f"  {name}: {_one_line(line)}")
        else:
            click.echo(f"{key}: {value}")


def _one_line(value: object) -> object:
    """Return a group of figures as “name figure, name figure”."""
    if not isinstance(value, dict):
        return value
    return ", ".join(f"{name} {figure}" for name, figure in value.items())
