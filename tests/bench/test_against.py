"""New results against old ones."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from edge_slm.bench.against import Ratio, ratios, table, warnings
from edge_slm.bench.record import Case, Conditions
from tests.bench.cases import CASE, MACHINE, a_case, cases


def of(figure: str, new: Case, old: Case) -> Ratio | None:
    return next((one for one in ratios([new], [old]) if one.figure == figure), None)


def test_a_case_against_itself_has_not_changed() -> None:
    found = ratios([CASE], [CASE])
    assert [one.figure for one in found] == [
        *("seconds", "cpu_seconds", "peak_bytes", "joules", "quality")
    ]
    assert {one.ratio for one in found} == {1.0, None}
    assert {one.verdict for one in found} == {"no clear change", "no interval"}
    assert warnings([CASE], [CASE]) == []


def test_a_ratio_is_new_over_old() -> None:
    faster = a_case(seconds=1.0, seconds_low=0.9, seconds_high=1.1)
    one = of("seconds", faster, CASE)
    assert one and (one.ratio, one.difference, one.verdict) == (0.5, -1.0, "clear")


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"seconds": 2.05, "seconds_low": 2.0, "seconds_high": 2.3}, "no clear change"),
        (
            {"seconds": 2.3, "seconds_low": 2.1, "seconds_high": 2.5},
            "no clear change",
        ),  # they touch
        ({"seconds": 2.3, "seconds_low": 2.2, "seconds_high": 2.5}, "clear"),
        ({"seconds": 2.3, "seconds_low": 2.2, "seconds_high": 2.5, "repeats": 1}, "too few runs"),
        ({"seconds": 2.3, "seconds_low": None, "seconds_high": None}, "no interval"),
    ],
)
def test_overlapping_intervals_are_no_clear_change(changes: dict[str, Any], verdict: str) -> None:
    one = of("seconds", a_case(**changes), CASE)
    assert one and one.verdict == verdict


@pytest.mark.parametrize(("repeats", "verdict"), [(3, "too few runs"), (4, "clear")])
def test_three_runs_against_three_are_apart_by_chance_once_in_ten(
    repeats: int, verdict: str
) -> None:
    old = a_case(repeats=repeats)
    new = a_case(repeats=repeats, seconds=9.0, seconds_low=8.0, seconds_high=10.0)
    one = of("seconds", new, old)
    assert one and one.verdict == verdict


def test_cpu_seconds_have_their_interval_in_more() -> None:
    old = a_case(more={"cpu_seconds_low": 2.9, "cpu_seconds_high": 3.1})
    new = a_case(cpu_seconds=6.0, more={"cpu_seconds_low": 5.9, "cpu_seconds_high": 6.1})
    one = of("cpu_seconds", new, old)
    assert one and (one.ratio, one.verdict) == (2.0, "clear")
    odd = a_case(more={"cpu_seconds_low": "text", "cpu_seconds_high": [1]})
    one = of("cpu_seconds", odd, old)
    assert one and one.verdict == "no interval"


@pytest.mark.parametrize(
    "other", [{"joules_method": "estimate"}, {"joules_scope": "wall"}, {"joules": None}]
)
def test_joules_found_in_two_ways_are_not_compared(other: dict[str, Any]) -> None:
    assert of("joules", a_case(**other), CASE) is None
    said = warnings([a_case(**other)], [CASE])
    assert bool(said) == ("joules" not in other)


def test_quality_is_a_difference_and_only_of_one_measure() -> None:
    one = of("quality", a_case(quality=0.9), CASE)
    assert one and one.ratio is None and one.difference == pytest.approx(0.1)
    assert of("quality", a_case(quality=40.0, quality_name="chrf"), CASE) is None


def test_cases_are_matched_by_suite_case_contender_and_model() -> None:
    for change in ({"suite": "x"}, {"case": "x"}, {"contender": "x"}, {"model": None}):
        assert ratios([a_case(**change)], [CASE]) == []
    assert warnings([a_case(case="x")], [CASE]) == ["No case is in both results."]
    assert warnings([CASE, a_case(case="x")], [CASE]) == ["1 cases are in one of the results only."]


def test_of_a_case_that_stands_twice_the_last_counts() -> None:
    one = next(iter(ratios([CASE], [a_case(seconds=99.0), a_case(seconds=4.0)])))
    assert one.old == 4.0


def test_another_machine_other_versions_and_conditions_are_said_once() -> None:
    there = msgspec.structs.replace(MACHINE, id="ffff", cpu="Other CPU")
    new = [
        a_case(
            case=name,
            machine=there,
            versions={"edge_slm": "0.2.0"},
            conditions=Conditions(load=3, note="on battery"),
        )
        for name in ("hr", "speech")
    ]
    old = [a_case(case="hr"), a_case(case="speech")]
    machines, versions, first, second = warnings(new, old)
    assert "Other CPU (ffff) now, Example CPU (abc123) then" in machines
    assert "edge_slm 0.1.0 → 0.2.0" in versions
    assert first == "hr: conditions now: on battery; then: nothing to say."
    assert second.startswith("speech")


def test_the_table_shows_every_ratio() -> None:
    text = table(ratios([a_case(seconds=1.0, seconds_low=0.9, seconds_high=1.1)], [CASE]))
    assert len(text.splitlines()) == 6
    assert "× 0.500" in text and "no clear change" in text


@given(some.lists(cases, max_size=4), some.lists(cases, max_size=4))
def test_any_two_results_can_be_compared(new: list[Case], old: list[Case]) -> None:
    found = ratios([*new, *old], old)
    assert len({case.suite for case in old}) == 0 or found
    table(found)
    warnings(new, old)
    for one in found:
        assert msgspec.json.decode(msgspec.json.encode(one), type=Ratio) == one
