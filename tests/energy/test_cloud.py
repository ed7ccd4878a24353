"""The published formula: the same figures as the package it comes from."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_slm.energy.cloud import ECOLOGITS, PUE, cloud_range, request_kwh
from edge_slm.errors import UsageError

# Made with ecologits 0.11.3, compute_llm_impacts with datacenter_pue from 1.09 to 1.20:
# output tokens, active and total parameters (10**9), joules at least and at most.
CHECKED = [
    (1, (0.5, 0.5), (0.5, 0.5), 0.2617707659862466, 0.28818799925091365),
    (150, (0.5, 1.5), (0.5, 1.5), 39.265614897936985, 43.88342599044116),
    (400, (8, 8), (8, 8), 116.61158059544005, 128.37972175644776),
    (400, (33.3, 33.4), (33.3, 33.4), 156.76529223328254, 345.5207395727598),
    (1000, (70, 405), (70, 405), 2150.11980656556, 32881.830237002876),
    (250, (12, 39), (46.7, 141), 153.69999187826105, 912.7253979412735),
    (123456, (1, 2000), (1, 2000), 32562.093455556627, 71287262.86678362),
]


@pytest.mark.parametrize(("tokens", "active", "total", "low", "high"), CHECKED)
def test_the_figures_are_those_of_the_package(
    tokens: int,
    active: tuple[float, float],
    total: tuple[float, float],
    low: float,
    high: float,
) -> None:
    found = cloud_range(tokens, active, total)
    assert found.low_j == pytest.approx(low, rel=1e-6)
    assert found.high_j == pytest.approx(high, rel=1e-6)
    assert ECOLOGITS == "0.11.3"


def test_all_weights_are_active_where_nothing_else_is_said() -> None:
    assert cloud_range(10, (8, 70)) == cloud_range(10, (8, 70), (8, 70))
    assert cloud_range(10, (8, 70)).high_j < cloud_range(10, (8, 70), (8, 300)).high_j


def test_no_token_costs_nothing() -> None:
    found = cloud_range(0, (8, 70))
    assert (found.low_j, found.high_j) == (0.0, 0.0)


def test_it_never_passes_for_a_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    text = cloud_range(10, (8, 70)).assumptions
    assert "EcoLogits" in text
    assert "8 to 70" in text
    assert "never a measurement" in text
    monkeypatch.setenv("EDGE_SLM_LANG", "fr")
    assert "jamais une mesure" in cloud_range(10, (8, 70)).assumptions


@pytest.mark.parametrize(
    ("tokens", "active", "total"),
    [
        (-1, (8, 70), None),
        (10, (70, 8), None),
        (10, (0, 8), None),
        (10, (-1, 8), None),
        (10, (math.nan, 8), None),
        (10, (8, math.inf), None),
        (10**13, (8, 8), None),
        (10, (8, 70), (4, 300)),
        (10, (8, 70), (300, 100)),
    ],
)
def test_absurd_numbers_are_refused(
    tokens: int, active: tuple[float, float], total: tuple[float, float] | None
) -> None:
    with pytest.raises(UsageError, match="tokens") as caught:
        cloud_range(tokens, active, total)
    assert "\n" not in str(caught.value)


@given(st.integers(0, 10**9), st.floats(0.01, 1000), st.floats(1, 10))
def test_it_is_a_range_and_grows_with_tokens_and_weights(
    tokens: int, active: float, times: float
) -> None:
    found = cloud_range(tokens, (active, active * times))
    assert 0 <= found.low_j <= found.high_j
    assert cloud_range(tokens * 2, (active, active)).low_j == pytest.approx(found.low_j * 2)
    kwh = request_kwh(tokens, active, active, PUE[0])
    assert found.low_j == pytest.approx(kwh * 3.6e6)
