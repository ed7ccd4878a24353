"""What the ledger says of a stretch of days, put together once for the command and the screens.

Sums stay apart by method and scope, the way they were found: a measurement and an estimate, or a
processor and a whole board, are never added.
"""

import csv
from datetime import date, datetime, timedelta
from pathlib import Path

import msgspec

from edge_slm.energy.ledger import Day, Entry, Ledger, Part
from edge_slm.files import replacing
from edge_slm.i18n import interface_language, say

Way = tuple[str | None, str | None]  # method and scope

_MEANS = {
    "estimate": ("Estimated from processor time", "Estimé d'après le temps processeur"),
    "rapl": ("Measured, processor's counter", "Mesuré, compteur du processeur"),
    "nvml": ("Measured, graphics card's counter", "Mesuré, compteur de la carte graphique"),
    "hwmon": ("Measured, sensor of the board", "Mesuré, capteur de la carte"),
    "battery": ("Measured, battery's gauge", "Mesuré, jauge de la batterie"),
    "ioreport": ("Measured, Apple's counter", "Mesuré, compteur d'Apple"),
    "meter": ("Measured, external meter", "Mesuré, appareil extérieur"),
}


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """Days from `since` to `until` (local, ISO 8601, both included), and parts of all of them.

    `answers` are all requests, stopped and failed ones too; `without_tokens` the answers among them
    that no model wrote. `rungs` are by kind of answer, `models` by the model that wrote.
    """

    since: str
    until: str
    answers: int
    without_tokens: int
    days: list[Day]
    rungs: list[Part]
    models: list[Part]

    def ways(self) -> list[Way]:
        """Return the ways in which energy was found: measured ones, estimates, none."""
        order: dict[str | None, int] = {"estimate": 1, None: 2}
        ways = {(day.method, day.scope) for day in self.days}
        return sorted(ways, key=lambda way: (order.get(way[0], 0), way[0] or "", way[1] or ""))


def summary(ledger: Ledger, days: int, today: date | None = None) -> Summary:
    """Return what the last `days` days cost, today included."""
    until = today or datetime.now().astimezone().date()
    since = until - timedelta(days=days - 1)
    found = ledger.days(since, until)
    return Summary(
        since=since.isoformat(),
        until=until.isoformat(),
        answers=sum(day.answers for day in found),
        without_tokens=sum(day.without_tokens for day in found),
        days=found,
        rungs=ledger.by_rung(since, until),
        models=ledger.by_model(since, until),
    )


def write_csv(entries: list[Entry], path: Path) -> None:
    """Write entries as CSV with a heading, whole or not at all; an unknown figure is empty.

    Raises:
        OSError: the file cannot be written.
    """
    with (
        replacing(path) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(Entry.__struct_fields__)
        writer.writerows(msgspec.structs.astuple(entry) for entry in entries)


def way_in_words(way: Way, language: str | None = None) -> str:
    """Return how energy was found, in a language, the interface's by default."""
    method, scope = way
    speech = language or interface_language()
    if method is None:
        return say(speech, "No figure of energy", "Sans chiffre d'énergie")
    pair = _MEANS.get(method)
    means = say(speech, *pair) if pair else method
    return f"{means} ({method}, {scope or '?'})"
