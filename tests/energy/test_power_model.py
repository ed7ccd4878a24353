"""The estimate's watts: what names say, what was measured elsewhere, what users state."""

import math
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_slm import machine
from edge_slm.energy.power_model import SETTING, PowerModel, Row, estimate, power_model, table
from edge_slm.errors import UsageError

# Watts above idle of a busy thread, by RAPL, in codecarbon's profiles (cpu_load_profiling at commit
# b05965e4): few threads busy, one a core, all.
MEASURED = {
    "AMD EPYC 8024P 8-Core Processor": (19.86, 3.96, 1.82),
    "AMD Ryzen Threadripper 1950X 16-Core Processor": (10.43, 8.15, 3.78),
    "Intel(R) Xeon(R) CPU E3-1240 V2 @ 3.40GHz": (15.39, 9.27, 5.50),
    "Intel(R) Xeon(R) CPU E5-2620 v3 @ 2.40GHz": (9.45, 4.27, 3.36),
}
# Busy cores, and watts that a whole machine or package was seen to take while they all computed:
# codecarbon's documentation (Ultra 7 265H: 21.35 W less 3.85 W idle; i7-7600U), and Geerling's
# ai-benchmarks at the wall, which the estimate must stay below.
WHOLE = {
    "Intel(R) Core(TM) i7-7600U CPU @ 2.80GHz": (4, 15.73),
    "Intel(R) Core(TM) Ultra 7 265H": (16, 17.5),
    "Intel(R) N150": (4, 26.4),
    "AMD Ryzen AI 5 340 w/ Radeon 840M": (6, 51.1),
    "Raspberry Pi 5 Model B Rev 1.0": (4, 11.9),
}
NAMES = {
    "Intel(R) Core(TM) i5-8250U CPU @ 1.60GHz": (15, 15, 8, 8),
    "Intel(R) Core(TM) i5-8365U CPU @ 1.60GHz": (15, 15, 8, 8),
    "Intel(R) Core(TM) i5-10310U CPU @ 1.70GHz": (15, 15, 8, 8),
    "11th Gen Intel(R) Core(TM) i5-1135G7 @ 2.40GHz": (12, 28, 8, 8),
    "12th Gen Intel(R) Core(TM) i5-1235U": (15, 15, 12, 12),
    "13th Gen Intel(R) Core(TM) i7-1365U": (15, 15, 12, 12),
    "12th Gen Intel(R) Core(TM) i5-1240P": (28, 28, 16, 20),
    "13th Gen Intel(R) Core(TM) i7-13700H": (45, 45, 12, 20),
    "Intel(R) Core(TM) Ultra 5 125U": (15, 15, 14, 14),
    "Intel(R) Core(TM) Ultra 7 155H": (28, 28, 18, 22),
    "Intel(R) Core(TM) Ultra 7 258V": (17, 17, 8, 8),
    "Intel(R) N100": (6, 6, 4, 4),
    "Intel(R) Core(TM) i5-9500T CPU @ 2.20GHz": (35, 35, 4, 12),
    "Intel(R) Core(TM) i5-8500 CPU @ 3.00GHz": (65, 65, 6, 6),
    "Intel(R) Core(TM) i5-10500 CPU @ 3.10GHz": (65, 65, 12, 12),
    "13th Gen Intel(R) Core(TM) i5-13500": (65, 65, 16, 20),
    "12th Gen Intel(R) Core(TM) i9-12900K": (125, 125, 16, 32),
    "AMD Ryzen 5 3500U with Radeon Vega Mobile Gfx": (15, 15, 8, 8),
    "AMD Ryzen 7 PRO 4750U with Radeon Graphics": (15, 15, 6, 16),
    "AMD Ryzen 7 PRO 5850U with Radeon Graphics": (15, 15, 12, 16),
    "AMD Ryzen 5 7530U with Radeon Graphics": (15, 15, 12, 16),
    "AMD Ryzen 5 7520U with Radeon Graphics": (15, 15, 8, 8),
    "AMD Ryzen 7 7840U w/ Radeon 780M Graphics": (15, 30, 12, 16),
    "AMD Ryzen 7 7840HS w/ Radeon 780M Graphics": (28, 54, 12, 16),
    "AMD Ryzen AI 9 HX 370 w/ Radeon 890M": (15, 54, 12, 24),
}
FAMILIES = {
    "Intel(R) Xeon(R) Processor @ 2.60GHz": "Intel Xeon",
    "AMD EPYC": "AMD EPYC",
    "AMD EPYC 7763 64-Core Processor": "AMD EPYC",
    "AMD Ryzen 5 5600X 6-Core Processor": "AMD Ryzen, desktop",
    "AMD Ryzen 9 7950X 16-Core Processor": "AMD Ryzen, desktop",
    "AMD Ryzen Threadripper PRO 5975WX 32-Cores": "AMD Ryzen Threadripper",
    "Apple M2 Pro": "Apple M",
    "Raspberry Pi 4 Model B Rev 1.4": "Raspberry Pi 4",
    "Raspberry Pi 3 Model B Plus Rev 1.3": "Raspberry Pi 3",
    "Intel(R) Core(TM) i5-8259U CPU @ 2.30GHz": "x86-64",  # 28 W, unlike its neighbours
    "Intel(R) Core(TM)2 Quad CPU Q6600 @ 2.40GHz": "x86-64",
}


@pytest.fixture(autouse=True)
def nothing_stated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the table speak."""
    monkeypatch.delenv(SETTING, raising=False)


@pytest.mark.parametrize("name", MEASURED)
def test_what_was_measured_of_a_processor_lies_within_its_interval(name: str) -> None:
    model = power_model(name, "x86_64")
    for watts in MEASURED[name]:
        assert model.low_w <= watts <= model.high_w
    one_a_core = MEASURED[name][1]
    assert 0.5 < model.typical_w / one_a_core < 2


@pytest.mark.parametrize("name", WHOLE)
def test_whole_machines_that_others_measured_bound_the_estimate(name: str) -> None:
    model = power_model(name, "x86_64")
    threads, watts = WHOLE[name]
    assert model.low_w * threads < watts
    assert model.typical_w * threads < 2 * watts


@pytest.mark.parametrize("name", NAMES)
def test_a_name_finds_the_facts_of_its_processor(name: str) -> None:
    row = next(r for r in table().rows if r.match and re.search(r.match, name, re.IGNORECASE))
    assert row.tdp_w is not None
    assert row.threads is not None
    assert (*row.tdp_w, *row.threads) == NAMES[name]
    assert row.name in power_model(name, "x86_64").basis


@pytest.mark.parametrize("name", FAMILIES)
def test_a_name_that_tells_no_part_gets_its_family(name: str) -> None:
    assert f": {FAMILIES[name]} (" in power_model(name, "x86_64").basis


@pytest.mark.parametrize("row", table().rows, ids=lambda row: row.name)
def test_every_row_has_its_figures_in_order_and_its_source(row: Row) -> None:
    figures = [row.tdp_w is not None, row.thread_w is not None, row.watts is not None]
    assert sum(figures) == 1
    assert (row.cores is None) == (row.threads is None) == (row.tdp_w is None)
    assert bool(row.match) != bool(row.architectures)
    for span in (row.tdp_w, row.cores, row.threads, row.thread_w, row.watts):
        assert span is None or (span[0] > 0 and list(span) == sorted(span))
    if row.cores and row.threads:
        assert row.cores[0] <= row.threads[0]
        assert row.cores[1] <= row.threads[1]
    assert all(table().sources[row.source])


def test_no_row_and_no_source_is_out_of_reach() -> None:
    rows = table().rows
    assert len({row.name for row in rows}) == len(rows)
    assert {row.source for row in rows} == set(table().sources)


@pytest.mark.parametrize(
    ("architecture", "row"),
    [("x86_64", "x86-64"), ("AMD64", "x86-64"), ("aarch64", "ARM"), ("arm64", "ARM")],
)
def test_an_unknown_name_gets_its_architecture(architecture: str, row: str) -> None:
    assert f": {row} (" in power_model("", architecture).basis


def test_an_unknown_machine_gets_the_widest_interval() -> None:
    unknown = power_model("Loongson", "loongarch64")
    known = [power_model("", kind) for kind in ("x86_64", "aarch64")]
    assert unknown.low_w == min(model.low_w for model in known)
    assert unknown.high_w == max(model.high_w for model in known)
    assert unknown.low_w < unknown.typical_w < unknown.high_w
    assert "unknown" in unknown.basis


def test_the_basis_says_what_it_leaves_out_in_both_languages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    english = power_model("Intel(R) Core(TM) i7-7600U CPU @ 2.80GHz", "x86_64").basis
    assert "15 W, 2 cores, 4 threads; Intel's specification" in english
    assert "without memory, screen or idling" in english
    monkeypatch.setenv("EDGE_SLM_LANG", "fr")
    french = power_model("Intel(R) Core(TM) i7-7600U CPU @ 2.80GHz", "x86_64").basis
    assert "15 W, 2 cœurs, 4 fils ; spécification d'Intel" in french
    assert "sans mémoire, écran ni repos" in french


def test_a_range_of_parts_widens_the_interval() -> None:
    one = power_model("Intel(R) N100", "x86_64")
    many = power_model("AMD Ryzen AI 9 HX 370", "x86_64")
    assert one.high_w / one.low_w == pytest.approx(12)
    assert many.high_w / many.low_w > 12


@pytest.mark.parametrize(
    ("stated", "watts"),
    [("4", (4, 4, 4)), (" 2, 4.5 ,9 ", (2, 4.5, 9)), ("3,3,3", (3, 3, 3)), ("1000", (1000,) * 3)],
)
def test_a_user_may_state_the_watts(
    stated: str, watts: tuple[float, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SETTING, stated)
    model = power_model("AMD EPYC", "x86_64")
    assert (model.low_w, model.typical_w, model.high_w) == watts
    assert SETTING in model.basis


@pytest.mark.parametrize(
    "stated",
    ["0", "-1", "nan", "inf", "four", "1,2", "3,2,1", "1,2,3,4", "1;2;3", ",", "1001", "é"],
)
def test_watts_that_are_none_are_refused_with_a_sentence(
    stated: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SETTING, stated)
    with pytest.raises(UsageError, match=SETTING) as caught:
        power_model("AMD EPYC", "x86_64")
    assert "\n" not in str(caught.value)


def test_nothing_stated_is_not_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SETTING, "  ")
    assert "EPYC" in power_model("AMD EPYC", "x86_64").basis


@given(st.text(max_size=3000), st.text(max_size=20))
def test_any_name_has_a_model(name: str, architecture: str) -> None:
    model = power_model(name, architecture)
    assert 0 < model.low_w <= model.typical_w <= model.high_w < math.inf
    assert "\n" not in model.basis


@given(st.floats(0, 1e9), st.floats(0, 1e9))
def test_joules_are_in_order_and_grow_with_time(one: float, other: float) -> None:
    model = PowerModel(1.5, 4.0, 9.0, "")
    low, typical, high = estimate(one, model)
    assert 0 <= low <= typical <= high
    assert sum(estimate(one + other, model)) == pytest.approx(
        sum(estimate(one, model)) + sum(estimate(other, model))
    )


def test_four_watts_for_ten_seconds_are_forty_joules() -> None:
    assert estimate(10.0, PowerModel(1.0, 4.0, 9.0, "")) == (10.0, 40.0, 90.0)
    assert estimate(0.0, PowerModel(1.0, 4.0, 9.0, "")) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("seconds", [-0.1, math.inf, math.nan])
def test_impossible_seconds_are_an_error_of_the_caller(seconds: float) -> None:
    with pytest.raises(ValueError, match="processor time"):
        estimate(seconds, PowerModel(1.0, 4.0, 9.0, ""))


def test_a_board_is_named_before_the_core_that_is_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        "processor\t: 0\nmodel name\t: ARMv7 Processor rev 3 (v7l)\n\n"
        "Hardware\t: BCM2711\nModel\t\t: Raspberry Pi 4 Model B Rev 1.4\n"
    )
    monkeypatch.setattr(Path, "read_text", lambda _: text)
    name = machine.cpu_name()
    monkeypatch.undo()
    assert name == "Raspberry Pi 4 Model B Rev 1.4"
    assert ": Raspberry Pi 4 (" in power_model(name, "armv7l").basis
