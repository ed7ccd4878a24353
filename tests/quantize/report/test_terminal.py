"""The report on a terminal: what was tried, in the room there is, and where things are."""

from pathlib import Path

import pytest

from edge_slm_quantize.report import terminal
from tests.quantize.report.results import a_result


@pytest.mark.parametrize("columns", [80, 120, 200])
def test_the_table_fits_the_terminal(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    table = terminal.text(a_result(), Path("out")).split("\n\n")[1].splitlines()
    assert max(map(len, table)) <= columns
    assert ("CPU-s/100" in table[0]) is (columns > 80)
    assert "kld" in table[0] and len(table) == 4  # the head and three recipes


def test_what_was_not_tried_is_told_below_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    lines = terminal.text(a_result(), Path("out")).splitlines()
    assert [line for line in lines if "Q6_K" in line] == ["- Q6_K: larger than what passed"]


def test_where_the_model_and_the_report_are_is_told() -> None:
    said = terminal.text(a_result(path="/d/small-q4_k_m.gguf", card="small-q4_k_m"), Path("/d"))
    assert "/d/small-q4_k_m.gguf" in said and "/d/report.html" in said
    assert said.endswith("edge-slm ask --model small-q4_k_m …")
