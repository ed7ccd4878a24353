"""The form that a reply must have, as llama.cpp's GBNF: from the options of a request.

llama.cpp's parser is recursive and has no bounds of its own: what would exhaust the stack or the
memory of the process is refused here. Knows nothing of sampling.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from edge_slm.engines import Options
from edge_slm.errors import UsageError
from edge_slm.i18n import t

# llama.cpp takes no more than this of one thing in a row (MAX_REPETITION_THRESHOLD in
# src/llama-grammar.cpp); the schema's converter writes each of them out.
MOST_REPETITIONS = 2000
# Brackets within brackets: 20,000 of them overflow a stack of 8 MB, and some systems give 1 MB.
DEEPEST = 600
LONGEST = 500_000  # characters

_COUNTS = frozenset(("minItems", "maxItems", "minLength", "maxLength"))
_QUANTIFIER = re.compile(r"\{\s*(\d*)\s*,?\s*(\d*)\s*\}")
# Texts, classes of characters and comments, closed or not: brackets in them nest nothing.
_FLAT = re.compile(r'"(?:\\.|[^"\\])*(?:"|\Z)|\[(?:\\.|[^\]\\])*(?:\]|\Z)|#[^\n]*', re.DOTALL)


def grammar_of(options: Options) -> str | None:
    """Return the grammar that a reply must keep to, or None where it is free.

    Raises:
        UsageError: the grammar or the schema cannot be used.
    """
    if options.grammar and options.json_schema:
        raise unusable("give a grammar or a schema", "donnez une grammaire ou un schéma")
    grammar = _of_schema(options.json_schema) if options.json_schema else options.grammar
    if not grammar:
        return None
    if len(grammar) > LONGEST or _depth(grammar) > DEEPEST:
        raise unusable("it is too large", "elle est trop grande")
    if "\0" in grammar or grammar.encode("utf-8", "replace").decode() != grammar:
        raise unusable("the grammar is no text", "la grammaire n'est pas un texte")
    return grammar


def unusable(en: str, fr: str) -> UsageError:
    """Return the error of a form that cannot be kept, with the reason in both languages."""
    return UsageError(
        t(
            "The form asked for cannot be kept: {why}.",
            "La forme demandée ne peut être tenue : {why}.",
            why=t(en, fr),
        )
    )


def _of_schema(schema: str) -> str:
    from llama_cpp.llama_grammar import JSON_GBNF, json_schema_to_gbnf

    if schema.strip() == "{}":
        return str(JSON_GBNF)
    # A schema may be wrong in any way; the converter meets it with whatever it runs into.
    try:
        if any(count > MOST_REPETITIONS for count in _counts(json.loads(schema))):
            raise ValueError(f"> {MOST_REPETITIONS}")
        return str(json_schema_to_gbnf(schema))
    except (
        ArithmeticError,
        AssertionError,
        AttributeError,
        LookupError,
        NotImplementedError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        reason = f"{type(error).__name__}: {error}"[:200]
        raise unusable(f"this JSON schema: {reason}", f"ce schéma JSON : {reason}") from None


def _counts(schema: Any) -> Iterator[float]:
    """Yield how often the schema asks for something."""
    waiting = [schema]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting.extend(node)
        elif isinstance(node, dict):
            waiting.extend(node.values())
            yield from (
                count
                for name, count in node.items()
                if name in _COUNTS and isinstance(count, int | float)
            )
            if isinstance(pattern := node.get("pattern"), str):
                for bounds in _QUANTIFIER.findall(pattern):
                    yield from (int(bound) for bound in bounds if bound)


def _depth(grammar: str) -> int:
    """Return how deep brackets stand within brackets."""
    depth = deepest = 0
    for bracket in re.findall(r"[()]", _FLAT.sub("", grammar)):
        depth += 1 if bracket == "(" else -1
        deepest = max(deepest, depth)
    return deepest
