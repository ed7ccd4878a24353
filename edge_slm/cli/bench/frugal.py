"""edge-slm bench frugal: small specialised models and the ladder against one general model."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from edge_slm.cli.bench.common import AGAINST, AS_JSON, METER, OUT, QUICK, finish
from edge_slm.cli.evaluate.common import CORPORA, FILE, SAMPLE, indexed_path
from edge_slm.errors import UsageError
from edge_slm.i18n import decimal, t

if TYPE_CHECKING:
    from edge_slm.bench.frugal import Workload
    from edge_slm.bench.record import Case

QUICK_QUESTIONS = 6
QUICK_SEGMENTS = 2
CLOUD_B = (8.0, 70.0)  # 10**9 active weights of the cloud's model, least and most


@click.command(
    "frugal",
    help=t(
        "The ladder with two small models against one model that writes everything: the same "
        "questions and translations, accuracy, CPU-seconds and joules. The sample handbook by "
        "default; half an hour and more.",
        "L'échelle avec deux petits modèles contre un seul modèle qui rédige tout : mêmes "
        "questions et traductions, justesse, secondes de calcul et joules. Le guide d'exemple par "
        "défaut ; une demi-heure et plus.",
    ),
)
@click.option(
    "--questions",
    type=FILE,
    multiple=True,
    help=t("JSON lines of questions; with --corpus.", "Questions en JSON lines ; avec --corpus."),
)
@CORPORA
@SAMPLE
@QUICK
@METER
@OUT
@AGAINST
@AS_JSON
def command(
    questions: tuple[Path, ...],
    corpora: tuple[Path, ...],
    sample: int | None,
    quick: bool,
    out: Path | None,
    against: Path | None,
    as_json: bool,
) -> None:
    """Compare."""
    from edge_slm.bench.frugal import contenders, run
    from edge_slm.progress import progress

    if bool(questions) != bool(corpora):
        raise UsageError(
            t(
                "--questions and --corpus go together: give both, or neither.",
                "--questions et --corpus vont ensemble : donnez les deux, ou aucun.",
            )
        )
    chosen = contenders()
    cases: list[Case] = []
    with (
        _workload(questions, corpora, sample, quick) as work,
        progress(t("Comparing", "Comparaison"), work.steps * len(chosen)) as advance,
    ):
        for contender in chosen:
            cases += run(contender, work, advance)
    finish(cases, as_json=as_json, out=out, against=against)
    for sentence in (*_compared(cases), *_cloud(cases)):
        click.echo(sentence, err=as_json)


@contextmanager
def _workload(
    questions: Sequence[Path], corpora: Sequence[Path], sample: int | None, quick: bool
) -> "Iterator[Workload]":
    from edge_slm.bench.frugal import Workload
    from edge_slm.bench.tasks_hr import make_base
    from edge_slm.bench.tasks_translation import read_segments
    from edge_slm.engines.loaded import Engines
    from edge_slm.evaluation.answers import Question
    from edge_slm.evaluation.rows import read_rows, sampled
    from edge_slm.paths import examples_dir

    files = questions or [examples_dir() / "rh" / "questions.jsonl"]
    rows = [row for path in files for row in read_rows(path, Question)]
    asked = sampled(rows, QUICK_QUESTIONS if quick and sample is None else sample)
    segments = read_segments(examples_dir() / "translation" / "segments.tsv")
    if quick:
        segments = segments[:QUICK_SEGMENTS]
    if corpora:
        engines = Engines()  # closed before the contenders load theirs
        base = indexed_path(corpora, engines.embedder())
        engines.close()
        yield Workload(asked, base, segments)
        return
    with TemporaryDirectory(prefix="edge-slm-bench-") as folder:
        base = Path(folder) / "exemple.db"
        make_base(base, quick=False, approved=False)
        yield Workload(asked, base, segments)


def _compared(cases: "Sequence[Case]") -> Iterator[str]:
    """Yield a sentence for each general model: how the routed ladder compares, either way."""
    asked = [case for case in cases if case.case == "questions"]
    routed, *general = [case for case in asked if case.contender != "small-ladder"]
    for other in general:
        if not routed.correct or not other.correct:
            continue
        ours, theirs = routed.cpu_seconds / routed.correct, other.cpu_seconds / other.correct
        figures = {
            "other": other.contender,
            "a": routed.correct,
            "b": other.correct,
            "n": routed.answers,
            "ours": decimal(ours, 2),
            "theirs": decimal(theirs, 2),
            "times": decimal(max(ours, theirs) / min(ours, theirs), 1),
        }
        yield t(
            "Questions, the ladder against {other}: {a} right against {b} of {n}; {ours} against "
            "{theirs} CPU-seconds a right answer, ",
            "Questions, l'échelle face à {other} : {a} justes contre {b} sur {n} ; {ours} contre "
            "{theirs} secondes de calcul par réponse juste, ",
            **figures,
        ) + (
            t("{times} times fewer.", "{times} fois moins.", **figures)
            if ours < theirs
            else t("{times} times more.", "{times} fois plus.", **figures)
        )


def _cloud(cases: "Sequence[Case]") -> Iterator[str]:
    """Yield what a data centre would spend on writing as much as the largest general model."""
    from edge_slm.energy.cloud import cloud_range

    written = [case for case in cases if case.case == "questions" and case.tokens]
    if not written:
        return
    last = written[-1]
    assert last.tokens and last.answers
    found = cloud_range(last.tokens, CLOUD_B)
    yield t(
        "Not measured, and no rank: a data centre would spend {low} to {high} J on writing the "
        "{tokens} tokens of {name}, {each_low} to {each_high} J an answer. {assumptions}",
        "Pas mesuré, et hors classement : un centre de données dépenserait {low} à {high} J pour "
        "rédiger les {tokens} jetons de {name}, {each_low} à {each_high} J par réponse. "
        "{assumptions}",
        low=decimal(found.low_j, 0),
        high=decimal(found.high_j, 0),
        tokens=last.tokens,
        name=last.contender,
        each_low=decimal(found.low_j / last.answers, 1),
        each_high=decimal(found.high_j / last.answers, 1),
        assumptions=found.assumptions,
    )
