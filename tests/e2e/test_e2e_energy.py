"""What an answer cost, by the installed command: estimated, measured, or a failing meter."""

import json
from pathlib import Path

import pytest

from edge_slm.bench.simulated_tree import ZONE, Law, late_seconds, simulated
from tests.bench import lateness

from .runner import SAMPLE, TWINS, Runner, sentence

KEPT = {"EDGE_SLM_LEDGER": "on"}


@pytest.mark.model
def test_without_a_meter_the_energy_is_an_estimate_that_says_so(run: Runner, sample: str) -> None:
    answer = run.json("ask", "--kb", sample, TWINS, env={"EDGE_SLM_METER": "none"})
    energy = answer["energy"]
    assert (energy["method"], energy["scope"]) == ("estimate", "cpu")
    assert 0 < energy["low"] < energy["joules"] < energy["high"]
    assert energy["wh"] == pytest.approx(energy["joules"] / 3600, rel=1e-3)
    shown = run("ask", "--kb", sample, "--why", TWINS, env={"EDGE_SLM_METER": "none"})
    assert "estimated from" in shown.stdout


@pytest.mark.model
def test_with_a_meter_the_energy_is_measured(run: Runner, sample: str) -> None:
    law = Law()
    with simulated(law) as root:
        answer = run.json("ask", "--kb", sample, TWINS, env={"EDGE_SLM_SYSTEM_ROOT": str(root)})
        late_s = late_seconds(root)
    energy = answer["energy"]
    assert (energy["method"], energy["scope"]) == ("rapl", "package")
    assert answer["warnings"] == []
    lateness.needs(late_s)
    assert energy["low"] <= law.watts_per_cpu_s * energy["cpu_seconds"] <= energy["high"]


@pytest.mark.model
def test_a_meter_that_is_stuck_is_said_and_replaced_by_the_estimate(
    run: Runner, sample: str, tmp_path: Path
) -> None:
    zone = tmp_path / ZONE
    zone.mkdir(parents=True)
    (tmp_path / "proc").symlink_to("/proc")
    for name, value in (("name", "package-0"), ("energy_uj", "5"), ("max_energy_range_uj", "9e9")):
        (zone / name).write_text(value.replace("9e9", "9000000000") + "\n")
    result = run(
        "ask", "--kb", sample, "--json", TWINS, env={"EDGE_SLM_SYSTEM_ROOT": str(tmp_path)}
    )
    assert result.returncode == 0, result.stderr
    answer = json.loads(result.stdout)
    assert answer["energy"]["method"] == "estimate"
    assert any("estimate" in warning for warning in answer["warnings"])


@pytest.mark.model
def test_the_ledger_has_the_figures_of_an_answer_and_not_a_word_of_it(
    run: Runner, sample: str
) -> None:
    before = run.json("bench", "report", env=KEPT)
    answer = run.json("ask", "--kb", sample, TWINS, env=KEPT)
    after = run.json("bench", "report", env=KEPT)
    assert answer["energy"]["joules"]
    assert before != after
    ledger = (run.home / "energy.db").read_bytes()
    assert b"paternit" not in ledger
    assert SAMPLE.encode() not in ledger
    sentence(run("bench", "report", "--days", "0", env=KEPT), 2)


def test_a_meter_that_is_not_here_is_refused_in_a_sentence(run: Runner, tmp_path: Path) -> None:
    env = {"EDGE_SLM_METER": "rapl", "EDGE_SLM_SYSTEM_ROOT": str(tmp_path)}
    assert "rapl" in sentence(run("ask", "Bonjour", env=env), 2)
    assert "EDGE_SLM_METER" in run("doctor", env=env).stdout


def test_doctor_says_where_costs_are_noted(run: Runner) -> None:
    assert "answers noted" in run("doctor", env=KEPT).stdout
    assert "off (EDGE_SLM_LEDGER)" in run("doctor").stdout
    run.home.mkdir(exist_ok=True)
    (run.home / "energy.db").write_text("a foreign file, and no ledger")
    shown = run("doctor", env=KEPT)
    assert any(line.startswith("missing energy ledger") for line in shown.stdout.splitlines())
    assert shown.returncode == 3


def test_doctor_says_how_costs_are_found(run: Runner) -> None:
    assert "no meter" in run("doctor", env={"EDGE_SLM_METER": "none"}).stdout
    with simulated(Law()) as root:
        shown = run("doctor", env={"EDGE_SLM_SYSTEM_ROOT": str(root)}).stdout
    assert "RAPL" in shown
    assert "bench idle" in shown
