"""Lines of benchmarks on disk: JSON lines, CSV, a Markdown table, and plots beside them.

JSON lines are what is read again; the other files are for people and spreadsheets.
"""

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from edge_slm.bench import tables
from edge_slm.bench.record import Case
from edge_slm.errors import EdgeSlmError, UsageError
from edge_slm.files import replacing
from edge_slm.i18n import size, t

NAME = "results.jsonl"
AGAINST = "against"  # the suite of a ratio (against.py), which may stand among cases
MOST_BYTES = 64_000_000  # some forty thousand cases


class _Kind(msgspec.Struct):
    suite: str = ""


_KIND = msgspec.json.Decoder(_Kind)
_CASE = msgspec.json.Decoder(Case)


def read_cases(path: Path) -> list[Case]:
    """Return the cases of a file of JSON lines or of one JSON array.

    Of a folder, its results.jsonl is read. Ratios among the lines (suite “against”) are left out.

    Raises:
        UsageError: no such file, or not one of cases; it names the line.
    """
    path = path / NAME if path.is_dir() else path
    data = _read(path)
    start = data.lstrip()[:1]
    rows = _array(path, data) if start == b"[" else _lines(data)
    cases = [case for line, row in rows if (case := _case(path, line, row)) is not None]
    if not cases:
        raise UsageError(
            t(
                "{path} holds no result: make one with edge-slm bench SUITE -o FOLDER.",
                "{path} ne contient aucun résultat : faites-en avec edge-slm bench SUITE -o "
                "DOSSIER.",
                path=path,
            )
        )
    return cases


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(
            t(
                "The results {path} cannot be read ({error}): check the path.",
                "Les résultats {path} ne peuvent pas être lus ({error}) : vérifiez le chemin.",
                path=path,
                error=error.strerror,
            )
        ) from error
    if len(data) > MOST_BYTES:
        raise UsageError(
            t(
                "{path} is larger than {most}: give it in parts.",
                "{path} dépasse {most} : donnez-le en plusieurs parties.",
                path=path,
                most=size(MOST_BYTES),
            )
        )
    return data.removeprefix(b"\xef\xbb\xbf")  # the mark that some editors put first


def _lines(data: bytes) -> list[tuple[int, bytes]]:
    return [(n, line) for n, line in enumerate(data.split(b"\n"), 1) if line.strip()]


def _array(path: Path, data: bytes) -> list[tuple[int, bytes]]:
    try:
        rows = msgspec.json.decode(data, type=list[msgspec.Raw])
    except (msgspec.DecodeError, RecursionError) as error:
        raise _unreadable(path, data.count(b"\n") + 1, error) from error
    # Where each begins: a Raw shows the bytes that it was cut from, in order.
    found, at = [], 0
    for row in map(bytes, rows):
        at = data.index(row, at)
        found.append((data.count(b"\n", 0, at) + 1, row))
        at += len(row)
    return found


def _case(path: Path, line: int, row: bytes) -> Case | None:
    try:
        if _KIND.decode(row).suite == AGAINST:
            return None
        case = _CASE.decode(row)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _unreadable(path, line, error) from error
    if case.repeats < 1 or case.seconds < 0 or case.cpu_seconds < 0:
        raise _unreadable(path, line, t("a figure is negative", "un chiffre est négatif"))
    if (case.correct or 0) > (case.answers or 0):
        more_correct = t("more correct than answered", "plus de justes que de réponses")
        raise _unreadable(path, line, more_correct)
    return case


def _unreadable(path: Path, line: int, why: object) -> UsageError:
    return UsageError(
        t(
            "Line {line} of {path} is no result of edge-slm bench ({why}): give a results.jsonl.",
            "La ligne {line} de {path} n'est pas un résultat d'edge-slm bench ({why}) : donnez un "
            "results.jsonl.",
            path=path,
            line=line,
            why=why,
        )
    )


def write_all(folder: Path, cases: Sequence[Case]) -> list[Path]:
    """Write results.jsonl, results.csv, results.md, and plots where matplotlib is installed.

    Each file is replaced whole or stays as it was.

    Raises:
        EdgeSlmError: the folder cannot be written.
    """
    texts = {
        NAME: b"".join(msgspec.json.encode(case) + b"\n" for case in cases),
        "results.csv": as_csv(cases).encode("utf-8", "replace"),
        "results.md": as_markdown(cases).encode("utf-8", "replace"),
    }
    written = []
    try:
        for name, data in texts.items():
            with replacing(folder / name) as temporary:
                temporary.write_bytes(data)
            written.append(folder / name)
        if importlib.util.find_spec("matplotlib"):
            from edge_slm.bench import plots

            written += plots.draw(cases, folder)
    except OSError as error:
        raise EdgeSlmError(
            t(
                "{folder} cannot be written ({error}): check the disk, and your rights on it.",
                "{folder} ne peut pas être écrit ({error}) : vérifiez le disque, et vos droits.",
                folder=folder,
                error=error.strerror,
            )
        ) from error
    return written


def as_csv(cases: Sequence[Case]) -> str:
    """Return the cases as CSV, a column a figure; nested ones are named by a point."""
    flat = [_flat(case) for case in cases]
    names = list(dict.fromkeys(name for row in flat for name in row))
    return tables.comma_separated(names, [[row.get(name) for name in names] for row in flat])


def _flat(case: Case) -> dict[str, object]:
    row: dict[str, Any] = msgspec.to_builtins(case)
    more = row.pop("more")
    flat: dict[str, object] = {}
    for name, value in row.items():
        parts = value.items() if isinstance(value, dict) else [("", value)]
        for part, inner in parts:
            key = f"{name}.{part}".rstrip(".")
            if isinstance(inner, tuple | list):
                flat[f"{key}_begin"], flat[f"{key}_end"] = inner
            else:
                flat[key] = inner
    return {**flat, "more": msgspec.json.encode(more).decode() if more else None}


def head() -> list[str]:
    """Return the names of the columns of `row`."""
    return [
        t("suite", "suite"),
        t("case", "cas"),
        t("by", "par"),
        t("model", "modèle"),
        t("seconds", "secondes"),
        t("CPU-seconds", "secondes CPU"),
        "J",
        t("joules by", "joules par"),
        t("memory", "mémoire"),
        t("tokens/s", "jetons/s"),
        t("correct", "justes"),
        t("quality", "qualité"),
    ]


def row(case: Case) -> list[str]:
    """Return a case as cells for people."""
    judged = "" if case.correct is None else f"{case.correct}/"
    answers = tables.NONE if case.answers is None else f"{judged}{case.answers}"
    quality = f"{tables.number(case.quality)} {case.quality_name or ''}".strip()
    return [
        case.suite,
        case.case,
        case.contender,
        case.model or tables.NONE,
        tables.between(case.seconds, case.seconds_low, case.seconds_high),
        tables.number(case.cpu_seconds),
        tables.between(case.joules, case.joules_low, case.joules_high),
        measured_by(case.joules_method, case.joules_scope),
        tables.NONE if case.peak_bytes is None else size(case.peak_bytes),
        tables.number(case.tokens_per_s),
        answers,
        quality,
    ]


def measured_by(method: str | None, scope: str | None) -> str:
    """Return how joules were found and what they cover, as people read it."""
    if method is None:
        return tables.NONE
    name = t("estimate", "estimation") if method == "estimate" else method
    return f"{name}, {scope}" if scope else name


def as_markdown(cases: Sequence[Case]) -> str:
    """Return the cases as a Markdown table, and below it the machine, the versions, the command."""
    below = dict.fromkeys(line for case in cases for line in _facts(case))
    facts = "\n".join(f"- {tables.escaped(line)}" for line in below)
    return f"{tables.markdown(head(), [row(case) for case in cases])}\n\n{few_runs()}\n\n{facts}\n"


def few_runs() -> str:
    """Return what the intervals are."""
    return t(
        "Medians; in brackets what bounds the median with 95 %, of fewer than six runs the least "
        "and the most. The brackets of joules hold what the meter or the estimate may be off by.",
        "Médianes ; entre parenthèses, ce qui borne la médiane à 95 %, et pour moins de six "
        "exécutions la plus petite et la plus grande valeur. Pour les joules, les parenthèses "
        "comprennent l'incertitude du compteur ou de l'estimation.",
    )


def _facts(case: Case) -> list[str]:
    machine = case.machine
    facts = [
        f"{machine.id}: {machine.cpu}, {machine.cores}/{machine.threads}, {size(machine.ram)}, "
        f"{machine.gpu or t('no GPU', 'pas de GPU')}, {machine.system}",
        ", ".join(f"{name} {version}" for name, version in case.versions.items()),
        f"{case.command} ({case.date[:10]})",
    ]
    return [*facts, f"{case.case}: {note}"] if (note := case.conditions.note) else facts
