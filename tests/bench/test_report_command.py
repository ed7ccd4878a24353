"""`edge-slm bench report`: sums of the ledger, told apart; nothing removed by mistake."""

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from edge_slm.cli.bench import SUITES
from edge_slm.cli.bench.report import command
from edge_slm.energy.ledger import SWITCH, Entry, Ledger
from edge_slm.energy.summary import summary, way_in_words
from edge_slm.errors import EdgeSlmError, UsageError


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments, standalone_mode=False)


def told(*arguments: str) -> str:
    result = run(*arguments)
    assert result.exception is None
    return result.stdout


def add(kind: str = "quote", days_ago: int = 0, **values: Any) -> Entry:
    time = (datetime.now(UTC) - timedelta(days=days_ago)).isoformat(timespec="seconds")
    entry = Entry(time=time, task="hr_faq", kind=kind, seconds=1.0, **values)
    Ledger().add(entry)
    return entry


@pytest.fixture(autouse=True)
def switched_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep entries."""
    monkeypatch.setenv(SWITCH, "on")


@pytest.fixture
def filled() -> None:
    """Estimates of today and yesterday, a measurement, and a request that was stopped."""
    cpu: dict[str, Any] = {"method": "estimate", "scope": "cpu"}
    add(joules=3.0, low=1.0, high=9.0, cpu_seconds=1.0, **cpu)
    add(joules=5.0, low=2.0, high=15.0, cpu_seconds=2.0, **cpu)
    add("written", joules=80.0, low=20.0, high=240.0, model="m-1", completion_tokens=9, **cpu)
    add("approved", 1, joules=44.0, low=1.0, high=50.0, **cpu)
    add("quote", 2, joules=7000.0, low=6900.0, high=7100.0, method="rapl", scope="package")
    add("stopped", 2)


def test_an_empty_ledger_is_a_sentence_and_no_failure(home: Path) -> None:
    assert told().startswith("The ledger has no answer from ")
    assert told().count("\n") == 1
    assert not home.exists()
    found = json.loads(told("--json"))
    assert (found["answers"], found["days"]) == (0, [])


@pytest.mark.usefixtures("filled")
def test_measured_and_estimated_stand_apart() -> None:
    text = told()
    assert ": 6 answers, 4 without a token." in text
    blocks = text.split("\n\n")
    measured, estimated, nothing, notes = blocks[1:]
    assert measured.startswith("Measured, processor's counter (rapl, package)\n")
    assert "7000.0 J (6900.0 to 7100.0), 1.9444 Wh" in measured
    assert estimated.startswith("Estimated from processor time (estimate, cpu)\n")
    assert "3 answers, 88.0 J (23.0 to 264.0)" in estimated
    assert "3.0 s of processor" in estimated
    assert "7" not in estimated.split("88.0 J")[0]
    assert nothing.startswith("No figure of energy\n")
    assert " J" not in nothing
    assert "not a measurement" in notes
    assert "are not added" in notes
    assert "7088" not in text


@pytest.mark.usefixtures("filled")
def test_each_kind_and_each_model_has_its_line() -> None:
    lines = told().splitlines()
    (quotes,) = (line for line in lines if line.strip().startswith("quote") and " 8.0 J" in line)
    assert "2 answers, 8.0 J (3.0 to 24.0)" in quotes
    assert quotes.endswith("; 4.0 J each")
    assert any(line.strip().startswith("m-1 ") and "80.0 J" in line for line in lines)
    assert any(
        line.strip().startswith("no model") and "3 answers, 52.0 J" in line for line in lines
    )


@pytest.mark.usefixtures("filled")
def test_bars_are_as_long_as_the_joules_of_their_own_method() -> None:
    lines = told().splitlines()
    (today,) = (line for line in lines if line.startswith("  today"))
    (yesterday,) = (line for line in lines if " 44.0 J" in line and "#" in line)
    (measured,) = (line for line in lines if "7000.0 J" in line and "#" in line)
    assert today.count("#") == measured.count("#") == 24
    assert yesterday.count("#") == 12


@pytest.mark.usefixtures("filled")
def test_only_the_days_asked_for_count() -> None:
    assert json.loads(told("--json", "--days", "1"))["answers"] == 3
    assert json.loads(told("--json", "--days", "2"))["answers"] == 4
    assert json.loads(told("--json", "--days", "36500"))["answers"] == 6
    assert "rapl" not in told("--days", "2")


def test_a_single_method_needs_no_warning_of_comparisons() -> None:
    add(joules=3.0, low=1.0, high=9.0, method="rapl", scope="package")
    text = told()
    assert "1 answer, 3.0 J" in text
    assert "above the idle machine" in text
    assert "are not added" not in text


@pytest.mark.usefixtures("filled")
def test_it_speaks_french(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_SLM_LANG", "fr")
    text = told()
    assert "6 réponses, dont 4 sans aucun jeton" in text
    assert "Estimé d'après le temps processeur (estimate, cpu)" in text
    assert "88,0 J (23,0 à 264,0)" in text
    assert "pas une mesure" in text


@pytest.mark.usefixtures("filled")
def test_json_holds_what_the_text_shows() -> None:
    found = json.loads(told("--json"))
    assert found["answers"] == sum(day["answers"] for day in found["days"]) == 6
    assert found["without_tokens"] == 4
    for parts in (found["rungs"], found["models"]):
        assert sum(part["answers"] for part in parts) == 6
    stopped = next(part for part in found["rungs"] if part["name"] == "stopped")
    assert stopped["joules"] is None


@pytest.mark.usefixtures("filled")
def test_csv_has_the_entries_and_leaves_the_unknown_empty(tmp_path: Path) -> None:
    file = tmp_path / "new" / "out.csv"
    result = run("--csv", str(file), "--days", "3")
    assert "6 entries" in result.stderr
    with file.open(encoding="utf-8", newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert [row["kind"] for row in rows][-3:] == ["quote", "quote", "written"]
    assert {row["joules"] for row in rows} == {"3.0", "5.0", "80.0", "44.0", "7000.0", ""}


def test_a_csv_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    add()
    (tmp_path / "file").write_text("in the way")
    result = run("--csv", str(tmp_path / "file" / "out.csv"))
    assert isinstance(result.exception, OSError)
    assert list(tmp_path.glob("*.csv")) == []


@pytest.mark.usefixtures("filled")
def test_clearing_needs_a_yes() -> None:
    result = run("--clear")
    assert isinstance(result.exception, UsageError)
    assert "--yes" in str(result.exception)
    assert json.loads(told("--json"))["answers"] == 6
    assert told("--clear", "--yes") == "6 entries removed.\n"
    assert json.loads(told("--json"))["answers"] == 0


@pytest.mark.parametrize("days", ["0", "-1", "x", "100000"])
def test_impossible_days_are_refused(days: str) -> None:
    assert run("--days", days).exception is not None


def test_a_ledger_that_is_none_is_a_sentence() -> None:
    path = Ledger().path
    path.parent.mkdir(parents=True)
    path.write_text("not a ledger")
    for arguments in ((), ("--json",), ("--clear", "--yes")):
        result = run(*arguments)
        assert isinstance(result.exception, EdgeSlmError)
        assert "no energy ledger" in str(result.exception)
    assert path.read_text() == "not a ledger"


def test_names_of_a_hostile_ledger_do_not_reach_the_terminal() -> None:
    add(model="evil\x1b[31m\nmodel", joules=1.0, method="odd\x1b", scope="x")
    assert "\x1b" not in told()
    assert "\nmodel" not in told()


def test_the_group_lists_it() -> None:
    assert "report" in SUITES


def test_ways_are_ordered_measurements_first() -> None:
    add(joules=1.0, method="estimate", scope="cpu")
    add(joules=1.0, method="rapl", scope="package")
    add()
    add(joules=1.0, method="battery", scope="device")
    ways = summary(Ledger(), 1).ways()
    assert [method for method, _ in ways] == ["battery", "rapl", "estimate", None]
    assert way_in_words(("lasers", None)) == "lasers (lasers, ?)"
