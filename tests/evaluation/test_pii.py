"""edge-slm eval pii: what is found, missed, masked for nothing, and leaked."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from edge_slm.cli.evaluate import command
from edge_slm.evaluation.pii import Labelled, LabelledText, evaluate
from edge_slm.evaluation.rows import read_rows
from edge_slm.privacy.mask import Entity, Masked

SHARED = Path(__file__).parents[3] / "shared/data/safety/pii_fr.jsonl"
TEXTS = (
    {"text": "Tél. 06 39 98 00 12", "entities": [{"start": 5, "end": 19, "label": "TEL"}]},
    {"text": "Rien à cacher.", "entities": [], "lang": "fr"},
    {"text": "Mon chat Gribouille", "entities": [{"start": 9, "end": 19, "label": "NOM"}]},
)


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "texts.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in TEXTS), "utf-8")
    return path


def _masking(*found: tuple[int, int, str]) -> Callable[[str], Masked]:
    """Return a masking that finds the same places in any text, and gives no text back."""

    def masking(text: str) -> Masked:
        return Masked("", tuple(Entity(*span, text[span[0] : span[1]]) for span in found), {})

    return masking


def test_exact_and_overlapping_spans_are_counted_apart() -> None:
    row = LabelledText("0123456789", (Labelled(0, 4, "NOM"), Labelled(6, 10, "TEL")))
    score, reviewed = evaluate([row], _masking((1, 4, "NOM"), (6, 10, "TEL"), (4, 5, "NOM")))
    assert (score.recall, score.precision) == (0.5, 0.3333)
    assert (score.overlap_recall, score.overlap_precision) == (1.0, 0.6667)
    assert score.leak_rate == 0.125  # the first character of eight
    assert (score.by_label["NOM"].recall, score.by_label["TEL"].recall) == (0.0, 1.0)
    assert reviewed[0].missed == (Labelled(0, 4, "NOM"),)
    assert reviewed[0].extra == (Labelled(1, 4, "NOM"), Labelled(4, 5, "NOM"))


def test_the_wrong_kind_is_a_miss_but_no_leak() -> None:
    row = LabelledText("0123456789", (Labelled(0, 4, "NOM"),))
    score, _ = evaluate([row], _masking((0, 4, "TEL")))
    assert (score.recall, score.precision, score.leak_rate) == (0.0, 0.0, 0.0)


def test_a_mask_in_a_clean_text_is_a_false_alarm() -> None:
    score, _ = evaluate([LabelledText("rien", ())], _masking((0, 4, "NOM")))
    assert (score.clean_texts, score.false_alarms, score.restored) == (1, 1, 0)


def test_the_command_prints_one_object_with_the_kinds(rows: Path) -> None:
    shown = CliRunner().invoke(command, ["pii", "--texts", str(rows), "--json"])
    score = json.loads(shown.stdout)
    assert (score["texts"], score["recall"], score["precision"]) == (3, 0.5, 1.0)
    assert score["by_label"]["TEL"]["recall"] == 1.0
    assert score["by_label"]["NOM"]["labelled"] == 1
    assert score["p95_ms"] >= score["p50_ms"]


def test_the_command_prints_a_line_a_kind_and_the_details(rows: Path, tmp_path: Path) -> None:
    details = tmp_path / "details.jsonl"
    arguments = ["pii", "--texts", str(rows), "--details", str(details)]
    shown = CliRunner().invoke(command, arguments)
    assert "  TEL: labelled 1, found 1, recall 1.0" in shown.stdout
    lines = [json.loads(line) for line in details.read_text("utf-8").splitlines()]
    assert lines[0]["masked"] == "Tél. [TEL_1]"
    assert lines[2]["missed"] == [{"start": 9, "end": 19, "label": "NOM"}]


def test_a_sample_is_taken(rows: Path) -> None:
    shown = CliRunner().invoke(command, ["pii", "--texts", str(rows), "--sample", "2", "--json"])
    assert json.loads(shown.stdout)["texts"] == 2


@pytest.mark.parametrize("content", [b"", b"\xff\x00", b'{"text": "sans entities"}', b"[" * 9999])
def test_a_bad_file_is_one_sentence(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_bytes(content)
    result = CliRunner().invoke(command, ["pii", "--texts", str(path)])
    assert result.exit_code != 0
    assert result.stdout == ""


@pytest.mark.skipif(not SHARED.exists(), reason="the shared data is absent")
def test_most_of_the_shared_texts_are_masked_to_the_character() -> None:
    score, _ = evaluate(read_rows(SHARED, LabelledText))
    assert score.recall >= 0.97
    assert score.precision >= 0.97
    assert score.false_alarms == 0
    assert score.restored == score.texts
