"""The answer as JSON: the contract of the command line, a server and the Python API."""

import json
from typing import get_args

import msgspec
import pytest

from edge_slm.answer import Answer, Energy, Kind, ModelUsed, Route, Segment, Source, Task, Usage

SOURCE = Source("rh", "conges.pdf", "Les congés", 3, "Durée", "rh:42", "25 jours", 0.83)
ROUTE = Route("hr_faq", 0.98, "why")
PLAIN = Answer(
    text="25 jours", kind="quote", task="hr_faq", language="fr", ai_generated=False, route=ROUTE
)
FULL = msgspec.structs.replace(
    PLAIN,
    kind="written",
    ai_generated=True,
    sources=(SOURCE,),
    model=ModelUsed("m", "0" * 64, "Q4_K_M"),
    usage=Usage(612, 580, 41),
    timings_ms={"route": 1.2, "total": 2100.0},
    energy=Energy(21.4, 15.0, 28.0, "rapl", 0.0059),
    warnings=("check",),
    segments=(Segment(0.0, 1.5, "Bonjour"),),
)


def test_the_keys_are_those_of_the_contract() -> None:
    row = json.loads(FULL.to_json())
    contract = "text kind task language ai_generated sources route model usage timings_ms energy"
    assert {*contract.split(), "warnings"} <= set(row)
    assert set(row) - {*contract.split(), "warnings"} == {
        "segments",
        "triage",
        "understood",
        "checks",
    }
    keys = "kb document title page section passage quote score"
    assert list(row["sources"][0]) == keys.split()
    assert list(row["route"]) == ["task", "confidence", "why"]
    assert list(row["model"]) == ["id", "sha256", "quantisation"]
    assert list(row["usage"]) == ["prompt_tokens", "cached_tokens", "completion_tokens"]
    energy = ["joules", "low", "high", "method", "wh"]
    assert list(row["energy"]) == [*energy, "scope", "cpu_seconds"]


def test_what_is_not_known_is_null_and_never_zero() -> None:
    row = json.loads(PLAIN.to_json())
    assert row["model"] is None
    assert row["energy"]["joules"] is None
    assert row["energy"]["method"] is None
    assert (row["sources"], row["warnings"]) == ([], [])


@pytest.mark.parametrize("answer", [PLAIN, FULL])
def test_an_answer_comes_back_from_its_json(answer: Answer) -> None:
    assert msgspec.json.decode(answer.to_json(), type=Answer) == answer


def test_french_stands_readable_in_the_json() -> None:
    answer = msgspec.structs.replace(PLAIN, text='« Été » : 2,88 €\n"x" \u2028 \x00 🙂')
    assert "« Été » : 2,88 €" in answer.to_json()
    assert json.loads(answer.to_json())["text"] == answer.text


@pytest.mark.parametrize(
    ("key", "value"), [("kind", "guess"), ("task", "poetry"), ("sources", None), ("text", 3)]
)
def test_what_breaks_the_contract_is_refused(key: str, value: object) -> None:
    row = {**json.loads(PLAIN.to_json()), key: value}
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(json.dumps(row), type=Answer)


def test_kinds_and_tasks_are_those_of_the_contract() -> None:
    kinds = "approved quote written declined translation transcript bot triage"
    assert set(get_args(Kind)) == set(kinds.split())
    assert {"hr_faq", "translation", "speech", "bot", "triage", "fallback"} <= set(get_args(Task))


def test_an_answer_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        PLAIN.text = "other"  # type: ignore[misc]
