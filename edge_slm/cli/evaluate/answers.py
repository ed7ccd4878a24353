"""edge-slm eval answers: are answers right, cited, and refused when they should be?"""

from pathlib import Path

import click

from edge_slm.cli.evaluate.common import CORPORA, QUESTIONS, indexed_path, show
from edge_slm.cli.options import AS_JSON, CHAT_MODEL
from edge_slm.i18n import t
from edge_slm.progress import progress


@click.command(
    "answers",
    help=t(
        "Right answers, citations, refusals. Rows: question, answerable, document (or gold_doc), "
        "page, must_appear (or key_facts).",
        "Bonnes réponses, citations et refus. Lignes : question, answerable, document (ou "
        "gold_doc), page, must_appear (ou key_facts).",
    ),
)
@QUESTIONS
@click.option(
    "--kb", help=t("Base to ask; or give --corpus.", "Base à interroger ; ou bien --corpus.")
)
@CORPORA
@CHAT_MODEL
@AS_JSON
def command(
    questions: Path, kb: str | None, corpora: tuple[Path, ...], model: str | None, as_json: bool
) -> None:
    """Score answers."""
    from edge_slm.assistant import Assistant
    from edge_slm.engines.loaded import Engines
    from edge_slm.evaluation.answers import Question, evaluate
    from edge_slm.evaluation.rows import read_rows

    asked = read_rows(questions, Question)
    base = kb
    if corpora:
        engines = Engines()  # closed before the assistant loads its own
        base = str(indexed_path(corpora, engines.embedder()))
        engines.close()
    with (
        Assistant.open(model=model, kb=[base] if base else None) as assistant,
        progress(t("Asking", "Questions"), len(asked)) as advance,
    ):
        score = evaluate(assistant, asked, advance)
    show(score, as_json)
