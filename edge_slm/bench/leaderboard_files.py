"""The leaderboard as a file: JSON that can be extended, CSV, Markdown with a table a class."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from edge_slm.bench import tables
from edge_slm.bench.leaderboard import Row, Table
from edge_slm.bench.results import MOST_BYTES, measured_by
from edge_slm.errors import EdgeSlmError, UsageError
from edge_slm.files import replacing
from edge_slm.i18n import decimal, size, t

FORMAT = "edge-slm-leaderboard-1"
SUFFIXES = (".json", ".csv", ".md")


class _Board(msgspec.Struct, forbid_unknown_fields=True):
    format: str
    rows: list[Row]


def read(path: Path) -> list[Row]:
    """Return the rows of a leaderboard's JSON file.

    Raises:
        UsageError: it cannot be read, or is no leaderboard.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        board = msgspec.json.decode(data, type=_Board)
    except OSError as error:
        raise _foreign(path, error.strerror) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _foreign(path, error) from error
    if board.format != FORMAT:
        raise _foreign(path, board.format)
    return board.rows


def _foreign(path: Path, why: object) -> UsageError:
    return UsageError(
        t(
            "{path} is no leaderboard in JSON ({why}): give one made by edge-slm bench "
            "leaderboard, or another name.",
            "{path} n'est pas un classement en JSON ({why}) : donnez-en un fait par edge-slm bench "
            "leaderboard, ou un autre nom.",
            path=path,
            why=why,
        )
    )


def write(rows: Sequence[Row], path: Path) -> None:
    """Write a leaderboard, whole or not at all: .json, .csv or .md.

    Raises:
        UsageError: another suffix.
        EdgeSlmError: the file cannot be written.
    """
    makers = {".json": as_json, ".csv": as_csv, ".md": as_markdown}
    make = makers.get(path.suffix.lower())
    if make is None:
        raise UsageError(
            t(
                "A leaderboard is written to a .json, .csv or .md file, not to {name}.",
                "Un classement s'écrit dans un fichier .json, .csv ou .md, pas dans {name}.",
                name=path.name,
            )
        )
    data = make(rows).encode("utf-8", "replace")
    try:
        with replacing(path) as temporary:
            temporary.write_bytes(data)
    except OSError as error:
        raise EdgeSlmError(
            t(
                "{path} cannot be written ({error}): check the disk, and your rights on its "
                "folder.",
                "{path} ne peut pas être écrit ({error}) : vérifiez le disque, et vos droits sur "
                "son dossier.",
                path=path,
                error=error.strerror,
            )
        ) from error


def as_json(rows: Sequence[Row]) -> str:
    """Return the leaderboard as JSON that `read` reads."""
    return msgspec.json.format(msgspec.json.encode(_Board(FORMAT, list(rows))), indent=2).decode()


def as_csv(rows: Sequence[Row]) -> str:
    """Return the leaderboard as CSV, a column a field of `Row`."""
    names = Row.__struct_fields__
    return tables.comma_separated(names, [[_cell(getattr(r, n)) for n in names] for r in rows])


def _cell(value: object) -> object:
    if isinstance(value, tuple):
        return "; ".join(map(str, value))
    return msgspec.json.encode(value).decode() if isinstance(value, dict) else value


def as_markdown(rows: Sequence[Row]) -> str:
    """Return the leaderboard as Markdown: a table for each way to find joules."""
    parts = [f"# {t('Joules per correct answer', 'Joules par réponse juste')}"]
    for title, says, own in sections(rows):
        table = tables.markdown(head(), [cells(row) for row in own])
        parts += [f"## {title}", says, table]
    return "\n\n".join(parts) + "\n"


def sections(rows: Sequence[Row]) -> list[tuple[str, str, list[Row]]]:
    """Return title, what may be compared, and rows of each table that has any."""
    found = []
    for name, title, says in _tables():
        own = [row for row in rows if row.table == name]
        if own:
            found.append((title, says, own))
    return found


def _tables() -> list[tuple[Table, str, str]]:
    return [
        (
            "measured",
            t("Measured", "Mesuré"),
            t(
                "Ranked by joules per correct answer, among rows of one suite, the same cases and "
                "one scope of the meter.",
                "Classé par joules par réponse juste, entre lignes d'une même suite, des mêmes cas "
                "et d'une même portée du compteur.",
            ),
        ),
        (
            "estimated",
            t("Estimated", "Estimé"),
            t(
                "No meter: the joules are estimates and rank nothing. Ordered by CPU-seconds per "
                "correct answer, within one machine.",
                "Sans compteur : les joules sont des estimations et ne classent rien. Ordonné par "
                "secondes CPU par réponse juste, sur une même machine.",
            ),
        ),
        (
            "none",
            t("Without energy", "Sans énergie"),
            t("Not ranked.", "Non classé."),
        ),
    ]


def head() -> list[str]:
    """Return the names of the columns of `cells`."""
    return [
        t("rank", "rang"),
        t("machine", "machine"),
        t("by", "par"),
        t("model", "modèle"),
        t("task", "tâche"),
        t("J/correct", "J/juste"),
        t("CPU-s/correct", "s CPU/juste"),
        t("J/answer", "J/réponse"),
        t("Wh/1,000 answers", "Wh/1 000 réponses"),
        t("J/token", "J/jeton"),
        t("tokens/s", "jetons/s"),
        t("tokens/s/W", "jetons/s/W"),
        t("first token", "premier jeton"),
        t("memory", "mémoire"),
        t("correct", "justes"),
        t("quality", "qualité"),
        t("joules by", "joules par"),
    ]


def cells(row: Row) -> list[str]:
    """Return a row as texts for people; joules of an estimate are marked “≈”."""
    about = "≈ " if row.table == "estimated" else ""

    def joules(value: float | None) -> str:
        return tables.NONE if value is None else about + tables.number(value)

    quality = f"{tables.number(row.quality)} {row.quality_name or ''}".strip()
    first = row.first_token_s
    per_correct = tables.between(
        row.joules_per_correct, row.joules_per_correct_low, row.joules_per_correct_high
    )
    return [
        tables.NONE if row.rank is None else str(row.rank),
        f"{row.gpu or row.cpu} ({row.machine})",
        row.contender,
        row.model or tables.NONE,
        f"{row.suite} {row.task}",
        about + per_correct if row.joules_per_correct is not None else tables.NONE,
        tables.number(row.cpu_seconds_per_correct),
        joules(row.joules_per_answer),
        joules(row.wh_per_1000_answers),
        joules(row.joules_per_token),
        tables.number(row.tokens_per_s),
        joules(row.tokens_per_s_per_watt),
        tables.NONE if first is None else f"{decimal(first, 2)} s",
        tables.NONE if row.peak_bytes is None else size(row.peak_bytes),
        tables.NONE if row.correct is None else f"{row.correct}/{row.answers}",
        quality,
        measured_by(row.method, row.scope),
    ]
