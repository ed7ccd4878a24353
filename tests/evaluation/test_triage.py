"""`eval triage`: its figures, worked out by hand on four mails."""

from pathlib import Path

import pytest

from edge_slm.errors import UsageError
from edge_slm.evaluation.triage import Row, evaluate
from edge_slm.tasks.triage.classify import Classifier
from edge_slm.tasks.triage.labels import Label, Labels
from tests.fakes import FakeEmbedder

PAY = Label("Paie", "salaire bulletin prime traitement", "Paie", required=("mois",))
LEAVE = Label("Congés", "vacances repos semaine absence", "Temps")
LABELS = Labels((PAY, LEAVE), 0.6)
ROWS = [
    Row(("Paie",), "sure", text="Mon bulletin de salaire est sans prime.", service="Paie",
        urgency="normal", missing=("mois",), to_human=False),
    Row(("Congés",), "wrong", text="Le bulletin de mon salaire, sans prime.", service="Temps",
        urgency="high", missing=(), to_human=False),
    Row((), "none", text="Vente flash, cliquez ici.", urgency="low", to_human=True),
    Row(("Congés",), "danger", text="Une semaine de vacances et de repos, ou j'en finis : "
        "j'ai envie d'en finir.", to_human=True),
]  # fmt: skip


def made() -> Classifier:
    return Classifier(LABELS.labels, FakeEmbedder())


def test_the_figures_are_those_worked_out_by_hand(tmp_path: Path) -> None:
    ticks = iter((1.0, 3.0))
    score, details = evaluate(ROWS, tmp_path, LABELS, made(), lambda: next(ticks))
    assert [one.labels for one in details] == [("Paie",), ("Paie",), (), ("Congés",)]
    assert (score.mails, score.accuracy) == (4, 0.75)
    assert score.first_label == pytest.approx(0.6667)
    assert (score.service_accuracy, score.service_automatic) == (0.5, 0.5)
    assert (score.coverage, score.accuracy_automatic) == (0.5, 0.5)
    assert (score.human_recall, score.human_precision) == (1.0, 1.0)
    assert score.urgency_accuracy == pytest.approx(0.6667)
    assert (score.missing_precision, score.missing_recall) == (0.5, 1.0)
    assert score.missing_f1 == pytest.approx(0.6667)
    assert score.cpu_seconds == 0.5
    assert score.confusion == {"Congés > Paie": 1}
    assert score.by_label["Congés"] == {"expected": 2, "given": 1, "right": 1}


def test_the_curve_falls_in_coverage(tmp_path: Path) -> None:
    score, _ = evaluate(ROWS, tmp_path, LABELS, made(), lambda: 0.0)
    coverages = [point.coverage for point in score.curve]
    assert coverages == sorted(coverages, reverse=True)
    assert coverages[0] == 0.5  # the rules send the other two to a person at any threshold
    assert [score.curve[0].threshold, score.curve[-1].threshold] == [0.0, 1.0]


def test_another_way_of_choosing_labels_is_scored_the_same(tmp_path: Path) -> None:
    score, _ = evaluate(ROWS, tmp_path, LABELS, made(), lambda: 0.0, lambda *_: [LEAVE])
    assert score.first_label == pytest.approx(0.6667)


def test_what_no_row_tells_is_null(tmp_path: Path) -> None:
    bare = [Row(("Paie",), text="Mon bulletin de salaire est sans prime.")]
    score, _ = evaluate(bare, tmp_path, LABELS, made(), lambda: 0.0)
    told = (score.service_accuracy, score.urgency_accuracy, score.missing_f1, score.human_recall)
    assert told == (None, None, None, None)


def test_mails_are_files_beside_the_rows(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_text("Subject: Ma prime\n\nMon bulletin de salaire.")
    score, _ = evaluate([Row(("Paie",), mail="a.eml")], tmp_path, LABELS, made(), lambda: 0.0)
    assert score.first_label == 1.0


@pytest.mark.parametrize(
    "row",
    [
        Row(("Autre",), text="x"),
        Row(()),
        Row((), mail="a.eml", text="x"),
        Row((), mail="absent.eml"),
        Row((), text=""),
    ],
)
def test_a_row_that_cannot_be_scored_is_refused(row: Row, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        evaluate([row], tmp_path, LABELS, made(), lambda: 0.0)
