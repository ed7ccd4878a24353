"""The leaderboard: what a row says, who is ranked with whom, and the files."""

import csv
import io
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as some

from edge_slm.bench.leaderboard import Row, merged, rows_of
from edge_slm.bench.leaderboard_files import as_csv, as_json, as_markdown, read, write
from edge_slm.bench.record import Case
from edge_slm.cli.bench.leaderboard import command
from edge_slm.errors import EdgeSlmError, UsageError
from tests.bench.cases import CASE, MACHINE, a_case, cases

GUESS = {"joules_method": "estimate", "joules_scope": "cpu"}
ABSENT = {"joules": None, "joules_low": None, "joules_high": None} | dict.fromkeys(
    ("joules_method", "joules_scope")
)


def on(machine: str, **changes: Any) -> Case:
    return a_case(machine=msgspec.structs.replace(MACHINE, id=machine), **changes)


def board(*results: Case) -> list[Row]:
    return merged(rows_of(results))


def test_a_row_says_what_a_right_answer_costs() -> None:
    (row,) = board(CASE, a_case(case="hr.other", correct=2, first_token_s=0.5))
    assert row.cases == ("hr", "hr.other")
    assert (row.answers, row.correct) == (20, 10)
    assert row.joules_per_answer == 2.0
    assert (row.joules_per_correct, row.joules_per_correct_low) == (4.0, 3.6)
    assert row.wh_per_1000_answers == pytest.approx(2000 / 3600)
    assert row.cpu_seconds_per_correct == pytest.approx(0.6)
    assert (row.joules_per_token, row.tokens_per_s_per_watt) == (0.5, 2.0)
    assert (row.first_token_s, row.peak_bytes) == (0.5, 1_000_000)
    assert (row.method, row.scope, row.table, row.rank) == ("rapl", "package", "measured", 1)


def test_the_speed_of_several_cases_is_all_their_tokens_over_all_their_time() -> None:
    (row,) = board(
        a_case(tokens=100, tokens_per_s=10.0), a_case(case="hr.b", tokens=100, tokens_per_s=30.0)
    )
    assert row.tokens_per_s == pytest.approx(15.0)


def test_a_figure_that_nobody_gave_is_none_and_nothing_is_divided_by_zero() -> None:
    (row,) = board(a_case(answers=5, correct=0, tokens=0, quality=None))
    assert (row.joules_per_correct, row.cpu_seconds_per_correct, row.rank) == (None, None, None)
    assert (row.joules_per_token, row.tokens_per_s_per_watt, row.quality) == (None, None, None)
    assert row.joules_per_answer == 4.0


def test_a_hostile_figure_is_no_infinite_one() -> None:
    (row,) = board(
        a_case(tokens_per_s=5e-324, joules=1e308, joules_high=1e308, answers=1, correct=1)
    )
    assert "inf" not in as_markdown([row]) and "nan" not in as_csv([row])


def test_answers_that_a_whole_holds_are_not_counted_again() -> None:
    names = ("hr.quote", "hr.declined", "hr.all")
    (row,) = board(*(a_case(case=name) for name in names))
    assert row.cases == ("hr.all",)
    assert (row.task, row.answers, row.joules_per_answer) == ("hr.all", 10, 2.0)


def test_each_task_of_a_suite_has_its_own_row() -> None:
    rows = board(
        a_case(case="hr.all"), a_case(case="speech.one", correct=None), a_case(case="both")
    )
    assert sorted(row.task for row in rows) == ["both", "hr.all", "speech.one"]
    (spoken,) = [row for row in rows if row.task == "speech.one"]
    assert (spoken.answers, spoken.correct, spoken.joules_per_correct) == (10, None, None)
    assert "tasks speech.one" in as_markdown(rows)


def test_qualities_of_two_kinds_make_no_mean() -> None:
    (row,) = board(CASE, a_case(case="hr.b", quality=60.0, quality_name="chrf"))
    assert (row.quality, row.quality_name) == (None, None)
    (row,) = board(CASE, a_case(case="hr.b", quality=0.5, answers=30))
    assert row.quality == pytest.approx(0.575)


def test_the_least_joules_per_correct_answer_come_first_and_equals_share_a_rank() -> None:
    rows = board(on("b", joules=30.0), on("a", joules=10.0), on("c", joules=30.0))
    assert [(row.machine, row.rank) for row in rows] == [("a", 1), ("b", 2), ("c", 2)]


@pytest.mark.parametrize(
    "other",
    [
        {"joules_scope": "wall"},
        {"suite": "runtime"},
        {"case": "another"},
        {"answers": 9},
        GUESS,
        ABSENT,
    ],
)
def test_what_is_not_comparable_is_not_ranked_together(other: dict[str, Any]) -> None:
    rows = board(on("a", joules=50.0), on("b", **{"joules": 1.0, **other}))
    assert {row.machine: row.rank for row in rows}["a"] == 1


def test_estimates_are_ordered_by_cpu_seconds_within_one_machine_only() -> None:
    rows = board(
        on("a", contender="slow", cpu_seconds=9.0, joules=1.0, **_without(GUESS)),
        on("a", contender="fast", cpu_seconds=2.0, joules=99.0, **_without(GUESS)),
        on("b", contender="else", cpu_seconds=5.0, **_without(GUESS)),
    )
    assert [(r.machine, r.contender, r.rank) for r in rows] == [
        *(("a", "fast", 1), ("a", "slow", 2), ("b", "else", 1))
    ]
    assert {row.table for row in rows} == {"estimated"}


def _without(changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in changes.items() if name != "joules"}


def test_rows_without_energy_are_listed_last_and_not_ranked() -> None:
    rows = board(on("a", **ABSENT), on("b", **GUESS), on("c"))
    assert [(row.table, row.rank) for row in rows] == [
        ("measured", 1),
        ("estimated", 1),
        ("none", None),
    ]


@given(some.lists(cases, max_size=4))
def test_no_estimate_is_ranked_with_a_measurement(results: list[Case]) -> None:
    rows = board(*results)
    for row in rows:
        assert (row.table == "estimated") == (row.method == "estimate")
        assert row.table != "none" or row.rank is None
    order = [("measured", "estimated", "none").index(row.table) for row in rows]
    assert order == sorted(order)
    for text in (as_csv(rows), as_markdown(rows)):
        assert text
    assert merged(rows) == rows


def test_of_two_rows_of_one_kind_the_newest_stays_whatever_the_order() -> None:
    old, new = board(CASE), board(a_case(date="2027-01-01T00:00:00+00:00", joules=8.0))
    for rows in (merged(old, new), merged(new, old)):
        assert [row.joules_per_correct for row in rows] == [1.0]


def test_a_part_of_a_suite_does_not_take_the_place_of_the_whole() -> None:
    whole = board(CASE, a_case(case="hr.b"))
    part = board(a_case(date="2027-01-01T00:00:00+00:00"))
    assert len(merged(whole, part)) == 2


def test_a_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    rows = board(CASE, on("b", **GUESS), on("c", **ABSENT))
    write(rows, tmp_path / "board.json")
    assert read(tmp_path / "board.json") == rows


def test_the_csv_has_a_row_each_and_runs_no_formula() -> None:
    rows = board(a_case(model="=1+1"))
    (row,) = csv.DictReader(io.StringIO(as_csv(rows)))
    assert row["model"] == "'=1+1"
    assert (row["cases"], row["joules_per_correct"], row["method"]) == ("hr", "2.5", "rapl")


def test_the_markdown_keeps_estimates_in_a_table_of_their_own() -> None:
    text = as_markdown(board(on("a"), on("b", **GUESS), on("c", **ABSENT)))
    measured, estimated, none = text.split("## ")[1:]
    assert "Measured" in measured and "rapl, package" in measured and "≈" not in measured
    assert "Estimated" in estimated and "≈ 2.50" in estimated and "estimate, cpu" in estimated
    assert "Not ranked" in none


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b'{"format":"other","rows":[]}',
        b"\xff\x00",
        b'{"rows":' * 100_000,
        as_json(board(CASE))[:-30].encode(),
        b'{"format":"edge-slm-leaderboard-1","rows":[{}]}',
    ],
)
def test_a_foreign_leaderboard_is_refused_and_stays(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "board.json"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="is no leaderboard"):
        read(path)
    assert path.read_bytes() == content


def test_another_suffix_or_a_folder_in_the_way_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"not to board\.xlsx"):
        write([], tmp_path / "board.xlsx")
    (tmp_path / "board.json").mkdir()
    with pytest.raises(EdgeSlmError, match="cannot be written"):
        write([], tmp_path / "board.json")


@pytest.fixture
def result(tmp_path: Path) -> Path:
    path = tmp_path / "results.jsonl"
    path.write_bytes(msgspec.json.encode(CASE) + b"\n")
    return path


def test_the_command_shows_tables_or_json(result: Path) -> None:
    shown = CliRunner().invoke(command, [str(result)], catch_exceptions=False)
    assert shown.output.startswith("Measured. Ranked by joules per correct answer")
    shown = CliRunner().invoke(command, [str(result.parent), "--json"], catch_exceptions=False)
    assert msgspec.json.decode(shown.stdout)["rows"][0]["joules_per_correct"] == 2.5


def test_the_command_extends_a_file(result: Path, tmp_path: Path) -> None:
    out = tmp_path / "board.json"
    assert CliRunner().invoke(command, [str(result), "-o", str(out), "--add"]).exit_code == 0
    result.write_bytes(msgspec.json.encode(on("second", joules=4.0)))
    assert CliRunner().invoke(command, [str(result), "-o", str(out), "--add"]).exit_code == 0
    assert [(row.machine, row.rank) for row in read(out)] == [("second", 1), ("abc123", 2)]
    assert CliRunner().invoke(command, [str(result), "-o", str(out)]).exit_code == 0
    assert len(read(out)) == 1


@pytest.mark.parametrize("out", [[], ["-o", "board.md"]])
def test_only_json_can_be_extended(result: Path, out: list[str]) -> None:
    failed = CliRunner().invoke(command, [str(result), "--add", *out])
    assert isinstance(failed.exception, UsageError)
    assert not Path("board.md").exists()
