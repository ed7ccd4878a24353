"""edge-slm quantize from end to end, on models small enough to be made in the test."""

import json
from pathlib import Path
from typing import Any

import pytest

from edge_slm import paths
from edge_slm.cards import all_cards
from edge_slm.cli import run
from edge_slm.errors import EdgeSlmError
from edge_slm.files import sha256_of
from edge_slm.store import Store
from edge_slm_quantize import apart, running
from edge_slm_quantize.records import Made, Order
from tests.quantize.tiny import tiny_gguf

QUICK = ("--tokens", "1024", "--for", "this-machine")


@pytest.fixture
def model(tmp_path: Path) -> str:
    return str(tiny_gguf(tmp_path / "tiny.gguf", hidden=256, heads=4))


def quantize(*arguments: str) -> int:
    return run(["quantize", *arguments])


def report(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "report.json").read_text())
    return found


def test_the_smallest_that_passes_is_kept_installed_and_reported(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    gate = "kld<=5 and top1_agreement>=0 and size<=1GB"
    code = quantize(
        model, *QUICK, "--recipes", "Q8_0,Q4_0", "--gate", gate, "-o", str(out), "--json"
    )
    found = json.loads(capsys.readouterr().out)
    assert code == 0
    assert found["chosen"] == "Q4_0" and found["gate"] == gate
    rows = {row["recipe"]: row for row in found["recipes"]}
    assert set(rows) == {"Q8_0", "Q4_0"}
    for row in rows.values():
        assert row["passed"] is True
        assert all(row[key] > 0 for key in ("bytes", "bits_per_weight", "tokens_per_second"))
        assert 0 <= row["kld"] < 5 and 0 <= row["top1_agreement"] <= 1
    assert rows["Q4_0"]["kld"] > rows["Q8_0"]["kld"]
    # The model: in the folder, in the store, in the catalogue, and all are the same.
    made = out / "tiny-q4_0.gguf"
    card = all_cards()["tiny-q4_0"]
    assert Store().installed(card.id) and Store().path(card.id).read_bytes() == made.read_bytes()
    assert card.quantisation == "Q4_0" and found["card"] == card.id
    assert not list(out.glob("*q8_0*")) and not list(out.rglob("files"))
    assert report(out)["chosen"] == "Q4_0"
    assert "<html" in (out / "report.html").read_text() and (out / "report.md").stat().st_size


def test_when_nothing_passes_the_exit_code_is_1_and_the_nearest_miss_is_told(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    gate = "size<=1kB"
    code = quantize(model, *QUICK, "--recipes", "Q8_0,Q4_0", "--gate", gate, "-o", str(out))
    said = capsys.readouterr().out
    assert code == 1
    assert "No recipe passes" in said and "Q4_0 misses" in said
    assert not all_cards().keys() & {"tiny-q4_0", "tiny-q8_0"}
    assert not list(out.glob("*.gguf")) and report(out)["chosen"] is None


def test_without_named_recipes_the_search_stops_at_the_smallest_that_passes(
    model: str, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert quantize(model, *QUICK, "--gate", "kld<=50", "-o", str(out), "--no-install") == 0
    rows = report(out)["recipes"]
    tried = [row for row in rows if row["bytes"]]
    assert len(tried) == 1 and tried[0]["recipe"] == report(out)["chosen"]
    assert all("smaller" in row["dropped"] for row in rows if not row["bytes"])
    assert not [name for name in all_cards() if name.startswith("tiny")]


def test_a_job_that_was_stopped_goes_on(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    whole = apart.make
    made: list[str] = []

    def make(order: Order, folder: Path) -> Made:
        if order.recipe == "Q4_0" and len(made) == 1:
            (folder / "half.gguf").write_bytes(b"GGUF")
            made.append("interrupted")
            raise KeyboardInterrupt
        made.append(order.recipe)
        return whole(order, folder)

    monkeypatch.setattr(apart, "make", make)
    arguments = (model, *QUICK, "--recipes", "Q8_0,Q4_0", "--gate", "kld<=50", "-o", str(out))
    assert quantize(*arguments) == 130
    assert not list(out.rglob("half.gguf")) and not (out / "report.json").exists()
    assert not [name for name in all_cards() if name.startswith("tiny")]
    assert quantize(*arguments) == 0
    assert made == ["Q8_0", "interrupted", "Q4_0"]


def test_another_gate_measures_nothing_again(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    arguments = (model, *QUICK, "--recipes", "Q8_0", "-o", str(out), "--no-install")
    assert quantize(*arguments, "--gate", "size<=1kB") == 1

    def no(*_: object) -> None:
        raise AssertionError("measured again")

    monkeypatch.setattr(apart, "measure", no)
    monkeypatch.setattr(apart, "measure_source", no)
    assert quantize(*arguments, "--gate", "size<=1GB") == 0


def test_a_budget_that_ends_keeps_what_is_done(model: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = (model, *QUICK, "--recipes", "Q8_0,Q4_0", "--gate", "kld<=50", "-o", str(out))
    assert quantize(*arguments, "--budget", "1s", "--no-install") == 0
    found = report(out)
    assert found["chosen"] == "Q8_0" and "budget" in found["stopped"]
    assert quantize(*arguments, "--no-install") == 0
    assert report(out)["chosen"] == "Q4_0" and report(out)["stopped"] is None


def test_a_recipe_that_fails_leaves_the_others(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    whole = apart.make

    def make(order: Order, folder: Path) -> Made:
        if order.recipe == "Q4_0":
            raise EdgeSlmError("It cannot be made.")
        return whole(order, folder)

    monkeypatch.setattr(apart, "make", make)
    gate = ("--gate", "kld<=50", "--no-install", "-o", str(out))
    assert quantize(model, *QUICK, "--recipes", "Q4_0,Q8_0", *gate) == 0
    assert report(out)["chosen"] == "Q8_0"
    assert report(out)["recipes"][0]["error"] == "It cannot be made."
    assert quantize(model, *QUICK, "--recipes", "Q4_0", *gate) == 1


def test_a_plan_alone_makes_nothing(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert quantize(model, "--dry-run", "-o", str(out)) == 0
    assert "Plan for this-machine" in capsys.readouterr().out
    assert not out.exists()
    assert quantize(model, "--dry-run", "--json") == 0
    assert json.loads(capsys.readouterr().out)["steps"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "MODEL is missing"),
        (["gone.gguf"], 3, "does not exist"),
        (["{model}", "--for", "toaster"], 2, "no target"),
        (["{model}", "--recipes", "Q9"], 2, "no recipe"),
        (["{model}", "--gate", "beauty>1"], 2, "beauty"),
        (["{model}", "--gate", "1<2"], 2, ""),
        (["{model}", "--budget", "soon"], 2, "length of time"),
        (["{model}", "--budget", "0s"], 2, "length of time"),
        (["{model}", "--text", "{empty}"], 2, ""),
        (["{model}", "--id", "whisper-base"], 2, "already called"),
        (["{model}", "--for", "rk3588-npu"], 2, "rk3588-npu"),
        (["{model}", "--engine", "ftp://x"], 2, "address"),
        (["{empty}"], 2, ""),
        (["{cut}"], 4, ""),
    ],
)
def test_bad_input_is_one_sentence_and_leaves_nothing(
    arguments: list[str],
    code: int,
    said: str,
    model: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "cut.gguf").write_bytes(Path(model).read_bytes()[:5000])
    names = {"model": model, "empty": tmp_path / "empty.txt", "cut": tmp_path / "cut.gguf"}
    out = tmp_path / "out"
    filled = [one.format(**names) for one in arguments]
    assert quantize(*filled, "-o", str(out)) == code
    written = capsys.readouterr()
    assert said in written.err and "Traceback" not in written.err
    assert written.out == "" and not list(out.glob("*.gguf")) and not (out / "report.json").exists()


def test_a_disk_too_small_is_refused_before_anything_is_made(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(running, "needed", lambda _: 10**18)
    out = tmp_path / "out"
    assert quantize(model, *QUICK, "--recipes", "Q8_0", "-o", str(out)) == 1
    assert "-o" in capsys.readouterr().err
    assert not out.exists()


def test_a_store_that_cannot_take_it_leaves_the_catalogue_as_it_was(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise EdgeSlmError("The disk is full.")

    monkeypatch.setattr(Store, "import_path", full)
    out = tmp_path / "out"
    arguments = (model, *QUICK, "--recipes", "Q8_0", "--gate", "kld<=50", "-o", str(out))
    assert quantize(*arguments) == 1
    assert not list(paths.user_cards_dir().glob("*")) and "tiny-q8_0" not in all_cards()


@pytest.mark.parametrize("listing", ["targets", "recipes", "metrics"])
def test_what_there_is_can_be_listed(listing: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert quantize("--list", listing) == 0
    table = capsys.readouterr().out
    assert quantize("--list", listing, "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert len(rows) > 5 and all(next(iter(row.values())) in table for row in rows)


def test_a_model_that_came_out_larger_is_said_to_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    model = str(tiny_gguf(tmp_path / "tiny.gguf", hidden=256, heads=4))
    gate = ("--gate", "kld<=50", "--no-install")
    assert quantize(model, *QUICK, "--recipes", "Q4_0", *gate, "-o", str(first)) == 0
    assert "larger than the original" not in capsys.readouterr().out
    small = str(first / "tiny-q4_0.gguf")
    assert quantize(small, *QUICK, "--recipes", "Q8_0", *gate, "-o", str(second)) == 0
    assert "larger than the original" in capsys.readouterr().out
    made = report(second)["recipes"][0]
    assert made["sha256"] == sha256_of(second / "tiny-q8_0.gguf")
