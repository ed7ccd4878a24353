"""edge-slm bench leaderboard: results of several runs and machines, ranked where that is fair."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge_slm.cli.options import AS_JSON
from edge_slm.errors import UsageError
from edge_slm.i18n import t

if TYPE_CHECKING:
    from edge_slm.bench.leaderboard import Row


@click.command(
    "leaderboard",
    help=t(
        "Joules per correct answer from RESULTS (results.jsonl, or folders of -o). Measurements "
        "and estimates stand in tables of their own; a rank only where rows compare.",
        "Joules par réponse juste, à partir de RÉSULTATS (results.jsonl, ou dossiers de -o). "
        "Mesures et estimations ont chacune leur tableau ; un rang seulement où cela se compare.",
    ),
)
@click.argument(
    "results",
    nargs=-1,
    required=True,
    metavar=t("RESULTS...", "RÉSULTATS..."),
    type=click.Path(path_type=Path),
)
@click.option(
    "-o",
    "--out",
    "out",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help=t("Write a .json, .csv or .md file.", "Écrire un fichier .json, .csv ou .md."),
)
@click.option(
    "--add",
    is_flag=True,
    help=t(
        "Keep what the .json file of -o holds; of two rows of one kind the newest stays.",
        "Garder ce que contient le .json de -o ; de deux lignes semblables, la plus récente reste.",
    ),
)
@AS_JSON
def command(results: tuple[Path, ...], out: Path | None, add: bool, as_json: bool) -> None:
    """Rank results."""
    from edge_slm.bench import leaderboard, leaderboard_files
    from edge_slm.bench.results import read_cases

    old = _extended(out) if add else []
    new = [leaderboard.rows_of(read_cases(path)) for path in results]
    rows = leaderboard.merged(old, *new)
    if out:
        leaderboard_files.write(rows, out)
        click.echo(t("Written: {path}", "Écrit : {path}", path=out), err=True)
    if as_json:
        click.echo(leaderboard_files.as_json(rows))
    elif not out:
        _show(rows)


def _extended(out: Path | None) -> "list[Row]":
    """Return the rows of the file to extend; none where it does not exist yet."""
    from edge_slm.bench.leaderboard_files import read

    if out is None or out.suffix.lower() != ".json":
        raise UsageError(
            t(
                "--add extends a .json file: name it with -o FILE.json.",
                "--add complète un fichier .json : nommez-le avec -o FICHIER.json.",
            )
        )
    return read(out) if out.exists() else []


def _show(rows: "Sequence[Row]") -> None:
    from edge_slm.bench import tables
    from edge_slm.bench.leaderboard_files import cells, head, sections

    for title, says, own in sections(rows):
        click.echo(f"{title}. {says}")
        click.echo(tables.aligned(head(), [cells(row) for row in own]))
        click.echo()
