"""Timing of items, and a sheet on which one part fails."""

import time

import pytest

from edge_slm.errors import EdgeSlmError, IntegrityError, UsageError
from edge_slm_quantize.measure import speed
from edge_slm_quantize.measure.sheet import Sheet
from edge_slm_quantize.measure.speed import Figures


def test_seconds_are_told_for_one_item_and_the_memory_of_all() -> None:
    calls = []

    def run() -> float:
        calls.append(1)
        time.sleep(0.02)
        return 4.0

    values, details, absent = speed.of_items(run, repeats=3)
    assert len(calls) == 4
    assert values["seconds_per_item"] >= 0.005
    assert values["ram"] > 10**7
    assert details["seconds_per_item"][0] <= values["seconds_per_item"]
    assert absent == {}


def test_a_run_that_did_nothing_has_no_speed() -> None:
    with pytest.raises(EdgeSlmError, match="nothing to time"):
        speed.of_items(lambda: 0.0, repeats=1)


def part() -> Figures:
    return {"kld": 0.5}, {"tokens": 3}, {"perplexity": "This machine does not tell."}


def fails() -> Figures:
    raise IntegrityError("The weights are damaged.")


def test_a_part_that_fails_leaves_the_others_and_its_sentence() -> None:
    sheet = Sheet(("kld", "perplexity", "chrf", "wer"))
    sheet.measure("divergence", ("kld", "perplexity"), part)
    sheet.measure("chrf", ("chrf",), fails)
    found = sheet.measured()
    assert found.values == {"kld": 0.5}
    assert found.details == {"divergence": {"tokens": 3}}
    assert found.absent["chrf"] == "The weights are damaged."
    assert found.absent["perplexity"] == "This machine does not tell."
    assert found.absent["wer"].startswith("Not measured")


def test_what_is_not_asked_is_not_done() -> None:
    sheet = Sheet(("size",))
    sheet.measure("chrf", ("chrf",), fails)
    assert sheet.measured().values == {}


def test_what_the_user_has_to_mend_stops_at_once() -> None:
    def refuses() -> Figures:
        raise UsageError("There is no file here.")

    with pytest.raises(UsageError):
        Sheet(("chrf",)).measure("chrf", ("chrf",), refuses)
