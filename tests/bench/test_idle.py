"""The suite of the machine at rest: what is measured, kept, refused, and what waiting costs."""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge_slm.answer import Method
from edge_slm.bench import idle as suite
from edge_slm.bench.record import Case
from edge_slm.bench.simulated_tree import Law, late_seconds, simulated
from edge_slm.cli import run
from edge_slm.cli.bench.idle import sentence
from edge_slm.energy import cpu, idle
from edge_slm.energy.meter import Absent, Channel, Scope
from edge_slm.energy.meters import rapl
from edge_slm.errors import EdgeSlmError
from edge_slm.process_tree import alive
from tests.bench import lateness

WATTS = 7.0


class Steady:
    """A meter of a machine that draws the same watts all the time."""

    method: Method = "rapl"
    scope: Scope = "package"
    name = "steady"
    channels: Sequence[Channel] = (Channel("package-0", "energy"),)
    interval_s = 10.0

    def read(self) -> Sequence[float | None]:
        return [WATTS * time.monotonic()]

    def close(self) -> None:
        pass


class Mute(Steady):
    """A meter that cannot be read."""

    def read(self) -> Sequence[float | None]:
        return [None]


def _uses(monkeypatch: pytest.MonkeyPatch, share: float) -> None:
    """Let programs use this share of all processors."""
    used = share * cpu.processors()
    monkeypatch.setattr(suite, "_busy", lambda: used * time.monotonic())


def test_a_machine_at_rest_is_measured_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    _uses(monkeypatch, 0.01)
    case = suite.machine_case(Steady(), 0.2)
    assert case.watts == pytest.approx(WATTS, rel=0.01)
    assert case.joules is None, "the watts of an idle machine are no answer's joules"
    assert case.more["kept"]
    assert case.more["why"] == ""
    kept = idle.known("steady")
    assert kept is not None
    assert kept.watts == case.watts


def test_the_watts_of_a_busy_machine_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    _uses(monkeypatch, 0.5)
    case = suite.machine_case(Steady(), 0.2)
    assert case.watts == pytest.approx(WATTS, rel=0.01)
    assert not case.more["kept"]
    assert "50 %" in case.more["why"]
    assert "not at rest" in sentence(case)
    assert idle.known("steady") is None


def test_what_is_kept_can_be_forgotten(capsys: pytest.CaptureFixture[str]) -> None:
    idle.remember("m", idle.Baseline(5.0, 0.2, 0.0, 180.0, datetime.now(UTC)))
    for _ in range(2):
        assert run(["bench", "idle", "--forget"]) == 0
        assert idle.known("m") is None
    assert capsys.readouterr().out == ""


def test_a_longer_measure_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    _uses(monkeypatch, 0.0)
    longer = idle.Baseline(3.0, 0.1, 0.0, 180.0, datetime.now(UTC))
    idle.remember("steady", longer)
    case = suite.machine_case(Steady(), 0.2)
    assert not case.more["kept"]
    assert "longer" in case.more["why"]
    assert idle.known("steady") == longer


def test_watts_that_cannot_be_kept_are_shown_all_the_same(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _uses(monkeypatch, 0.0)
    home.write_text("a file where the folder should be")
    case = suite.machine_case(Steady(), 0.2)
    assert case.watts == pytest.approx(WATTS, rel=0.01)
    assert "could not be kept" in case.more["why"]


def test_without_a_meter_there_are_no_watts_and_a_sentence() -> None:
    case = suite.machine_case(None, 0.1)
    assert case.watts is None
    assert case.joules_method is None
    assert "no energy meter" in sentence(case)
    assert case.more["busy_share"] is None or case.more["busy_share"] >= 0


def test_a_meter_that_cannot_be_read_gives_no_watts_and_a_sentence() -> None:
    case = suite.machine_case(Mute(), 0.1)
    assert case.watts is None
    assert "steady" in case.more["why"]
    assert not case.more["kept"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc/stat")
def test_the_watts_are_those_of_the_law_of_a_simulated_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    law = Law(idle_w=20, watts_per_cpu_s=10)
    with simulated(law) as root:
        monkeypatch.setenv("EDGE_SLM_SYSTEM_ROOT", str(root))
        meter = rapl.find(root)
        assert not isinstance(meter, Absent)
        case = suite.machine_case(meter, 2.0)
        late_s = late_seconds(root)
    lateness.needs(late_s)
    busy = case.more["busy_share"] * cpu.processors()
    assert case.watts == pytest.approx(law.idle_w + law.watts_per_cpu_s * busy, rel=0.15)


def _python(program: str) -> list[str]:
    return [sys.executable, "-c", program]


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Watch a process as soon as it says that it waits."""
    monkeypatch.setattr(suite, "SETTLE_S", 0.0)


@pytest.mark.usefixtures("soon")
def test_a_process_that_waits_costs_next_to_nothing(tmp_path: Path) -> None:
    said = tmp_path / "pid"
    program = f"import os, sys; open({str(said)!r}, 'w').write(str(os.getpid()))\n"
    program += "print('ready', flush=True); sys.stdin.read()"
    case = suite.waiting_case("waits", _python(program), "ready", 0.2)
    assert case.cpu_seconds < 0.1
    assert case.more["processes"] == 1
    assert case.peak_bytes
    assert alive([int(said.read_text())]) == []


@pytest.mark.usefixtures("soon")
def test_what_a_child_of_it_burns_is_counted() -> None:
    child = "while True: pass"
    program = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, '-c', {child!r}])
print('noise')
print('ready', flush=True)
try:
    sys.stdin.read()
finally:
    child.kill()
"""
    with_child = _python(f"import signal, sys\nsignal.signal(15, lambda *_: sys.exit())\n{program}")
    case = suite.waiting_case("burns", with_child, "ready", 1.0)
    assert case.more["processes"] == 2
    assert case.cpu_seconds > 0.02
    assert case.more["cpu_s_per_hour"] > 36


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("import sys; sys.exit('it is broken')", "it is broken"),
        ("import sys; sys.exit(7)", "7"),
        ("import os; os.write(1, bytes(range(128, 256)) * 1000)", "did not start"),
    ],
)
def test_a_process_that_does_not_start_is_told_with_its_reason(program: str, reason: str) -> None:
    with pytest.raises(EdgeSlmError, match=reason):
        suite.waiting_case("broken", _python(program), "ready", 0.1)


def _two_cases(_: float, __: str | None, advance: suite.Advance) -> Iterator[Case]:
    yield suite.machine_case(None, 0.01, advance)
    ready = _python("import sys; print('ready', flush=True); sys.stdin.read()")
    yield suite.waiting_case("assistant", ready, "ready", 0.05)


@pytest.mark.usefixtures("soon")
def test_the_command_prints_a_line_of_json_for_each_case(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(suite, "idling", _two_cases)
    assert run(["bench", "idle", "--quick", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["case"] for row in rows] == ["machine", "assistant"]
    assert rows[0]["watts"] is None


@pytest.mark.usefixtures("soon")
def test_the_command_speaks_french(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(suite, "idling", _two_cases)
    monkeypatch.setenv("EDGE_SLM_LANG", "fr")
    assert run(["bench", "idle", "--seconds", "1"]) == 0
    told = capsys.readouterr().out
    assert "pas de compteur d'énergie" in told
    assert "secondes processeur par heure" in told


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "soon"])
def test_a_length_that_makes_no_sense_is_wrong_usage(seconds: str) -> None:
    assert run(["bench", "idle", "--seconds", seconds]) == 2


@pytest.mark.model
def test_an_assistant_with_its_models_loaded_waits() -> None:
    command = [sys.executable, "-m", "edge_slm.bench.idle_apart"]
    case = suite.waiting_case("assistant", command, "ready", 1.0)
    assert case.more["processes"] >= 2, "at least one model is loaded"
