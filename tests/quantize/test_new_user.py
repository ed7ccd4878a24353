"""What met a new user of edge-slm quantize: ids, folders, words of the user's own, what is said."""

import json
import random
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge_slm.cards import MANIFEST_NAME, PathSource, all_cards
from edge_slm.cli import run
from edge_slm.errors import EdgeSlmError
from edge_slm.store import Store
from edge_slm_quantize import apart, workspace
from edge_slm_quantize.records import Artefact, Made, Measured, Order
from edge_slm_quantize.workspace import opened
from tests.quantize.orders import an_order
from tests.quantize.tiny import tiny_gguf

GATE = ("--tokens", "1024", "--gate", "kld<=50")
WORD = "zanzibar"


@pytest.fixture
def model(tmp_path: Path) -> str:
    return str(tiny_gguf(tmp_path / "tiny.gguf", hidden=256, heads=4))


def quantize(*arguments: str) -> int:
    return run(["quantize", *arguments])


def report(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "report.json").read_text())
    return found


def nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    def no(*_: object) -> None:
        raise AssertionError("something was made or measured")

    for name in ("make", "measure", "measure_source"):
        monkeypatch.setattr(apart, name, no)


@pytest.mark.parametrize("name", ["../x", "Bad Id", "", "a/b", ".x", "x" * 101, "é"])
def test_an_id_that_no_card_can_have_is_refused_before_anything_is_made(
    name: str,
    model: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    nothing_runs(monkeypatch)
    out = tmp_path / "deep" / "out"
    assert quantize(model, *GATE, "--recipes", "Q8_0", "--id", name, "-o", str(out)) == 2
    assert "--id" in capsys.readouterr().err and not out.parent.exists()


@pytest.mark.parametrize("option", ["--gate", "--recipes"])
def test_an_empty_option_is_refused_and_not_taken_for_the_default(
    option: str, model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing_runs(monkeypatch)
    assert quantize(model, option, "", "-o", str(tmp_path / "out")) == 2


def test_the_same_model_may_be_kept_under_two_ids(model: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = (model, *GATE, "--recipes", "Q8_0", "-o", str(out))
    assert quantize(*arguments, "--id", "zeta") == 0
    assert quantize(*arguments, "--id", "alpha") == 0
    assert quantize(*arguments, "--id", "zulu") == 0
    assert all(Store().installed(name) for name in ("alpha", "zeta", "zulu"))
    assert report(out)["card"] == "zulu"


def test_what_the_store_refuses_is_still_reported(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise EdgeSlmError("The disk is full.")

    monkeypatch.setattr(Store, "import_path", full)
    out = tmp_path / "out"
    assert quantize(model, *GATE, "--recipes", "Q8_0", "-o", str(out)) == 1
    assert report(out)["chosen"] == "Q8_0" and report(out)["card"] is None
    assert (out / "tiny-q8_0.gguf").is_file() and "tiny-q8_0" not in all_cards()


def folder_maker(order: Order, folder: Path) -> Made:
    inside = folder / "m"
    inside.mkdir()
    (inside / "model.onnx").write_bytes(b"onnx")
    (inside / MANIFEST_NAME).write_text("{}")
    artefact = Artefact(
        recipe=order.recipe, format="onnx", path="m", bytes=6, bits_per_weight=8.0, types={}
    )
    return Made(artefact=artefact, seconds=1.0, cpu_seconds=1.0, peak_bytes=10**8)


def test_a_folder_with_a_file_of_the_store_s_own_name_is_kept_without_it(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apart, "make", folder_maker)
    monkeypatch.setattr(apart, "measure", lambda *_: Measured(values={"kld": 0.1}))
    monkeypatch.setattr(apart, "measure_source", lambda *_: Measured(values={"kld": 0.0}))
    out = tmp_path / "out"
    assert quantize(model, *GATE, "--recipes", "onnx-int8", "-o", str(out)) == 0
    card = all_cards()["tiny-onnx-int8"]
    assert [file.name for file in card.files] == ["model.onnx"]
    assert Store().installed(card.id)
    assert [file.name for file in (out / card.id).iterdir()] == ["model.onnx"]


def test_words_of_the_user_are_in_the_report_only_when_asked_for(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = tmp_path / "own.md"
    letters = random.Random(0).choices("abcdefghijklm", k=40_000)
    others = ["".join(letters[at : at + 5]) for at in range(0, len(letters), 5)]
    lines = [f"{WORD} ".join(["", *others[at : at + 20]]) for at in range(0, len(others), 20)]
    text.write_text("\n\n".join(lines))
    out = tmp_path / "out"
    arguments = (model, *GATE, "--recipes", "Q4_0", "--text", str(text), "-o", str(out))
    assert quantize(*arguments, "--no-install") == 0
    names = ("report.json", "report.md", "report.html")
    pages = [(out / name).read_text() for name in names]
    # The tokens of the tiny model are letters: five in a row are a piece of the word.
    assert not [page for page in pages if "anziba" in page]
    assert '"flips"' not in pages[0]
    assert quantize(*arguments, "--no-install", "--quote") == 0
    for name in names:
        assert "anziba" in (out / name).read_text()


def test_what_some_matrices_cannot_take_is_to_be_known(tmp_path: Path) -> None:
    odd = str(tiny_gguf(tmp_path / "odd.gguf", hidden=96))
    out = tmp_path / "out"
    assert quantize(odd, *GATE, "--recipes", "Q8_0", "--no-install", "-o", str(out)) == 0
    assert any("multiple of 256" in note for note in report(out)["notes"])
    assert "multiple of 256" in (out / "report.html").read_text()


def test_the_original_s_size_is_told_and_can_be_asked_for(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    arguments = (model, "--tokens", "1024", "--recipes", "Q8_0", "--no-install", "-o", str(out))
    assert quantize(*arguments, "--gate", "size<=0.6*ref") == 0
    assert report(out)["reference"]["values"]["size"] == Path(model).stat().st_size
    assert "was not measured" not in capsys.readouterr().out
    assert quantize(*arguments, "--gate", "size<=0.5*ref") == 1


def test_the_plan_tells_the_gate_and_the_folder_and_the_end_where_the_model_is(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert quantize(model, "--dry-run", "-o", "out") == 0
    plan = capsys.readouterr().out
    assert "kld<=" in plan and str(tmp_path / "out") in plan
    assert quantize(model, "--dry-run", "--json", "-o", "out") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["gate"].startswith("kld<=") and found["out"] == str(tmp_path / "out")
    assert quantize(model, *GATE, "--recipes", "Q8_0", "--no-install", "-o", "out") == 0
    assert str(tmp_path / "out" / "tiny-q8_0.gguf") in capsys.readouterr().out


def test_french_has_its_own_signs(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EDGE_SLM_LANG", "fr")
    out = tmp_path / "out"
    assert quantize(model, *GATE, "--recipes", "Q4_0", "--no-install", "-o", str(out)) == 0
    written = capsys.readouterr()
    lines = [line for line in (written.out + written.err).splitlines() if "Q4_0" in line]
    assert not [line for line in lines if re.search(r"\w: ", line)]
    assert not re.search(r"\d\.\d %", (out / "report.md").read_text())


def test_recipes_that_were_not_tried_take_no_row_of_the_terminal(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert quantize(model, *GATE, "--no-install", "-o", str(tmp_path / "out")) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sum("Q8_0" in line for line in lines) == 1  # in the list of those not tried


def test_a_step_whose_parent_died_leaves_no_text_behind(tmp_path: Path) -> None:
    folder = tmp_path / "edge-slm-step-x"
    folder.mkdir()
    work = apart.Work(what="make", order=an_order(tmp_path), folder=str(tmp_path))
    (folder / "task.json").write_bytes(msgspec.json.encode(work))
    names = [str(folder / name) for name in ("task.json", "answer.json")]
    # The end of standard input is what a child sees when its parent is gone.
    code = subprocess.run(
        [sys.executable, "-P", "-m", "edge_slm_quantize.apart", *names],
        stdin=subprocess.DEVNULL,
        check=False,
        capture_output=True,
    ).returncode
    assert code != 0 and not folder.exists()


def test_what_a_full_disk_kept_from_being_measured_is_measured_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = Measured(values={"ram": 1.0}, absent={"kld": "No space left on device."})
    answers = iter([full, Measured(values={"ram": 1.0, "kld": 0.1})])
    order = an_order(tmp_path)
    with opened(tmp_path, "k") as space:
        monkeypatch.setattr(workspace, "free_disk", lambda _: 1000)
        assert "kld" not in space.measured("q8_0", order, lambda: next(answers)).values
        monkeypatch.setattr(workspace, "free_disk", lambda _: 10**12)
        for _ in range(2):
            assert space.measured("q8_0", order, lambda: next(answers)).values["kld"] == 0.1


def test_what_a_killed_job_of_another_model_left_half_made_is_removed_too(tmp_path: Path) -> None:
    half = tmp_path / "work" / "another" / "q8_0" / ".part-x"
    half.mkdir(parents=True)
    with opened(tmp_path, "k"):
        assert not half.exists()


def test_a_cluster_that_does_not_answer_is_told_before_anything_is_measured(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing_runs(monkeypatch)
    out = tmp_path / "out"
    arguments = (model, *GATE, "--recipes", "Q8_0", "-o", str(out))
    assert quantize(*arguments, "--engine", "ftp://x") == 2


def test_the_command_of_the_report_can_be_run_again(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    typed = ["quantize", model, *GATE, "--recipes", "Q8_0", "--no-install", "-o", str(out)]
    monkeypatch.setattr(sys, "argv", ["edge-slm", *typed])
    assert run(typed) == 0
    assert shlex.split(report(out)["command"]) == ["edge-slm", *typed]


def test_a_name_with_accents_keeps_its_letters(model: str, tmp_path: Path) -> None:
    accented = shutil.copy(model, tmp_path / "Modèle d'été (v2).gguf")
    out = tmp_path / "out"
    assert quantize(str(accented), *GATE, "--recipes", "Q8_0", "-o", str(out)) == 0
    card = all_cards()["modele-d-ete-v2-q8_0"]
    assert card.sources == (PathSource(path=str(out / "modele-d-ete-v2-q8_0.gguf")),)
