"""Every sentence that a user sees stands in English and in French, with the same fields."""

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.core.source_tree import dotted, modules, tree

# name of the function -> how many arguments come before the two texts
SPEAKERS = {"t": 0, "say": 1, "_require": 1}


def _calls(path: Path) -> Iterator[tuple[ast.Call, list[ast.expr]]]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            before = SPEAKERS.get(node.func.id)
            if before is not None:
                yield node, node.args[before:]


def _fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def _problem(call: ast.Call, texts: list[ast.expr]) -> str:
    if any(isinstance(text, ast.Starred) for text in texts):
        return ""  # a pair from a table, which is typed as two texts
    if len(texts) != 2 or any(isinstance(text, ast.JoinedStr) for text in texts):
        return "needs two texts, neither an f-string"
    constants = [text.value for text in texts if isinstance(text, ast.Constant)]
    if not constants:
        return ""  # handed on: whoever calls gives both
    spoken = [text for text in constants if isinstance(text, str) and text.strip()]
    if len(spoken) != 2:
        return "needs two texts"
    english, french = map(_fields, spoken)
    given = {keyword.arg for keyword in call.keywords if keyword.arg}
    spread = any(keyword.arg is None for keyword in call.keywords)
    # A value that is itself in one language has a name in each: {reason} and {raison}.
    if len(english) != len(french) or not given <= english | french:
        return f"fields differ: {english} {french} {given}"
    if not spread and not english | french <= given:
        return f"fields without a value: {(english | french) - given}"
    return ""


@pytest.mark.parametrize("path", modules(), ids=dotted)
def test_both_texts_are_there_with_the_same_fields(path: Path) -> None:
    if path.name == "i18n.py":
        pytest.skip("defines t and say")
    problems = [
        f"line {call.lineno}: {problem}"
        for call, texts in _calls(path)
        if (problem := _problem(call, texts))
    ]
    assert problems == []


def test_the_check_finds_what_it_looks_for() -> None:
    bad = ['t("a")', 't("a {x}", "b", x=1)', 't("a {x}", "b {y}", x=1)', 't("a", text)']
    bad += ['t("a", "b", x=1)', 'say("fr", "a", f"b")', 't("a", " ")']
    good = ['t("a {x}", "b {x:.2f}", x=1)', 'say(language, "a", "b")', "t(*pair)", "t(en, fr)"]
    for source in [*bad, *good]:
        call = ast.parse(source, mode="eval").body
        assert isinstance(call, ast.Call)
        assert isinstance(call.func, ast.Name)
        assert bool(_problem(call, call.args[SPEAKERS[call.func.id] :])) == (source in bad)


def test_there_are_many_such_texts() -> None:
    assert sum(1 for path in modules() for _ in _calls(path)) > 100
