"""HR questions over the sample handbook, one case a rung, judged by what the answers must hold.

The base is made of examples/rh in the cache, never the user's own, and a copy of it gets the
approved answers: the same questions meet the same base on every machine. A run with `quick` has a
few documents and the questions on these.

`hr.approved`, `hr.quote` and `hr.declined` hold the questions that reached that rung; `hr.all` all
of them. Nothing is left for the model where a quotation serves, so `hr.written` asks for some of
them that no quotation may answer: engines started anew, passages not read before.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing, nullcontext
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from edge_slm import paths
from edge_slm.answer import Answer, Source
from edge_slm.assistant import Assistant
from edge_slm.bench.measure import Runs, case_of, repeated
from edge_slm.bench.record import Case
from edge_slm.bench.tasks_runs import SUITE, Plan, model_of, started_anew, total
from edge_slm.engines.loaded import EMBEDDER, Engines
from edge_slm.engines.workers.pool import Pool
from edge_slm.evaluation.answers import AnswerScore, Question, evaluate
from edge_slm.evaluation.corpus import indexed
from edge_slm.evaluation.rows import read_rows, sampled
from edge_slm.kb import approvals
from edge_slm.kb.base import KnowledgeBase
from edge_slm.kb.export import export_base
from edge_slm.kb.ingest import find_files
from edge_slm.kb.rungs import ALL
from edge_slm.kb.search import Hit, hit_of

CONTACT = "direction des ressources humaines, poste 4210"
APPROVER = "edge-slm bench"
OFF_TOPIC = "Quelle est la capitale de la Mongolie ?"
RUNGS = ("approved", "quote", "declined")
WRITTEN = 5  # questions that a model has to answer
WRITTEN_ALONE = ALL - {"approved", "quote"}

QUICK_DOCUMENTS = ("conge-adoption", "conge-paternite", "conges-annuels", "titres-restaurant")
QUICK_UNANSWERABLE = 3
QUICK_WRITTEN = 1


class Approval(msgspec.Struct, frozen=True):
    """An approved answer: the question it is for, the document and words that it rests on."""

    approved: str
    answer: str
    document: str
    must_appear: tuple[str, ...]


def cases(plan: Plan) -> Iterator[Case]:
    """Yield the cases one after the other.

    Raises:
        MissingError: the embedder is not installed, or no chat model for the last case.
    """
    asked = questions(plan.quick)
    with TemporaryDirectory(prefix="edge-slm-bench-") as folder, closing(Pool()) as pool:
        path = Path(folder) / "handbook.db"
        engines = Engines(plan.model, pool)  # one embedder for all
        documents = make_base(path, plan.quick, engines=engines)
        yield from _ladder(plan, engines, path, asked, documents)
        yield _written(plan, engines, path, asked, documents)


def steps(plan: Plan) -> int:
    """Return how many questions are asked, for a progress bar."""
    asked = len(questions(plan.quick))
    written = QUICK_WRITTEN if plan.quick else WRITTEN
    # Once to see which rung each reaches; then rung by rung and all together, warm-up included.
    return asked * (1 + 2 * (1 + plan.repeats)) + written * plan.repeats


def questions(quick: bool) -> list[Question]:
    """Return the questions of the sample handbook and those that an approved answer is for.

    Args:
        quick: only those on a few documents, and some that none answers.
    """
    folder = paths.examples_dir() / "rh"
    rows = [
        row
        for name in ("approved.jsonl", "questions.jsonl")
        for row in read_rows(folder / name, Question)
    ]
    if not quick:
        return rows
    kept = [row for row in rows if row.source and Path(row.source).stem in QUICK_DOCUMENTS]
    return kept + [row for row in rows if not row.is_answerable][:QUICK_UNANSWERABLE]


def make_base(
    path: Path, quick: bool, approved: bool = True, engines: Engines | None = None
) -> int:
    """Write the sample handbook to a new file; return its documents.

    Args:
        path: file of the base, `NAME.db`.
        quick: a few of its documents only.
        approved: with its approved answers.
        engines: have the embedder; None for engines of its own, let go at the end.
    Raises:
        MissingError: the embedder is not installed.
    """
    folder = paths.examples_dir() / "rh"
    files = [file for file in find_files([folder]) if not quick or file.stem in QUICK_DOCUMENTS]
    with (
        closing(Engines()) if engines is None else nullcontext(engines) as own,
        indexed(files, own.embedder()) as base,
    ):
        export_base(base, path)
    with KnowledgeBase.open(path) as base:
        base.change(calibration=(folder / "calibration.json").read_text("utf-8"), contact=CONTACT)
        rows = read_rows(folder / "approved.jsonl", Approval) if approved else []
        for row in rows:
            if not quick or Path(row.document).stem in QUICK_DOCUMENTS:
                passage = _passage(base, row)
                approvals.approve(base, row.approved, row.answer, passage, APPROVER)
    return len(files)


def _passage(base: KnowledgeBase, row: Approval) -> int | None:
    """Return the id of the first passage of a document that holds the words of an answer."""
    found = base.connection.execute(
        "SELECT p.id FROM passages p JOIN documents d ON d.id = p.document "
        "WHERE d.name = ? AND instr(p.text, ?) ORDER BY p.id LIMIT 1",
        (row.document, row.must_appear[0]),
    ).fetchone()
    return int(found[0]) if found else None


def _ladder(
    plan: Plan, engines: Engines, path: Path, asked: Sequence[Question], documents: int
) -> Iterator[Case]:
    with Assistant(engines, [KnowledgeBase.open(path)]) as assistant:
        # Tables of words are read at the first question, engines loaded at the first that needs it.
        first = _ask_all(assistant, asked, plan)
        for rung in RUNGS:
            group = [row for row, answer in zip(asked, first, strict=True) if answer.kind == rung]
            if group:
                runs = _runs(assistant, group, plan)
                yield _case(f"hr.{rung}", runs, group, path, documents)
        yield _case("hr.all", _runs(assistant, asked, plan), asked, path, documents)


def _runs(assistant: Assistant, asked: Sequence[Question], plan: Plan) -> Runs[list[Answer]]:
    run = partial(_ask_all, assistant, asked, plan)
    return repeated(run, repeats=plan.repeats)


def _ask_all(assistant: Assistant, asked: Sequence[Question], plan: Plan) -> list[Answer]:
    answers = []
    for row in asked:
        answers.append(assistant.ask(row.question))
        plan.advance(1)
    return answers


def _written(
    plan: Plan, engines: Engines, path: Path, asked: Sequence[Question], documents: int
) -> Case:
    answerable = [row for row in asked if row.is_answerable]
    chosen = sampled(answerable, QUICK_WRITTEN if plan.quick else WRITTEN)
    (runs,) = started_anew(
        partial(_writer, engines, path),
        _load,
        [lambda assistant: _ask_all(assistant, chosen, plan)],
        plan.repeats,
    )
    return _case("hr.written", runs, chosen, path, documents)


def _writer(engines: Engines, path: Path) -> Assistant:
    engines.chat()[0].close()  # the next one starts with nothing read
    return Assistant(engines, [KnowledgeBase.open(path)], WRITTEN_ALONE)


def _load(assistant: Assistant) -> None:
    """Have the embedder and the chat model loaded, and no passage read."""
    assistant.ask(OFF_TOPIC)
    assistant.translate("Merci.", "fr", "en")


def _case(
    name: str,
    runs: Runs[list[Answer]],
    asked: Sequence[Question],
    path: Path,
    documents: int,
) -> Case:
    answers = runs.outcomes[0]
    score, correct = judged(asked, answers, path)
    return case_of(
        SUITE,
        name,
        runs,
        model=model_of(answers),
        usage=total(answers),
        answers=len(answers),
        correct=correct,
        quality=round(correct / len(answers), 4),
        quality_name="accuracy",
        more=_more(score, documents),
    )


def _more(score: AnswerScore, documents: int) -> dict[str, Any]:
    return {
        "documents": documents,
        "embedder": EMBEDDER,
        "kinds": score.by_kind,
        "citation_right": score.citation_right if set(score.by_kind) - {"declined"} else None,
        "unsupported_figures": score.unsupported_figures,
        "p50_ms": score.p50_ms,
        "p95_ms": score.p95_ms,
    }


def judged(
    asked: Sequence[Question], answers: Sequence[Answer], path: Path
) -> tuple[AnswerScore, int]:
    """Score answers by the rows they answer (evaluation/answers), and count the right ones.

    A question that the documents do not answer is answered rightly by a refusal.
    """
    given = {row.question: answer for row, answer in zip(asked, answers, strict=True)}
    with KnowledgeBase.open(path) as base:
        score, verdicts = evaluate(
            given.__getitem__, asked, lambda _: None, partial(_passage_of, base)
        )
    return score, sum(verdict.well for verdict in verdicts)


def _passage_of(base: KnowledgeBase, source: Source) -> Hit | None:
    return hit_of(base, int(source.passage.rpartition(":")[2]), 1.0)
