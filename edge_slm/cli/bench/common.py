"""What the suites share: their options, and what becomes of their cases.

@click.command("tasks", help=...)
@QUICK
@REPEAT
@METER
@OUT
@AGAINST
@AS_JSON
def command(quick, repeat, as_json, out, against): ...
    finish(cases, as_json=as_json, out=out, against=against)
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge_slm.cli import output
from edge_slm.cli.options import AS_JSON, CHAT_MODEL
from edge_slm.i18n import t

if TYPE_CHECKING:
    from edge_slm.bench.against import Ratio
    from edge_slm.bench.record import Case

__all__ = ["AGAINST", "AS_JSON", "METER", "MODEL", "OUT", "QUICK", "REPEAT", "finish"]

MODEL = CHAT_MODEL  # model: str | None
QUICK = click.option(
    "--quick",
    is_flag=True,
    help=t("Fewer cases, fewer runs.", "Moins de cas, moins d'exécutions."),
)
# repeat: int | None; None leaves it to the suite, which has fewer with --quick.
REPEAT = click.option(
    "--repeat",
    type=click.IntRange(1, 1000),
    help=t("Timed runs of each case.", "Exécutions chronométrées de chaque cas."),
)
OUT = click.option(
    "-o",
    "--out",
    "out",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help=t(
        "Also write results.jsonl, .csv, .md and plots there.",
        "Écrire aussi results.jsonl, .csv, .md et les graphiques dans ce dossier.",
    ),
)


def _readable(_: click.Context, __: click.Parameter, path: Path | None) -> Path | None:
    from edge_slm.bench.results import read_cases

    if path:
        read_cases(path)  # now, not after an hour of measuring
    return path


AGAINST = click.option(
    "--against",
    metavar="FILE",
    type=click.Path(path_type=Path),
    callback=_readable,
    help=t(
        "Earlier results (results.jsonl): print the ratios, new over old.",
        "Résultats antérieurs (results.jsonl) : afficher les rapports, nouveau sur ancien.",
    ),
)


def _set_meter(_: click.Context, __: click.Parameter, address: str | None) -> None:
    if address:
        os.environ["EDGE_SLM_METER"] = address


# Hands nothing to the command: whoever opens a meter reads the variable.
METER = click.option(
    "--meter",
    metavar="ADDRESS",
    expose_value=False,
    callback=_set_meter,
    help=t(
        "Meter to read, in place of those found; none for no meter.",
        "Compteur à lire, à la place de ceux trouvés ; none pour aucun.",
    ),
)


def finish(
    cases: Sequence["Case"],
    *,
    as_json: bool,
    out: Path | None = None,
    against: Path | None = None,
) -> None:
    """Print the cases, write them, compare them.

    Args:
        cases: of a suite, in order.
        as_json: one JSON object a line on standard output and nothing else there; ratios follow as
            lines whose `suite` is “against”. Otherwise a table.
        out: folder for the files of `bench.results.write_all`.
        against: file of earlier results.
    Raises:
        UsageError: `against` cannot be read, or `out` cannot be written.
    """
    if as_json:
        for case in cases:
            output.show_json_line(case)
    else:
        _show(cases)
    for note in dict.fromkeys(_note(case) for case in cases if case.conditions.note):
        click.echo(note, err=True)
    keep(cases, out=out, against=against, as_json=as_json)


def keep(
    cases: Sequence["Case"],
    *,
    out: Path | None,
    against: Path | None,
    as_json: bool,
    aside: bool = False,
) -> None:
    """Compare cases with earlier ones, and write them.

    Args:
        cases: in order.
        out, against: as for `finish`.
        as_json: ratios as JSON lines; else a table.
        aside: the table goes to standard error.
    Raises:
        UsageError: as `finish`.
    """
    from edge_slm.bench import against as comparison
    from edge_slm.bench import results

    if against:
        old = results.read_cases(against)
        found = comparison.ratios(cases, old)
        _compare(found, comparison.warnings(cases, old), as_json=as_json, aside=aside)
    if out:
        for path in results.write_all(out, cases):
            click.echo(t("Written: {path}", "Écrit : {path}", path=path), err=True)


def _note(case: "Case") -> str:
    name = case.case if case.contender == "edge-slm" else f"{case.case}, {case.contender}"
    return t("{case}: {note}.", "{case} : {note}.", case=name, note=case.conditions.note)


def _show(cases: Sequence["Case"]) -> None:
    from edge_slm.bench import results, tables

    if not cases:
        return
    click.echo(tables.aligned(results.head(), [results.row(case) for case in cases]))
    click.echo(results.few_runs(), err=True)


def _compare(
    ratios: Sequence["Ratio"], warnings: Sequence[str], *, as_json: bool, aside: bool
) -> None:
    from edge_slm.bench.against import table

    if as_json:
        for ratio in ratios:
            output.show_json_line(ratio)
    elif ratios:
        click.echo(err=aside)
        click.echo(table(ratios), err=aside)
    for warning in warnings:
        click.echo(t("Warning: {w}", "Attention : {w}", w=warning), err=True)
