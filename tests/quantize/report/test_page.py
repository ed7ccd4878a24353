"""What the report's page looks like: tables that stay readable, plots with plain numbers."""

import re

import msgspec
import pytest

from edge_slm_quantize.records import Measured
from edge_slm_quantize.report import html, markdown, plot, tables
from edge_slm_quantize.report.pareto import Plane, Point
from edge_slm_quantize.report.result import Outcome, without_words
from tests.quantize.report.results import a_result, an_outcome

FAR = (Point("A", 90e6, 0.5, False), Point("B", 150e6, 0.004, True))


def quoting() -> Outcome:
    one = an_outcome("Q4_0", 90_000_000, 0.05, 109.0)
    place = {"before": "my <b>own</b> words", "reference_text": "x", "candidate_text": "y"}
    details = {"divergence": {"tokens": 512, "flips": [{**place, "kld": 0.5}]}, "speed": {"n": 3}}
    measured = Measured(values={"kld": 0.05}, details=details)
    return msgspec.structs.replace(one, measured=measured)


def test_marks_of_a_wide_axis_are_numbers_and_no_formula() -> None:
    assert "math" not in plot.svg(Plane("size", "kld", FAR))


@pytest.mark.parametrize(("language", "mark"), [("en", "0.1"), ("fr", "0,1")])
def test_marks_have_the_reader_s_decimal_mark(
    language: str, mark: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGE_SLM_LANG", language)
    assert f">{mark}<" in plot.svg(Plane("size", "kld", FAR))


def test_one_point_alone_is_not_said_to_be_a_front() -> None:
    assert "no other is better" not in plot.svg(Plane("size", "kld", FAR[:1]))
    assert "no other is better" in plot.svg(Plane("size", "kld", FAR))


def test_the_table_of_figures_is_scrolled_and_its_words_are_not_broken() -> None:
    page = html.page(a_result())
    assert re.search(r"\.figures td, \.figures th \{[^}]*white-space: nowrap", page)
    assert page.count('<table class="figures">') == 1
    assert page.count('<div class="wide" tabindex="0">') == page.count("<table")


def test_words_are_quoted_as_text_where_they_were_asked_for() -> None:
    asked = a_result(recipes=(quoting(),))
    page = html.page(asked)
    assert "my &lt;b&gt;own&lt;/b&gt; words" in page and "<b>" not in page
    assert "my &lt;b>own" in markdown.page(asked)


def test_without_words_only_the_words_are_missing() -> None:
    one = without_words(quoting())
    assert one.measured and one.measured.details == {
        "divergence": {"tokens": 512},
        "speed": {"n": 3},
    }
    assert not tables.changed(a_result(recipes=(one,)))
    assert without_words(Outcome(recipe="Q6_K")) == Outcome(recipe="Q6_K")
