"""Reports: the JSON that programs read, and pages that hold what hostile names carry."""

import re
import sys
from html.parser import HTMLParser
from xml.etree import ElementTree

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from edge_slm_quantize.records import Measured
from edge_slm_quantize.report import html, markdown, pareto, plot, tables
from edge_slm_quantize.report.pareto import Point
from edge_slm_quantize.report.result import Outcome, as_json
from tests.quantize.orders import SOURCE, a_made
from tests.quantize.report.results import a_result, an_outcome

HOSTILE = '<script>alert("x")</script> | `b` [c](d) \n# e \x00 \ud800 $x$'


class Tags(HTMLParser):
    """Collects elements and addresses of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        if tag not in ("meta", "link", "br", "img"):
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in ("href", "src", "xlink:href", "action"):
                self.addresses.append(value or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in ("meta", "link", "br", "img"):
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_json_begins_with_what_was_chosen_and_names_every_figure() -> None:
    found = as_json(a_result())
    assert list(found)[:2] == ["chosen", "gate"]
    assert found["chosen"] == "Q4_K_M"
    first, *_, last = found["recipes"]
    assert (first["recipe"], first["bytes"], first["passed"]) == ("Q4_0", 90_000_000, False)
    assert first["kld"] == 0.28 and first["tokens_per_second"] == 109.0
    for key in ("bytes", "bits_per_weight", "kld", "top1_agreement", "tokens_per_second"):
        assert last[key] is None
    assert last["passed"] is None and last["dropped"] == "larger than what passed"
    text = msgspec.json.encode(found)
    assert msgspec.json.encode(msgspec.json.decode(text)) == text


def test_markdown_tells_the_choice_the_doubts_and_the_circumstances() -> None:
    page = markdown.page(a_result())
    assert "Chosen: Q4_K_M, 105.0 MB, the smallest that passes kld&lt;=0.1." in page
    assert "| Q4_0 | does not pass |" in page
    assert "0.280 (0.252–0.308)" in page
    assert "Q6_K: larger than what passed" in page
    assert "Q4_0, Q4_K_M, Q8_0: faq_accuracy: no base is here" in page
    assert "on battery." in page and "a test" in page and "1" * 64 in page
    assert "edge-slm quantize small --for bench" in page


def test_recipes_whose_intervals_overlap_are_said_to_be_indistinguishable() -> None:
    close = (an_outcome("A", 1, 0.050, 10.0), an_outcome("B", 2, 0.052, 10.0))
    assert pareto.alike(close) == [("A", "B")]
    assert "A and B are not distinguishable" in markdown.page(a_result(recipes=close, chosen="A"))
    assert pareto.alike(a_result().recipes) == []


def test_when_nothing_passes_the_nearest_miss_is_told() -> None:
    page = markdown.page(a_result(chosen=None, nearest="Q4_0 misses: kld"))
    assert "No recipe passes" in page and "Q4_0 misses: kld." in page


def test_an_original_that_was_quantised_already_is_said_to_be() -> None:
    source = msgspec.structs.replace(SOURCE, quantisation="Q4_1")
    assert "already quantised (Q4_1)" in markdown.page(a_result(source=source))


def test_the_page_is_one_whole_document_that_asks_nobody_for_anything() -> None:
    pytest.importorskip("matplotlib")
    page = html.page(a_result())
    tags = Tags(page)
    assert tags.open == [] and tags.seen.count("svg") == 3
    assert not {"script", "link", "img", "iframe", "object"} & set(tags.seen)
    assert all(address.startswith("#") for address in tags.addresses)
    assert not re.search(r"url\((?!#)|@import", page)
    assert len(tags.ids) == len(set(tags.ids))
    assert {address[1:] for address in tags.addresses} <= set(tags.ids)
    assert 'scope="col"' in page and 'scope="row"' in page and "prefers-color-scheme" in page


def test_plots_name_the_recipes_and_take_the_page_s_colour() -> None:
    pytest.importorskip("matplotlib")
    for number, plane in enumerate(pareto.planes(a_result())):
        drawn = plot.svg(plane, number)
        text = "".join(ElementTree.fromstring(drawn).itertext())
        assert "Q4_K_M" in text and "Q6_K" not in text
        assert "currentColor" in drawn and "#010203" not in drawn
        assert 'role="img"' in drawn and "aria-label=" in drawn


@pytest.mark.parametrize("language", ["en", "fr"])
def test_hostile_names_stay_text(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_SLM_LANG", language)
    source = msgspec.structs.replace(SOURCE, name=HOSTILE, quantisation=HOSTILE)
    result = a_result(
        source=source,
        chosen=None,
        nearest=HOSTILE,
        command=HOSTILE,
        texts_origin=HOSTILE,
        recipes=(an_outcome(HOSTILE, 1, 0.2, 5.0), Outcome(recipe="Q4_0", error=HOSTILE)),
    )
    page = html.page(result)
    tags = Tags(page)
    assert "script" not in tags.seen and tags.open == []
    page.encode()
    text = markdown.page(result)
    assert "<script" not in text
    for line in text.splitlines():
        assert not line.startswith("# e")
        if line.startswith("|") and "script" in line:
            assert len(re.findall(r"(?<!\\)\|", line)) == len(
                re.findall(r"(?<!\\)\|", _head_of(text, line))
            )


def _head_of(text: str, line: str) -> str:
    lines = text.splitlines()
    at = lines.index(line)
    while not lines[at].startswith("| ---"):
        at -= 1
    return lines[at]


def test_without_matplotlib_the_page_says_how_to_get_the_plots(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    page = html.page(a_result())
    assert "Drawing needs matplotlib" in page and "<svg" not in page


def test_a_job_that_measured_nothing_still_has_its_pages() -> None:
    result = a_result(recipes=(Outcome(recipe="Q4_0", error="disk full"),), chosen=None)
    assert "There is nothing to draw" in html.page(result)
    assert "Q4_0: disk full" in markdown.page(result)


def test_losses_of_shares_are_what_they_lack() -> None:
    source = msgspec.structs.replace(SOURCE, task="embed")
    one = Outcome(recipe="A", measured=Measured(values={"cosine": 0.99, "seconds_per_item": 2.0}))
    (plane,) = pareto.planes(a_result(source=source, recipes=(one,)))
    assert plane.cost == "seconds_per_item"
    assert plane.points[0].loss == pytest.approx(0.01)
    assert pareto.loss_of("chrf", 60.0) == 40.0


_points = some.lists(
    some.builds(
        Point,
        some.uuids().map(str),
        some.floats(0, 5).map(round),
        some.floats(0, 5).map(round),
        some.booleans(),
    ),
    max_size=12,
)


@given(_points, some.booleans())
def test_every_recipe_is_on_the_front_or_beaten_by_one_that_is(
    points: list[Point], more: bool
) -> None:
    kept = pareto.front(points, more)
    sign = -1 if more else 1
    assert set(kept) <= set(points)
    for point in points:
        beaten = [
            q
            for q in kept
            if sign * q.cost <= sign * point.cost
            and q.loss <= point.loss
            and (q.cost, q.loss) != (point.cost, point.loss)
        ]
        assert (point in kept) is not bool(beaten)
    costs = [sign * point.cost for point in kept]
    assert costs == sorted(costs)


def test_what_runs_on_the_npu_is_told_graph_by_graph() -> None:
    fallen = {"operation": "Gather", "nodes": 2, "why": "A <table> lookup."}
    found = {
        "nodes": {"NPU": 8, "CPU": 2},
        "bytes": {"NPU": 4_000_000, "CPU": 1_000_000},
        "islands": 3,
        "fallen": [fallen],
    }
    made = a_made("qnn-a16w8", ".", 5)
    artefact = msgspec.structs.replace(made.artefact, details={"delegation": {"encoder": found}})
    one = Outcome(recipe="qnn-a16w8", made=msgspec.structs.replace(made, artefact=artefact))
    result = a_result(recipes=(one,), chosen=None)
    for page in (markdown.page(result), html.page(result)):
        assert "NPU 8, CPU 2" in page and "4.0 MB" in page and "Gather × 2" in page
        assert "<table> lookup" not in page
    assert tables.delegation(a_result()) == []
