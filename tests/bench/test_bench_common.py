"""What the suites share on the command line."""

import os
from pathlib import Path

import click
import msgspec
import pytest
from click.testing import CliRunner

from edge_slm.bench.results import read_cases
from edge_slm.cli.bench.common import AGAINST, AS_JSON, METER, OUT, QUICK, REPEAT, finish
from edge_slm.errors import UsageError
from tests.bench.cases import a_case

NOTED = a_case(conditions=msgspec.structs.replace(a_case().conditions, note="on battery"))
KEYS = {
    *("suite", "case", "seconds", "cpu_seconds", "peak_bytes", "tokens", "joules"),
    *("joules_method", "machine", "versions"),
}


@click.command()
@QUICK
@REPEAT
@METER
@OUT
@AGAINST
@AS_JSON
def suite(
    quick: bool, repeat: int | None, out: Path | None, against: Path | None, as_json: bool
) -> None:
    finish([NOTED, a_case(case="b")], as_json=as_json, out=out, against=against)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "old.jsonl"
    path.write_bytes(msgspec.json.encode(a_case(seconds=4.0)))
    return path


def test_json_is_one_object_a_line_and_nothing_else(old: Path) -> None:
    done = CliRunner().invoke(suite, ["--json", "--against", str(old)], catch_exceptions=False)
    rows = [msgspec.json.decode(line) for line in done.stdout.splitlines()]
    assert [row["suite"] for row in rows[:2]] == ["tasks", "tasks"]
    assert all(row.keys() >= KEYS for row in rows[:2])
    assert {row["suite"] for row in rows[2:]} == {"against"}
    assert rows[2]["figure"] == "seconds" and rows[2]["ratio"] == 0.5
    assert "hr: on battery." in done.stderr
    assert "1 cases are in one of the results only" in done.stderr


def test_lines_of_json_can_be_compared_with_later(old: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(suite, ["--json", "--against", str(old)])
    path = tmp_path / "saved.jsonl"
    path.write_text(done.stdout)
    assert read_cases(path) == [NOTED, a_case(case="b")]


def test_a_table_and_the_ratios_are_for_people(old: Path) -> None:
    done = CliRunner().invoke(suite, ["--against", str(old)], catch_exceptions=False)
    assert "2.00 (1.90–2.10)" in done.stdout
    assert "× 0.500" in done.stdout
    assert "rapl, package" in done.stdout


def test_the_files_are_written(tmp_path: Path) -> None:
    done = CliRunner().invoke(suite, ["-o", str(tmp_path / "new")], catch_exceptions=False)
    assert len(read_cases(tmp_path / "new")) == 2
    assert "results.csv" in done.stderr


def test_results_that_cannot_be_read_are_refused_before_anything_is_measured(
    tmp_path: Path,
) -> None:
    done = CliRunner().invoke(suite, ["--against", str(tmp_path / "absent")])
    assert isinstance(done.exception, UsageError)
    assert done.stdout == ""


def test_a_meter_is_named_for_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_SLM_METER", "before")
    CliRunner().invoke(suite, [], catch_exceptions=False)
    assert os.environ["EDGE_SLM_METER"] == "before"
    CliRunner().invoke(suite, ["--meter", "none"], catch_exceptions=False)
    assert os.environ["EDGE_SLM_METER"] == "none"
