"""The eco-design statement: every criterion, true figures, missing ones named."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from edge_slm.bench.record import Case
from edge_slm.cards import get_card
from edge_slm.cli import COMMANDS
from edge_slm.cli import run as run_command
from edge_slm.cli.registry import command
from edge_slm.energy.ledger import SWITCH, Entry, Ledger
from edge_slm.errors import UsageError
from edge_slm.profiles import PROFILES
from edge_slm.registry.markdown import as_markdown
from edge_slm.registry.rgesn import Statement
from tests.bench.cases import a_case

NUMBERS = ["2.3", "4.12", "4.15", *(f"9.{number}" for number in range(1, 8))]
CASE = a_case(
    repeats=3,
    seconds=10.0,
    cpu_seconds=20.0,
    joules=80.0,
    joules_low=20.0,
    joules_high=240.0,
    joules_method="estimate",
    joules_scope="cpu",
    date="2026-03-10",
)


@pytest.fixture(autouse=True)
def switched_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep entries."""
    monkeypatch.setenv(SWITCH, "on")


def run(*arguments: str) -> Result:
    whole = ["export", "--format", "rgesn", *arguments]
    return CliRunner().invoke(command, whole, standalone_mode=False)


def statement(*arguments: str) -> Statement:
    result = run("--json", *arguments)
    assert result.exception is None
    return msgspec.json.decode(result.stdout, type=Statement)


def figures(number: str, *arguments: str) -> dict[str, dict[str, object]]:
    found = msgspec.to_builtins(statement(*arguments))
    (criterion,) = (c for c in found["criteria"] if c["number"] == number)
    return {figure["name"]: figure for figure in criterion["figures"]}


def add(kind: str, **values: Any) -> None:
    Ledger().add(Entry(task="hr_faq", kind=kind, seconds=1.0, **values))


def written(path: Path, *cases: Case) -> Path:
    path.write_bytes(b"\n".join(msgspec.json.encode(case) for case in cases))
    return path


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_criterion_stands_in_both_languages(language: str) -> None:
    found = statement("--lang", language)
    assert [criterion.number for criterion in found.criteria] == NUMBERS
    assert (found.format, found.language) == ("rgesn", language)
    assert all(criterion.does and criterion.subject for criterion in found.criteria)
    assert all((c.status == "partly") == (c.lacks is not None) for c in found.criteria)
    text = as_markdown(found)
    for criterion in found.criteria:
        assert f"## {criterion.number} {criterion.subject}" in text
    assert "{" not in text


def test_the_interfaces_language_decides_where_none_is_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert run().stdout.startswith("# Eco-design statement")
    monkeypatch.setenv("EDGE_SLM_LANG", "fr")
    assert run().stdout.startswith("# Déclaration d'écoconception")
    assert run("--lang", "en").stdout.startswith("# Eco-design statement")


def test_what_nobody_measured_is_missing_and_says_what_measures_it() -> None:
    for number in ("9.7", "4.12", "9.6", "2.3", "9.3"):
        for figure in figures(number).values():
            assert figure["value"] is None
            assert figure["missing"]
    text = run().stdout
    assert "missing; measure it with `edge-slm ask" in text
    assert "missing; measure it with `edge-slm models pull`" in text
    assert "edge-slm bench tasks" in text


def test_the_ledgers_figures_are_told_with_their_method() -> None:
    cpu = {"method": "estimate", "scope": "cpu"}
    add("quote", joules=2.0, low=1.0, high=6.0, **cpu)
    add("quote", joules=4.0, low=1.0, high=8.0, **cpu)
    add("quote", joules=5.0, low=4.0, high=6.0, method="rapl", scope="package")
    add("written", joules=80.0, low=20.0, high=240.0, model="m", completion_tokens=3, **cpu)
    add("stopped", joules=1.0, **cpu)
    found = msgspec.to_builtins(statement())
    (criterion,) = (c for c in found["criteria"] if c["number"] == "9.7")
    share, *rungs = criterion["figures"][:-1]
    assert (share["value"], share["method"]) == (0.75, "ledger, answers: 4")
    quotes = [(r["value"], r["low"], r["high"], r["method"]) for r in rungs if "quote" in r["name"]]
    assert quotes == [
        (3.0, 1.0, 7.0, "Estimated from processor time (estimate, cpu), answers: 2"),
        (5.0, 4.0, 6.0, "Measured, processor's counter (rapl, package), answers: 1"),
    ]
    assert not any("stopped" in rung["name"] for rung in rungs)
    assert "3 J (1 to 7); Estimated from processor time" in run().stdout


def test_an_answer_whose_energy_is_unknown_is_missing_and_not_zero() -> None:
    add("quote")
    figure = figures("9.7")["joules an answer, quote"]
    assert figure["value"] is None
    assert figure["missing"] == "edge-slm doctor"


def test_results_give_the_cost_of_a_correct_answer(tmp_path: Path) -> None:
    judged = written(tmp_path / "r.jsonl", CASE, msgspec.structs.replace(CASE, correct=None))
    found = msgspec.to_builtins(statement("--results", str(judged)))
    (criterion,) = (c for c in found["criteria"] if c["number"] == "9.7")
    joules, time = criterion["figures"][-2:]
    assert (joules["value"], joules["low"], joules["high"], joules["unit"]) == (
        10.0,
        2.5,
        30.0,
        "J",
    )
    assert (
        "Estimated from processor time (estimate, cpu), Example CPU, 2026-03-10" in joules["method"]
    )
    assert (time["value"], time["unit"]) == (2.5, "CPU-seconds")


def test_results_without_joules_give_processor_time_only(tmp_path: Path) -> None:
    bare = msgspec.structs.replace(
        CASE, joules=None, joules_low=None, joules_high=None, joules_method=None
    )
    found = figures("9.7", "--results", str(written(tmp_path / "r.jsonl", bare)))
    (cost,) = (figure for name, figure in found.items() if "correct" in name)
    assert cost["unit"] == "CPU-seconds"


def test_results_that_nobody_judged_leave_the_figure_missing(tmp_path: Path) -> None:
    case = msgspec.structs.replace(CASE, answers=None, correct=None)
    found = figures("9.7", "--results", str(written(tmp_path / "r.jsonl", case)))
    assert found["cost of a correct answer"]["value"] is None


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff\xfe\x00", b'{"suite": 3}\n', b"[" * 5000])
def test_results_that_are_none_are_refused(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_bytes(data)
    result = run("--results", str(path), "-o", str(tmp_path / "out.md"))
    assert isinstance(result.exception, UsageError)
    assert "\n" not in str(result.exception)
    assert not (tmp_path / "out.md").exists()


def test_it_is_written_whole_to_a_file(tmp_path: Path) -> None:
    file = tmp_path / "new" / "out.md"
    result = run("-o", str(file))
    assert result.stdout == ""
    assert str(file) in result.stderr
    assert file.read_text(encoding="utf-8") == run().stdout
    run("--json", "-o", str(file))
    assert json.loads(file.read_text(encoding="utf-8"))["format"] == "rgesn"


def test_names_from_files_cannot_break_the_page(tmp_path: Path) -> None:
    evil = msgspec.structs.replace(CASE, case="x`\n## 9.9 <script>[a](b)|")
    text = run("--results", str(written(tmp_path / "r.jsonl", evil))).stdout
    assert "\n## 9.9" not in text
    assert "<script>" not in text


@pytest.mark.parametrize("form", ["csv", "json", "RGESN ", ""])
def test_other_formats_are_refused_with_a_sentence(
    form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["registry", "export", "--format", form]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "rgesn" in told.err
    assert told.err.count("\n") == 1


def test_the_command_is_listed() -> None:
    assert "registry" in COMMANDS


def test_models_of_both_profiles_are_as_small_as_the_statement_says() -> None:
    bits = {
        card.id: card.size * 8 / card.parameters
        for model in {model for models in PROFILES.values() for model in models}
        if (card := get_card(model)).task in ("chat", "embed")
    }
    assert len(bits) == 3
    assert all(4.9 < value < 6.5 for value in bits.values()), bits


def test_installed_models_are_told_with_their_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = ["qwen2.5-coder-0.5b-instruct-q4_k_m", "gone-model"]
    monkeypatch.setattr("edge_slm.store.Store.models", lambda _: ids)
    (figure,) = figures("9.6").values()
    assert figure["value"] == 6.24
    assert "491400064 bytes" in str(figure["name"])
    (size,) = figures("2.3").values()
    assert size["value"] == 491_400_064
