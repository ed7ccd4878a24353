"""edge-slm eval answers: are answers right, cited, and refused when they should be?"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from edge_slm.cli import output
from edge_slm.cli.evaluate.common import (
    CORPORA,
    DETAILS,
    FILE,
    SAMPLE,
    indexed_path,
    show,
    write_details,
)
from edge_slm.cli.options import AS_JSON, CHAT_MODEL, RUNGS, rungs_of
from edge_slm.i18n import t
from edge_slm.machine import summary
from edge_slm.progress import progress

if TYPE_CHECKING:
    from edge_slm.evaluation.answers import AnswerScore, Question, Verdict
    from edge_slm.evaluation.ways import Way
    from edge_slm.kb.rungs import Rungs


@click.command(
    "answers",
    help=t(
        "Right answers, citations, refusals, figures that no passage bears out. Rows: question, "
        "answerable, document (or gold_doc), page, must_appear (or key_facts); a row with a "
        "“reason” has no answer. A “non” is also held by a sentence that denies, a “oui” by one "
        "that allows.",
        "Bonnes réponses, citations, refus, chiffres qu'aucun passage ne confirme. Lignes : "
        "question, answerable, document (ou gold_doc), page, must_appear (ou key_facts) ; une "
        "ligne avec « reason » est sans réponse. Un « non » vaut aussi pour une phrase qui nie, "
        "un « oui » pour une phrase qui permet.",
    ),
)
@click.option(
    "--questions",
    type=FILE,
    multiple=True,
    required=True,
    help=t("JSON lines of questions; repeat.", "Questions en JSON lines ; à répéter."),
)
@click.option(
    "--kb", help=t("Base to ask; or give --corpus.", "Base à interroger ; ou bien --corpus.")
)
@CORPORA
@click.option(
    "--no-ladder",
    is_flag=True,
    help=t(
        "Have a model write every answer, unchecked, to compare.",
        "Faire rédiger chaque réponse par un modèle, sans contrôle, pour comparer.",
    ),
)
@click.option(
    "--compare",
    is_flag=True,
    help=t(
        "Three ways in one run: the ladder, always generate, a plain BM25 quotation.",
        "Trois façons de suite : l'échelle, toujours rédiger, une simple citation par BM25.",
    ),
)
@RUNGS
@CHAT_MODEL
@SAMPLE
@DETAILS
@AS_JSON
def command(
    questions: tuple[Path, ...],
    kb: str | None,
    corpora: tuple[Path, ...],
    no_ladder: bool,
    compare: bool,
    rungs: str | None,
    model: str | None,
    sample: int | None,
    details: Path | None,
    as_json: bool,
) -> None:
    """Score answers."""
    from edge_slm.engines.loaded import Engines
    from edge_slm.evaluation.answers import Question
    from edge_slm.evaluation.rows import read_rows, sampled
    from edge_slm.evaluation.ways import WAYS

    if bool(kb) == bool(corpora):
        raise click.UsageError(t("Give --kb or --corpus.", "Donnez --kb ou --corpus."))
    asked = sampled([row for path in questions for row in read_rows(path, Question)], sample)
    if corpora:
        engines = Engines()  # closed before the assistant loads its own
        kb = str(indexed_path(corpora, engines.embedder()))
        engines.close()
    assert kb
    ways: tuple[Way, ...] = ("always_generate",) if no_ladder else ("ladder",)
    if compare:
        ways = WAYS
    scores: dict[str, AnswerScore] = {}
    rows: list[dict[str, Any]] = []
    for way in ways:
        score, verdicts = _evaluate(way, kb, model, rungs_of(rungs), asked)
        scores[way] = score
        rows += [{"way": way, **msgspec.to_builtins(verdict)} for verdict in verdicts]
    write_details(details, rows)
    if not compare:
        show(scores[ways[0]], as_json)
    elif as_json:
        output.show_json({**scores, **summary()})
    else:
        _show_table(scores)


def _evaluate(
    way: "Way", kb: str, model: str | None, rungs: "Rungs", questions: "Sequence[Question]"
) -> "tuple[AnswerScore, list[Verdict]]":
    from edge_slm.evaluation.answers import evaluate
    from edge_slm.evaluation.ways import opened

    with (
        opened(way, kb, model, rungs) as (ask, passage_of),
        progress(f"{t('Asking', 'Questions')} ({way})", len(questions)) as advance,
    ):
        return evaluate(ask, questions, advance, passage_of)


def _show_table(scores: "dict[str, AnswerScore]") -> None:
    rows: dict[str, Any] = {way: msgspec.to_builtins(score) for way, score in scores.items()}
    click.echo("".join([" " * 26, *(f"{way:>18}" for way in rows)]))
    for name in next(iter(rows.values())):
        cells = [rows[way][name] for way in rows]
        if not isinstance(cells[0], dict):
            click.echo("".join([f"{name:26}", *(f"{cell!s:>18}" for cell in cells)]))
