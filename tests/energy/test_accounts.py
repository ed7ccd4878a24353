"""Accounts: each answer bears its share, no joule is billed twice, a failing meter is said."""

import threading
from pathlib import Path

import pytest

from edge_slm.energy import accounts as module
from edge_slm.energy import idle
from edge_slm.energy.accounts import Accounts, fallback_of, metered
from edge_slm.energy.idle import Baseline
from edge_slm.energy.power_model import PowerModel
from edge_slm.errors import UsageError
from tests.energy.fakes import IDLE_W, WATTS, TrueMeter, burn

MODEL = PowerModel(1.0, 4.0, 9.0, "a test")


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Show no other programs: a root without /proc/stat tells nothing of them."""
    monkeypatch.setenv("EDGE_SLM_SYSTEM_ROOT", str(tmp_path))


@pytest.fixture
def baseline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Know the idle machine."""
    from datetime import UTC, datetime

    kept = Baseline(IDLE_W, 0.01, 0.0, 60.0, datetime.now(UTC))
    monkeypatch.setattr(idle, "known", lambda _: kept)


@pytest.mark.usefixtures("baseline")
def test_what_was_computed_is_billed_above_the_idle_machine() -> None:
    accounts = Accounts(TrueMeter(), MODEL)
    bill = accounts.open()
    burn(0.4)
    accounts.close(bill)
    cpu = bill.energy.cpu_seconds
    assert cpu and cpu >= 0.4
    assert bill.energy.joules == pytest.approx(WATTS * cpu, rel=0.05)
    assert (bill.energy.method, bill.energy.scope) == ("rapl", "package")
    assert bill.energy.wh == pytest.approx((bill.energy.joules or 0) / 3600, rel=1e-3)
    assert fallback_of(bill, accounts.meter) == ()


def test_without_a_meter_it_is_an_estimate_from_cpu_time() -> None:
    accounts = Accounts(None, MODEL)
    bill = accounts.open()
    burn(0.2)
    accounts.close(bill)
    energy = bill.energy
    assert energy.cpu_seconds and energy.cpu_seconds >= 0.2
    assert energy.method == "estimate"
    assert energy.low == pytest.approx(1.0 * energy.cpu_seconds, rel=1e-2)
    assert energy.joules == pytest.approx(4.0 * energy.cpu_seconds, rel=1e-2)
    assert energy.high == pytest.approx(9.0 * energy.cpu_seconds, rel=1e-2)


def test_with_neither_only_cpu_time_is_said() -> None:
    accounts = Accounts(None, None)
    bill = accounts.open()
    burn(0.05)
    accounts.close(bill)
    assert bill.energy.joules is None
    assert bill.energy.method is None
    assert bill.energy.cpu_seconds


def test_two_answers_at_once_share_and_a_benchmark_bears_the_whole() -> None:
    accounts = Accounts(None, MODEL)
    whole = accounts.open(whole=True)
    first = accounts.open()
    burn(0.2)
    second = accounts.open()
    burn(0.2)
    accounts.close(first)
    burn(0.2)
    accounts.close(second)
    accounts.close(whole)
    spent = [bill.energy.cpu_seconds or 0.0 for bill in (first, second, whole)]
    assert spent[0] == pytest.approx(spent[1], rel=0.2)
    assert spent[0] + spent[1] == pytest.approx(spent[2], rel=0.02)


@pytest.mark.usefixtures("baseline")
def test_a_meter_that_fails_is_replaced_by_an_estimate_that_says_why() -> None:
    meter = TrueMeter()
    meter.fails = True
    accounts = Accounts(meter, MODEL)
    bill = accounts.open()
    burn(0.05)
    accounts.close(bill)
    assert bill.energy.method == "estimate"
    (warning,) = fallback_of(bill, meter)
    assert "true meter" in warning


def test_a_bill_is_settled_once() -> None:
    accounts = Accounts(None, MODEL)
    bill = accounts.open()
    accounts.close(bill)
    before = bill.energy
    burn(0.05)
    accounts.close(bill)
    assert bill.energy == before


def test_accounts_may_be_used_from_many_threads() -> None:
    accounts = Accounts(TrueMeter(), MODEL)
    totals: list[float] = []

    def answer() -> None:
        bill = accounts.open()
        burn(0.01)
        accounts.close(bill)
        totals.append(bill.energy.cpu_seconds or 0.0)

    whole = accounts.open(whole=True)
    threads = [threading.Thread(target=answer) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    accounts.close(whole)
    assert len(totals) == 8
    assert sum(totals) <= (whole.energy.cpu_seconds or 0.0) + 1e-4


def test_a_baseline_is_measured_once_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idle, "BRIEF_S", 0.1)
    accounts = Accounts(TrueMeter(), MODEL)
    accounts.close(accounts.open())
    kept = idle.known("true meter")
    assert kept
    assert kept.watts >= IDLE_W * 0.9
    again = Accounts(TrueMeter(), MODEL)
    again.close(again.open())
    assert idle.known("true meter") == kept


def test_the_baseline_of_a_busy_machine_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idle, "rests", lambda _: False)
    accounts = Accounts(TrueMeter(), MODEL)
    bill = accounts.open()
    burn(0.1)
    accounts.close(bill)
    assert idle.known("true meter") is None
    energy = bill.energy
    assert energy.method == "rapl"
    assert energy.low == 0
    assert energy.joules and energy.joules >= WATTS * 0.1


def test_a_meter_that_was_asked_for_and_is_not_here_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("EDGE_SLM_METER", "rapl")
    with pytest.raises(UsageError, match="rapl"), metered():
        pass


def test_no_meter_may_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_SLM_METER", "none")
    with metered() as bill:
        burn(0.01)
    assert module.accounts().meter is None
    assert bill.energy.method == "estimate"
