"""edge-slm eval calibrate: when is a base sure enough to answer?"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from edge_slm.cli.evaluate.common import FILE, indexed_path, show
from edge_slm.cli.options import AS_JSON
from edge_slm.files import replacing
from edge_slm.i18n import t
from edge_slm.progress import progress

if TYPE_CHECKING:
    from edge_slm.engines import Embedder
    from edge_slm.evaluation.calibrate import CalibrationScore, Observed
    from edge_slm.kb.base import KnowledgeBase


@click.command(
    "calibrate",
    help=t(
        "Fit the confidence under which a question is declined, and keep it in a base (--kb). "
        "Rows: question, answerable, document (or gold_doc); a row with a “reason” has no answer. "
        "The curve of risk and coverage is kept in the base and written beside it, as JSON and "
        "PNG. With --set, nothing is kept: several bases or corpora are taken together.",
        "Ajuster la confiance sous laquelle une question est déclinée, et la garder dans une base "
        "(--kb). Lignes : question, answerable, document (ou gold_doc) ; une ligne avec « reason » "
        "est sans réponse. La courbe du risque et de la couverture est gardée dans la base et "
        "écrite à côté, en JSON et en PNG. Avec --set, rien n'est gardé : plusieurs bases ou "
        "corpus comptent ensemble.",
    ),
)
@click.option("--kb", help=t("Base to calibrate.", "Base à calibrer."))
@click.option(
    "--questions",
    type=FILE,
    multiple=True,
    help=t("JSON lines of questions; repeat.", "Questions en JSON lines ; à répéter."),
)
@click.option(
    "--set",
    "sets",
    type=(FILE, FILE),
    multiple=True,
    metavar="CORPUS QUESTIONS",
    help=t(
        "A base (.db) or JSON lines of documents, and its questions; repeat.",
        "Une base (.db) ou des documents en JSON lines, et ses questions ; à répéter.",
    ),
)
@click.option(
    "--risk",
    type=click.FloatRange(0, 1),
    help=t(
        "Highest share of wrong answers wanted, 0.02 for instance; else the threshold that tells "
        "both kinds of questions best.",
        "Plus grande part de réponses fausses voulue, 0.02 par exemple ; sinon, le seuil qui "
        "distingue le mieux les deux sortes de questions.",
    ),
)
@click.option(
    "--reset",
    is_flag=True,
    help=t(
        "Give the base the program's own calibration again.",
        "Rendre à la base le calibrage du programme.",
    ),
)
@AS_JSON
def command(
    kb: str | None,
    questions: tuple[Path, ...],
    sets: tuple[tuple[Path, Path], ...],
    risk: float | None,
    reset: bool,
    as_json: bool,
) -> None:
    """Fit the confidence."""
    from edge_slm.engines.loaded import Engines
    from edge_slm.evaluation.calibrate import calibrate
    from edge_slm.kb.base import KnowledgeBase, base_path
    from edge_slm.kb.calibration import Calibration

    if bool(kb) == bool(sets) or (kb and not reset and not questions):
        raise click.UsageError(
            t(
                "Give --kb and --questions, or --set.",
                "Donnez --kb et --questions, ou bien --set.",
            )
        )
    if kb and reset:
        with KnowledgeBase.open(base_path(kb)) as base:
            base.change(calibration="{}", curve="")
        return
    engines = Engines()
    embedder = engines.embedder()
    start = Calibration()
    if kb:
        sets = tuple((base_path(kb), path) for path in questions)
        with KnowledgeBase.open(base_path(kb)) as base:
            start = base.calibration
    observed = [one for pair in sets for one in _observe(*pair, embedder)]
    engines.close()
    score = calibrate(observed, start, risk)
    if kb:
        with KnowledgeBase.open(base_path(kb)) as base:
            _keep(base, score)
    _print(score, as_json)


def _observe(corpus: Path, questions: Path, embedder: "Embedder") -> "Iterable[Observed]":
    from edge_slm.evaluation.answers import Question
    from edge_slm.evaluation.calibrate import Observed
    from edge_slm.evaluation.rows import read_rows
    from edge_slm.kb.base import KnowledgeBase
    from edge_slm.tasks.hr_faq.evidence import look

    path = corpus if corpus.suffix == ".db" else indexed_path([corpus], embedder)
    rows = read_rows(questions, Question)
    with (
        KnowledgeBase.open(path) as base,
        progress(t("Searching", "Recherche"), len(rows)) as advance,
    ):
        for row in rows:
            found = look(row.question, base, embedder).found
            best = found.hits[0].document if found.hits else None
            yield Observed(found.signals, row.is_answerable, row.source in (None, best))
            advance(1)


def _keep(base: "KnowledgeBase", score: "CalibrationScore") -> None:
    """Keep a calibration and its curve in a base; write the curve beside it."""
    from edge_slm.errors import MissingError
    from edge_slm.evaluation.plot import draw

    curve = msgspec.json.encode(msgspec.structs.replace(score))
    base.change(calibration=msgspec.json.encode(score.calibration).decode(), curve=curve.decode())
    files = [base.path.with_suffix(f".calibration.{suffix}") for suffix in ("json", "png")]
    with replacing(files[0]) as temporary:
        temporary.write_bytes(msgspec.json.format(curve, indent=2) + b"\n")
    try:
        draw(score, files[1])
    except MissingError as error:
        click.echo(str(error), err=True)
        files.pop()
    for path in files:
        click.echo(t("Written: {path}", "Écrit : {path}", path=path), err=True)


def _print(score: "CalibrationScore", as_json: bool) -> None:
    if as_json:
        show(score, as_json)
        return
    for name in ("answerable", "unanswerable", "auc", "kept", "declined", "coverage", "risk"):
        click.echo(f"{name}: {getattr(score, name)}")
    click.echo(f"calibration: {msgspec.json.encode(score.calibration).decode()}")
    click.echo("threshold  coverage  risk   kept   declined")
    for point in score.curve[::2]:
        click.echo(
            f"{point.threshold:9.2f}  {point.coverage:8.3f}  {point.risk:.3f}  {point.kept:.3f}  "
            f"{point.declined:.3f}"
        )
