"""edge-slm bench runtime: its options, its parts, and the short run on real models."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from edge_slm.bench.record import Case
from edge_slm.bench.results import read_cases
from edge_slm.bench.runtime import parts, peer, quick
from edge_slm.bench.runtime.parts import PARTS, Plan
from edge_slm.cli import bench
from edge_slm.cli.bench import runtime
from edge_slm.errors import MissingError, UsageError


def test_the_command_knows_all_parts() -> None:
    assert tuple(PARTS) == runtime.PARTS


@pytest.mark.parametrize(
    "words",
    [
        ("commands", "--quick"),
        ("commands", "--part", "lookup"),
        ("runtime", "--quick", "--part", "lookup"),
        ("runtime", "--quick", "--no-peer"),
    ],
)
def test_options_that_go_with_nothing_are_refused(words: tuple[str, ...]) -> None:
    result = CliRunner().invoke(bench.command, words)
    assert isinstance(result.exception, UsageError) or result.exit_code == 2


@pytest.mark.parametrize("words", [("--part", "nothing"), ("--cancels", "0"), ("--switches", "x")])
def test_bad_values_are_refused(words: tuple[str, ...]) -> None:
    assert CliRunner().invoke(bench.command, ["runtime", *words]).exit_code == 2


def test_the_short_run_alone_is_one_flat_object(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick, "quick", lambda model, advance: {"model": model, "failed": 0})
    result = CliRunner().invoke(bench.command, ["runtime", "--quick", "--json", "--model", "m"])
    row = msgspec.json.decode(result.stdout)
    assert (row["model"], row["failed"]) == ("m", 0)
    assert row["machine"]


def test_parts_run_in_their_order_as_planned(monkeypatch: pytest.MonkeyPatch) -> None:
    plans: list[Plan] = []

    def part(plan: Plan) -> dict[str, Any]:
        plans.append(plan)
        return {f"part_{len(plans)}": 1}

    monkeypatch.setattr(parts, "PARTS", dict.fromkeys(PARTS, part))
    words = ["--part", "cancels", "--part", "lookup", "--no-peer", "--cancels", "7"]
    result = CliRunner().invoke(bench.command, ["runtime", *words])
    assert plans == [Plan(None, 5, False, 1000, 7)] * 2
    lines = result.stdout.splitlines()
    assert lines[:2] == ["runtime.part_1: 1", "runtime.part_2: 1"]


def test_parts_are_kept_as_results_and_compared(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(parts, "PARTS", {"lookup": lambda _: {"lookup_ratio": 2.0}})
    words = ["runtime", "--part", "lookup", "--no-peer", "-o", str(tmp_path / "r")]
    assert CliRunner().invoke(bench.command, words).exit_code == 0
    (case,) = read_cases(tmp_path / "r")
    assert case.more == {"lookup_ratio": 2.0}
    again = [*words[:4], "--against", str(tmp_path / "r"), "--json"]
    result = CliRunner().invoke(bench.command, again)
    assert msgspec.json.decode(result.stdout)["lookup_ratio"] == 2.0
    assert "lookup" in result.stderr


def test_a_part_without_its_model_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def lacks(_: Plan) -> dict[str, Any]:
        raise MissingError("no such model")

    rows = {"lookup": lambda _: {"lookup_identical": True}, "switches": lacks}
    monkeypatch.setattr(parts, "PARTS", rows)
    said, shown = list[str](), list[tuple[dict[str, Any], Case]]()
    whole = parts.run(list(rows), Plan(peer=False), lambda *done: shown.append(done), said.append)
    assert said == ["switches: no such model"]
    ((row, case),) = shown
    assert row == {"lookup_identical": True}
    assert (case.suite, case.case, case.more) == ("runtime", "lookup", row)
    assert case.joules_method == "estimate"
    assert whole["identical"] is True


@pytest.mark.parametrize(("ours", "same"), [(True, True), (False, False)])
def test_tokens_are_identical_where_ours_are(
    monkeypatch: pytest.MonkeyPatch, ours: bool, same: bool
) -> None:
    row = {"a_identical": True, "b_identical": ours, "a_peer_identical": False}
    monkeypatch.setattr(parts, "PARTS", {"lookup": lambda _: row})
    monkeypatch.setattr(peer, "find", lambda: None)
    said: list[str] = []
    whole = parts.run(["lookup"], Plan(), lambda *_: None, said.append)
    assert whole["identical"] is same
    assert said == [peer.absent()]


def test_without_models_nothing_is_measured() -> None:
    with pytest.raises(MissingError, match="models pull"):
        quick.quick()


def test_a_model_that_is_not_there_is_an_error() -> None:
    with pytest.raises(UsageError):
        quick.quick("nothing-of-the-kind")


@pytest.mark.model
def test_the_short_run_keeps_its_promises() -> None:
    command = [sys.executable, "-m", "edge_slm", "bench", "runtime", "--quick", "--json"]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    row = msgspec.json.decode(done.stdout)
    assert row["identical"] is True
    assert row["failed"] == 0, row["failures"]
    assert row["switches"] == quick.SWITCHES
    assert row["models_bytes"] > row["budget_bytes"]
    assert 0 < row["peak_bytes"] <= row["budget_bytes"] * 1.02
    assert row["first_token_ratio"] > 1
    assert row["first_token_restored_cached_tokens"] >= quick.PASSAGE_TOKENS
    assert row["first_token_restarted_cached_tokens"] >= quick.PASSAGE_TOKENS
    assert row["first_token_cold_cached_tokens"] == 0
    assert row["lookup_ratio"] > 0
    assert row["lookup_reply_tokens"] >= 60
