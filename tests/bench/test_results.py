"""Results on disk: any case survives; a file that is none of ours gets one sentence."""

import csv
import io
import os
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as some

from edge_slm.bench import results
from edge_slm.bench.record import Case
from edge_slm.errors import EdgeSlmError, UsageError
from tests.bench.cases import CASE, a_case, cases

# The folder is the same for all examples: each writes its file anew.
shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def lines(*rows: Case) -> bytes:
    return b"".join(msgspec.json.encode(row) + b"\n" for row in rows)


@pytest.fixture
def without_plots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)


def refused(path: Path) -> str:
    with pytest.raises(UsageError) as error:
        results.read_cases(path)
    sentence = str(error.value)
    assert "\n" not in sentence
    return sentence


@shared
@given(some.lists(cases, min_size=1, max_size=3))
def test_any_case_survives_a_round_trip(tmp_path: Path, rows: list[Case]) -> None:
    path = tmp_path / "some.jsonl"
    path.write_bytes(lines(*rows))
    assert results.read_cases(path) == rows
    path.write_bytes(b"\n  " + msgspec.json.format(msgspec.json.encode(rows), indent=1))
    assert results.read_cases(path) == rows


def test_what_is_written_is_read_again(tmp_path: Path, without_plots: None) -> None:
    rows = [CASE, a_case(case="translation", joules=None, joules_method=None)]
    written = results.write_all(tmp_path / "new" / "folder", rows)
    assert [path.name for path in written] == ["results.jsonl", "results.csv", "results.md"]
    assert results.read_cases(tmp_path / "new" / "folder") == rows
    assert len(list((tmp_path / "new" / "folder").iterdir())) == 3  # nothing half-written beside


def test_ratios_among_the_lines_are_no_cases(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_bytes(lines(CASE) + b'{"suite":"against","of":"tasks","ratio":1.0}\n')
    assert results.read_cases(path) == [CASE]


def test_a_mark_of_byte_order_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "edited.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + lines(CASE, CASE).replace(b"\n", b"\r\n"))
    assert results.read_cases(path) == [CASE, CASE]


@pytest.mark.parametrize("content", [b"", b"\n \n", b"[]", b'{"suite":"against"}'])
def test_a_file_without_a_case_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "empty.jsonl"
    path.write_bytes(content)
    assert "holds no result" in refused(path)


@pytest.mark.parametrize(
    "bad",
    [
        lines(CASE)[:-20],
        b"\x89PNG\r\n\x1a\n\x00\xff",
        b'{"name": "foreign"}',
        b'{"suite": 3}',
        b"3",
        b'"text"',
        b"[" * 100_000,
        b'{"more":' * 100_000,
        lines(CASE).replace(b'"seconds":2.0', b'"seconds":-2.0'),
        lines(CASE).replace(b'"seconds":2.0', b'"seconds":1e999'),
        lines(CASE).replace(b'"repeats":6', b'"repeats":0'),
        lines(CASE).replace(b'"correct":8', b'"correct":11'),
        lines(CASE).replace(b'"hr"', b'"\xff\xfe"'),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, bad: bytes) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_bytes(lines(CASE) + b"\n" + bad)
    assert refused(path).startswith(f"Line 3 of {path} is no result")


def test_a_bad_entry_of_an_array_is_named_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "array.json"
    path.write_bytes(b"[\n" + msgspec.json.encode(CASE) + b',\n{"suite":"x"}\n]')
    assert refused(path).startswith(f"Line 3 of {path} is no result")
    path.write_bytes(b"[\n" + msgspec.json.encode(CASE) + b",\n")
    assert "is no result" in refused(path)


@shared
@given(some.binary(max_size=300))
@example(b"[{}]")
@example(b'[{"suite":"against"},1]')
def test_no_bytes_break_the_reader(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "noise"
    path.write_bytes(data)
    refused(path)


def test_a_file_that_is_absent_or_too_large_is_refused(tmp_path: Path) -> None:
    assert "cannot be read" in refused(tmp_path / "absent.jsonl")
    assert "cannot be read" in refused(tmp_path)  # a folder without results
    huge = tmp_path / "huge.jsonl"
    with huge.open("wb") as file:
        file.truncate(results.MOST_BYTES + 1)
    assert "larger than" in refused(huge)


def test_the_csv_has_a_row_a_case_and_runs_no_formula(without_plots: None) -> None:
    hostile = a_case(model="=HYPERLINK(1)", contender="@x", command="-o\tx", more={"a": 1})
    head, *rows = csv.reader(io.StringIO(results.as_csv([CASE, hostile])))
    named = [dict(zip(head, row, strict=True)) for row in rows]
    assert named[0]["seconds"] == "2.0"
    assert named[0]["machine.cpu"] == "Example CPU"
    assert named[0]["versions.edge_slm"] == "0.1.0"
    assert named[0]["conditions.mhz_begin"] == ""
    assert (named[1]["model"], named[1]["contender"]) == ("'=HYPERLINK(1)", "'@x")
    assert named[1]["command"] == "'-o x"
    assert named[1]["more"] == '{"a":1}'


@given(cases)
def test_no_text_leaves_its_cell_of_the_csv(case: Case) -> None:
    head, row = csv.reader(io.StringIO(results.as_csv([case]), newline=""))
    assert len(head) == len(row)
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in (*head, *row))


@given(cases)
def test_no_text_leaves_its_cell_of_the_markdown(case: Case) -> None:
    head, rule, row, *_ = results.as_markdown([case]).split("\n")
    bars = [line.replace("\\\\", "").replace("\\|", "").count("|") for line in (head, rule, row)]
    assert bars[0] == bars[1] == bars[2]
    assert "<" not in row


def test_an_estimate_is_called_one_and_an_absent_figure_is_no_zero() -> None:
    guess = a_case(joules_method="estimate", joules_scope="cpu")
    assert results.row(guess)[7] == "estimate, cpu"
    absent = a_case(joules=None, joules_method=None, joules_scope=None, tokens_per_s=None)
    assert results.row(absent)[6:8] == ["–", "–"]
    assert "0.0" not in results.row(absent)


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("here")
    with pytest.raises(EdgeSlmError, match="cannot be written"):
        results.write_all(file / "folder", [CASE])


def test_when_writing_fails_the_earlier_results_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, without_plots: None
) -> None:
    results.write_all(tmp_path, [CASE])

    def full(self: Path, data: bytes) -> int:
        with self.open("wb") as file:
            file.write(data[:10])
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(EdgeSlmError, match="No space left"):
        results.write_all(tmp_path, [CASE, CASE])
    assert results.read_cases(tmp_path) == [CASE]
    assert len(list(tmp_path.iterdir())) == 3
