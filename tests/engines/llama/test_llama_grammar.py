"""Grammars and schemas, hostile ones among them: a grammar comes out, or a sentence."""

import json
import socket
import sys
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_slm.engines import GREEDY, Options
from edge_slm.engines.llama.grammar import DEEPEST, LONGEST, MOST_REPETITIONS, grammar_of
from edge_slm.errors import UsageError


def _of(schema: Any) -> str:
    text = schema if isinstance(schema, str) else json.dumps(schema)
    grammar = grammar_of(Options(json_schema=text))
    assert grammar is not None
    return grammar


def _nested(depth: int) -> str:
    return '{"type":"array","items":' * depth + "{}" + "}" * depth


HOSTILE: dict[str, Any] = {
    "no-json": "{type: string",
    "two": "{} {}",
    "half": '{"type": "str',
    "array": [],
    "array-of-schemas": [{"type": "string"}],
    "text": '"string"',
    "number": "1",
    "null": "null",
    "true": "true",
    "type-unknown": {"type": "everything"},
    "type-number": {"type": 7},
    "properties-list": {"type": "object", "properties": [1, 2]},
    "property-number": {"type": "object", "properties": {"a": 1}},
    "required-number": {"type": "object", "properties": {}, "required": 3},
    "enum-number": {"enum": 3},
    "any-of-text": {"anyOf": "ab"},
    "pattern-number": {"type": "string", "pattern": 3},
    "pattern-open": {"type": "string", "pattern": "^[a$"},
    "pattern-uneven": {"type": "string", "pattern": "^a)$"},
    "pattern-free": {"type": "string", "pattern": "a"},
    "pattern-star": {"type": "string", "pattern": "^*$"},
    "ref-nowhere": {"$ref": "#/definitions/none"},
    "ref-root": {"$ref": "#"},
    "ref-itself": {"$defs": {"a": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
    "ref-number": {"$ref": 5},
    "ref-file": {"$ref": "file:///etc/passwd"},
    "ref-relative": {"$ref": "other.json"},
    "count-text": {"type": "array", "items": {}, "minItems": "1"},
    "count-infinite": '{"type": "string", "maxLength": 1e999}',
    "deep": _nested(100_000),
    "long-number": '{"type": "string", "maxLength": ' + "9" * 9999 + "}",
    "not-a-character": '{"type": "' + "\ud800" + '"}',
    "nul": '{"type": "string"}\0',
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_schema_that_cannot_be_kept_is_told(kind: str) -> None:
    with pytest.raises(UsageError, match="cannot be kept") as caught:
        _of(HOSTILE[kind])
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("key", ["minItems", "maxItems", "minLength", "maxLength"])
@pytest.mark.parametrize("count", [MOST_REPETITIONS + 1, 10**9, 10**12, 1e300])
def test_a_schema_that_would_fill_the_memory_is_told(key: str, count: float) -> None:
    kind = {"type": "array", "items": {"type": "null"}} if "Items" in key else {"type": "string"}
    inner = {"anyOf": [{"type": "null"}, {**kind, key: count}]}
    with pytest.raises(UsageError, match="cannot be kept"):
        _of({"type": "object", "properties": {"a": inner}})


@pytest.mark.parametrize("bounds", ["{999999999}", "{1,999999999}", "{999999999,}", "{ 9999999 }"])
def test_a_pattern_that_would_fill_the_memory_is_told(bounds: str) -> None:
    with pytest.raises(UsageError, match="cannot be kept"):
        _of({"type": "string", "pattern": f"^a{bounds}$"})


def test_a_schema_that_names_itself_ends() -> None:
    below = {"type": "object", "properties": {"below": {"$ref": "#/$defs/t"}}}
    tree = {"$defs": {"t": below}, "type": "object", "properties": {"top": {"$ref": "#/$defs/t"}}}
    assert "root ::=" in _of(tree)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_schema_elsewhere_is_never_fetched(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    requests = ModuleType("requests")
    monkeypatch.setattr(requests, "get", asked.append, raising=False)
    monkeypatch.setitem(sys.modules, "requests", requests)
    monkeypatch.setattr(socket.socket, "connect", lambda *to: asked.append(to))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *to, **_: asked.append(to))
    there = f"{scheme}://schemas.example/address.json"
    for schema in ({"$ref": there}, {"properties": {"a": {"$ref": f"{there}#/a"}}}):
        with pytest.raises(UsageError, match="cannot be kept"):
            _of(schema)
    assert asked == []


_KEYS = st.sampled_from(
    [
        *("type", "properties", "items", "anyOf", "oneOf", "allOf", "enum", "const", "required"),
        *("$ref", "pattern", "format", "minItems", "maxItems", "minLength", "maxLength"),
        *("prefixItems", "additionalProperties", "$defs", "a"),
    ]
)
_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 1 << 40)
    | st.floats()
    | st.sampled_from(["string", "object", "array", "integer", "null", "#/$defs/a", "date", "uuid"])
    | st.text("^$a(){}[]*+?|.\\1,\"'é", max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(_KEYS, _VALUES, max_size=5))
def test_any_schema_gives_a_grammar_or_a_sentence(schema: dict[str, Any]) -> None:
    try:
        grammar = _of(schema)
    except UsageError:
        return
    assert 0 < len(grammar) <= LONGEST


@given(st.text(max_size=60))
def test_any_text_as_a_schema_gives_a_grammar_or_a_sentence(text: str) -> None:
    try:
        assert grammar_of(Options(json_schema=text)) or not text
    except UsageError as error:
        assert str(error)


def test_an_empty_schema_asks_for_an_object() -> None:
    assert _of("{}") == _of(" {}\n")
    assert "root" in _of("{}")


def test_a_grammar_is_taken_as_it_stands() -> None:
    assert grammar_of(Options(grammar='root ::= "a"')) == 'root ::= "a"'


def test_free_text_needs_no_grammar() -> None:
    assert grammar_of(GREEDY) is None
    assert grammar_of(Options(grammar="", json_schema="")) is None


def test_a_grammar_and_a_schema_together_are_told() -> None:
    with pytest.raises(UsageError, match="a grammar or a schema"):
        grammar_of(Options(grammar='root ::= "a"', json_schema="{}"))


@pytest.mark.parametrize(
    "grammar",
    [
        "root ::= " + "(" * 20_000 + '"a"' + ")" * 20_000,
        "root ::= " + "(" * (DEEPEST + 1),
        'root ::= "a"' + " " * LONGEST,
        'root ::= "a"\0 junk',
        'root ::= "\ud800"',
        'root ::= ")))" [)] # )))\n' + "(" * (DEEPEST + 1),
    ],
    ids=["deep", "open", "long", "nul", "not-a-character", "hidden"],
)
def test_a_grammar_that_would_end_the_process_is_told(grammar: str) -> None:
    with pytest.raises(UsageError, match="cannot be kept"):
        grammar_of(Options(grammar=grammar))


@pytest.mark.parametrize(
    "grammar",
    [
        "root ::= " + " | ".join(['":("'] * (DEEPEST + 1)),
        "root ::= " + " ".join(["[(]"] * (DEEPEST + 1)),
        'root ::= "a" # ' + "(" * (DEEPEST + 1),
        "root ::= " + " ".join(['("a")'] * (DEEPEST + 1)),
        'root ::= "\\"((" ' + " ".join(['"\\\\" "("'] * (DEEPEST + 1)),
    ],
    ids=["texts", "classes", "comment", "in-a-row", "escapes"],
)
def test_brackets_that_nest_nothing_do_no_harm(grammar: str) -> None:
    assert grammar_of(Options(grammar=grammar)) == grammar


@pytest.mark.parametrize("grammar", ['"' * 99_999, "[" * 99_999, '"[' * 50_000, "\\" * 99_999])
def test_a_grammar_of_open_brackets_is_read_in_one_pass(grammar: str) -> None:
    assert grammar_of(Options(grammar=grammar)) == grammar
