"""edge-slm bench report: what answers cost on this machine, from the ledger."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge_slm.cli import output
from edge_slm.cli.options import AS_JSON
from edge_slm.errors import UsageError
from edge_slm.i18n import decimal, t

if TYPE_CHECKING:
    from edge_slm.energy.ledger import Ledger, Part, Sum
    from edge_slm.energy.summary import Summary, Way

BAR = 24  # characters of the longest bar
MOST_DAYS = 36_500


@click.command(
    "report",
    help=t(
        "What answers cost on this machine: by day, by rung, by model; estimates apart.",
        "Ce que les réponses ont coûté ici : par jour, par type, par modèle ; estimations à part.",
    ),
)
@click.option(
    "--days",
    default=7,
    show_default=True,
    type=click.IntRange(1, MOST_DAYS),
    help=t("Days to look back on, today included.", "Jours à regarder, aujourd'hui compris."),
)
@click.option(
    "--csv",
    "csv_file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help=t("Write the entries of these days too.", "Écrire aussi les lignes de ces jours."),
)
@click.option(
    "--clear",
    is_flag=True,
    help=t("Remove all entries, of all days.", "Effacer toutes les lignes, de tous les jours."),
)
@click.option("--yes", is_flag=True, help=t("Do not ask.", "Ne pas demander."))
@AS_JSON
def command(days: int, csv_file: Path | None, clear: bool, yes: bool, as_json: bool) -> None:
    """Tell what the ledger holds."""
    from edge_slm.energy.ledger import Ledger
    from edge_slm.energy.summary import summary

    ledger = Ledger()
    if clear:
        _clear(ledger, yes)
        return
    found = summary(ledger, days)
    if csv_file is not None:
        _write_csv(ledger, found, csv_file)
    if as_json:
        output.show_json(found)
    else:
        click.echo("\n".join(map(_printable, _lines(found))))


def _clear(ledger: "Ledger", yes: bool) -> None:
    if not yes and not sys.stdin.isatty():
        raise UsageError(
            t(
                "Add --yes to remove all entries of the energy ledger without being asked.",
                "Ajoutez --yes pour effacer le registre d'énergie sans confirmation.",
            )
        )
    if not yes:
        question = t("Remove all entries of {path}?", "Effacer {path} ?", path=ledger.path)
        click.confirm(question, abort=True, err=True)
    removed = ledger.clear()
    click.echo(t("{n} entries removed.", "{n} lignes effacées.", n=removed))


def _write_csv(ledger: "Ledger", found: "Summary", path: Path) -> None:
    from datetime import date

    from edge_slm.energy.summary import write_csv

    since, until = date.fromisoformat(found.since), date.fromisoformat(found.until)
    entries = ledger.entries(since, until)
    write_csv(entries, path)
    click.echo(
        t("{n} entries in {path}", "{n} lignes dans {path}", n=len(entries), path=path), err=True
    )


def _lines(found: "Summary") -> list[str]:
    if not found.days:
        return [
            t(
                "The ledger has no answer from {since} to {until}: ask one, or look further back "
                "with --days.",
                "Le registre n'a aucune réponse du {since} au {until} : posez une question, ou "
                "regardez plus loin avec --days.",
                since=found.since,
                until=found.until,
            )
        ]
    lines = [
        t(
            "From {since} to {until}: {n} answers, {free} without a token.",
            "Du {since} au {until} : {n} réponses, dont {free} sans aucun jeton.",
            since=found.since,
            until=found.until,
            n=found.answers,
            free=found.without_tokens,
        )
    ]
    for way in found.ways():
        lines += ["", *_way_lines(found, way)]
    lines += ["", *_notes(found)]
    return lines


def _way_lines(found: "Summary", way: "Way") -> list[str]:
    from edge_slm.energy.summary import way_in_words

    days = [day for day in found.days if (day.method, day.scope) == way]
    most = max((day.joules or 0.0 for day in days), default=0.0)
    lines = [way_in_words(way)]
    for day in days:
        name = t("today", "aujourd'hui") if day.day == found.until else day.day
        bar = "#" * round(BAR * (day.joules or 0.0) / most) if most else ""
        lines.append(f"  {name:<12}{bar:<{BAR}}  {_cost(day)}".rstrip())
    for title, parts, unnamed in (
        (t("by kind", "par type"), found.rungs, ""),
        (t("by model", "par modèle"), found.models, t("no model", "aucun modèle")),
    ):
        mine = [part for part in parts if (part.method, part.scope) == way]
        lines += [f"  {title}", *(_part_line(part, unnamed) for part in mine)]
    return lines


def _part_line(part: "Part", unnamed: str) -> str:
    each = part.joules_per_answer
    line = f"    {part.name or unnamed:<38}{_cost(part)}"
    if each is not None:
        line += t("; {j} J each", " ; {j} J chacune", j=decimal(each))
    return line


def _cost(found: "Sum") -> str:
    """Return the answers, joules between bounds, and processor time, as far as they are known."""
    answers = t("{n} answers", "{n} réponses", n=found.answers)
    if found.answers == 1:
        answers = t("1 answer", "1 réponse")
    parts = [answers]
    if found.joules is not None:
        parts.append(
            t(
                "{j} J ({low} to {high}), {wh} Wh",
                "{j} J ({low} à {high}), {wh} Wh",
                j=decimal(found.joules),
                low=decimal(found.low or 0.0),
                high=decimal(found.high or 0.0),
                wh=decimal(found.joules / 3600, 4),
            )
        )
    if found.cpu_seconds is not None:
        parts.append(
            t(
                "{s} s of processor",
                "{s} s de processeur",
                s=decimal(found.cpu_seconds),
            )
        )
    return ", ".join(parts)


def _printable(line: str) -> str:
    """Return a line without what a terminal would obey: names come from a file."""
    return "".join(sign if sign.isprintable() else "�" for sign in line)


def _notes(found: "Summary") -> list[str]:
    methods = {method for method, _ in found.ways()}
    notes = []
    if "estimate" in methods:
        notes.append(
            t(
                "An estimate is processor time by watts that the processor's name stands for, the "
                "processor alone: an order of magnitude, not a measurement.",
                "Une estimation est un temps processeur multiplié par des watts déduits du nom du "
                "processeur, lui seul : un ordre de grandeur, pas une mesure.",
            )
        )
    if len(found.ways()) > 1:
        notes.append(
            t(
                "Figures of different methods or scopes are not added, and do not compare.",
                "Des chiffres de méthodes ou de portées différentes ne s'ajoutent ni ne se "
                "comparent.",
            )
        )
    return notes or [
        t(
            "Joules are this program's share above the idle machine, within what the meter covers.",
            "Les joules sont la part de ce programme au-dessus de la machine au repos, dans ce que "
            "le compteur couvre.",
        )
    ]
