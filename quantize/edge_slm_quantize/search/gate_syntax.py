"""Reads the text of a gate into comparisons of one metric with one bound.

    kld<=0.02 and (faq_accuracy >= 0.98*ref or chrf > ref-1) and size <= 600MB

The text is cut into words whose places are kept; Python's own parser then finds the structure, of
which only comparisons, and/or/not, arithmetic, numbers and known names are let through. Nothing is
ever evaluated as Python. It knows no measured value: gate.py judges.
"""

import ast
import difflib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, NoReturn

from edge_slm.errors import UsageError
from edge_slm.i18n import t
from edge_slm_quantize.metrics import METRICS, Unit
from edge_slm_quantize.recipe import Task

EXAMPLE = "kld<=0.05 and size<=600MB"
LONGEST = 2000  # characters; Python's parser nests less deep than this many words allow
MOST_WORDS = 180

Sign = Literal["<=", "<", ">=", ">"]
_FLIPPED: dict[Sign, Sign] = {"<=": ">=", "<": ">", ">=": "<=", ">": "<"}
_NEGATED: dict[Sign, Sign] = {"<=": ">", "<": ">=", ">=": "<", ">": "<="}
_SIGNS: dict[type[ast.cmpop], Sign] = {ast.LtE: "<=", ast.Lt: "<", ast.GtE: ">=", ast.Gt: ">"}
_WORDS = ("and", "or", "not", "ref")
# Folded to lowercase; French writes o (octet) for B.
_UNITS: dict[str, tuple[float, Unit | None]] = {
    "%": (0.01, None),
    "s": (1.0, "seconds"),
    "ms": (0.001, "seconds"),
    "j": (1.0, "joules"),
    **{f"{name}/s": (1.0, "tokens/s") for name in ("tok", "tokens", "jetons")},
    **{name: (1.0, "bytes") for name in ("b", "o")},
    **{f"{p}{b}": (10.0**n, "bytes") for p, n in (("k", 3), ("m", 6), ("g", 9)) for b in "bo"},
    **{f"{p}i{b}": (2.0**n, "bytes") for p, n in (("k", 10), ("m", 20), ("g", 30)) for b in "bo"},
}
_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)"
    r"(?:\s*(?P<unit>%|(?i:(?:tok|tokens|jetons)/s|(?:[kmg]i?)?[bo]|m?s|j)\b))?"
    r"|(?P<word>[A-Za-z_]\w*)|(?P<sign><=|>=|<|>|[()+*/-]))",
    re.ASCII,
)


@dataclass(frozen=True)
class Bound:
    """Arithmetic on numbers and `ref`: a number, "ref", or (operator, left, right)."""

    kind: float | Literal["ref", "+", "-", "*", "/"]
    left: "Bound | None" = None
    right: "Bound | None" = None

    def value(self, reference: float | None) -> float | None:
        """Return the number; None where `ref` is not known or the division is by zero."""
        if isinstance(self.kind, float):
            return self.kind
        if self.left is None or self.right is None:
            return reference
        left, right = self.left.value(reference), self.right.value(reference)
        if left is None or right is None or (self.kind == "/" and right == 0):
            return None
        match self.kind:
            case "+":
                return left + right
            case "-":
                return left - right
            case "*":
                return left * right
            case _:
                return left / right

    @property
    def has_ref(self) -> bool:
        """Whether it depends on the reference."""
        return self.kind == "ref" or any(x.has_ref for x in (self.left, self.right) if x)


@dataclass(frozen=True)
class Compare:
    """One comparison, the metric on the left; `text` is written so."""

    metric: str
    sign: Sign
    bound: Bound
    text: str


@dataclass(frozen=True)
class Joined:
    """Several that must all hold (`and`), or of which one must (`or`)."""

    how: Literal["and", "or"]
    of: "tuple[Tree, ...]"


Tree = Compare | Joined


class _Token(NamedTuple):
    text: str  # what Python's parser sees
    start: int  # in the user's text, the first is 0
    end: int
    value: float | None = None
    unit: Unit | None = None


def read(text: str, task: Task | None = None) -> Tree:
    """Read a gate.

    Args:
        text: as the user typed it.
        task: of the model; a metric that models of it do not have is refused.
    Raises:
        UsageError: it is no gate; the sentence tells where, and gives an example.
    """
    if len(text) > LONGEST:
        raise UsageError(
            t(
                "The gate has {n} characters, and {most} at most can be read: write it like "
                "{example}.",
                "La condition a {n} caractères, et l'on en lit {most} au plus : écrivez par "
                "exemple {example}.",
                n=len(text),
                most=LONGEST,
                example=EXAMPLE,
            )
        )
    return _Reader(text, task).tree()


class _Reader:
    def __init__(self, text: str, task: Task | None) -> None:
        self.text = text
        self.names = [n for n, m in METRICS.items() if task is None or task in m.tasks]
        self.task = task
        self.tokens = self._cut()
        self.starts: dict[int, _Token] = {}
        self.ends: dict[int, _Token] = {}
        at = 0
        for token in self.tokens:
            self.starts[at] = token
            at += len(token.text)
            self.ends[at] = token
            at += 1

    def tree(self) -> Tree:
        if not self.tokens:
            self._fail(0, t("it names no metric", "elle ne nomme aucune mesure"))
        source = " ".join(token.text for token in self.tokens)
        try:
            body = ast.parse(source, mode="eval").body
        except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
            offset = (getattr(error, "offset", None) or 1) - 1
            near = max((at for at in self.starts if at <= offset), default=0)
            self._fail(self.starts[near].start, _not_understood())
        return self._logic(body, False)

    def _cut(self) -> list[_Token]:
        found: list[_Token] = []
        at = 0
        while self.text[at:].strip():
            match = _TOKEN.match(self.text, at)
            if match is None or len(found) == MOST_WORDS:
                start = len(self.text) - len(self.text[at:].lstrip())
                self._fail(start, _not_understood() if match is None else _too_long())
            found.append(self._token(match, len(found)))
            at = match.end()
        return found

    def _token(self, match: re.Match[str], index: int) -> _Token:
        kind = match.lastgroup or ""
        if match["number"] is not None:
            start = match.start("number")
            factor, unit = _UNITS[match["unit"].lower()] if match["unit"] else (1.0, None)
            value = float(match["number"]) * factor
            if not math.isfinite(value):
                self._fail(start, t("this number is too large", "ce nombre est trop grand"))
            return _Token(f"q{index}", start, match.end(), value, unit)
        start, word = match.start(kind), match[kind]
        if kind == "word":
            word = word.lower()
            if word not in _WORDS and word not in self.names:
                self._fail(start, self._unknown(word))
        return _Token(word, start, match.end())

    def _unknown(self, word: str) -> str:
        if word in METRICS:
            return t(
                "a model for {task} has no {word}; it has {names}",
                "un modèle pour {task} n'a pas de {word} ; il a {names}",
                task=self.task,
                word=word,
                names=", ".join(self.names),
            )
        near = difflib.get_close_matches(word, self.names, n=3, cutoff=0.5) or self.names
        return t(
            "there is no metric {word}; there are {names}",
            "il n'y a pas de mesure {word} ; il y a {names}",
            word=word[:40],
            names=", ".join(near),
        )

    def _logic(self, node: ast.expr, negated: bool) -> Tree:
        """Return the tree of a node; `not` goes down into the comparisons (De Morgan)."""
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return self._logic(node.operand, not negated)
        if isinstance(node, ast.BoolOp):
            every = isinstance(node.op, ast.And) != negated
            parts = tuple(self._logic(value, negated) for value in node.values)
            return Joined("and" if every else "or", parts)
        if not isinstance(node, ast.Compare):
            self._fail(
                self._start(node),
                t(
                    "a comparison such as <= is missing",
                    "il manque une comparaison comme <=",
                ),
            )
        sides = [node.left, *node.comparators]
        links = tuple(
            self._compare(left, operator, right, negated)
            for left, operator, right in zip(sides, node.ops, sides[1:], strict=False)
        )
        return links[0] if len(links) == 1 else Joined("or" if negated else "and", links)

    def _compare(self, left: ast.expr, op: ast.cmpop, right: ast.expr, negated: bool) -> Compare:
        sign = _SIGNS.get(type(op))
        if sign is None:
            self._fail(self._start(left), _not_understood())
        metrics = [side for side in (left, right) if self._metrics(side)]
        if len(metrics) != 1:
            self._fail(
                self._start(left),
                t("this comparison names no metric", "cette comparaison ne nomme aucune mesure")
                if not metrics
                else t("two metrics are compared", "deux mesures sont comparées"),
            )
        if metrics[0] is right:
            left, right, sign = right, left, _FLIPPED[sign]
        if not isinstance(left, ast.Name):
            self._fail(
                self._start(left),
                t(
                    "a metric stands alone on its side of a comparison",
                    "une mesure est seule de son côté d'une comparaison",
                ),
            )
        sign = _NEGATED[sign] if negated else sign
        self._check_units(left.id, right)
        text = f"{left.id} {sign} {self._words(right)}"
        return Compare(left.id, sign, self._bound(right), text)

    def _metrics(self, node: ast.expr) -> list[str]:
        names = [n.id for n in ast.walk(node) if isinstance(n, ast.Name)]
        return [name for name in names if name in METRICS]

    def _bound(self, node: ast.expr) -> Bound:
        if isinstance(node, ast.Name):
            token = self.starts[node.col_offset]
            return Bound("ref") if token.value is None else Bound(token.value)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
            factor = Bound(-1.0 if isinstance(node.op, ast.USub) else 1.0)
            return Bound("*", factor, self._bound(node.operand))
        if isinstance(node, ast.BinOp):
            match node.op:
                case ast.Add():
                    return Bound("+", self._bound(node.left), self._bound(node.right))
                case ast.Sub():
                    return Bound("-", self._bound(node.left), self._bound(node.right))
                case ast.Mult():
                    return Bound("*", self._bound(node.left), self._bound(node.right))
                case ast.Div():
                    return Bound("/", self._bound(node.left), self._bound(node.right))
        self._fail(self._start(node), _not_understood())

    def _check_units(self, metric: str, node: ast.expr) -> None:
        for name in [n for n in ast.walk(node) if isinstance(n, ast.Name)]:
            token = self.starts[name.col_offset]
            if token.unit not in (None, METRICS[metric].unit):
                self._fail(
                    token.start,
                    t(
                        "{metric} is not measured in this unit",
                        "{metric} ne se mesure pas dans cette unité",
                        metric=metric,
                    ),
                )

    def _words(self, node: ast.expr) -> str:
        first, last = self._start(node), self.ends[node.end_col_offset or 0]
        return " ".join(self.text[first : last.end].split())

    def _start(self, node: ast.expr) -> int:
        return self.starts[node.col_offset].start

    def _fail(self, at: int, what: str) -> NoReturn:
        raise UsageError(
            t(
                "The gate is not understood at character {n}: {what}. Write it like {example}.",
                "La condition n'est pas comprise au caractère {n} : {what}. Écrivez par exemple "
                "{example}.",
                n=at + 1,
                what=what,
                example=EXAMPLE,
            )
        )


def _not_understood() -> str:
    return t(
        "only metrics, ref, numbers with units, <= < >= >, + - * /, and, or, not and brackets "
        "are read",
        "on ne lit que des mesures, ref, des nombres avec unité, <= < >= >, + - * /, and, or, not "
        "et des parenthèses",
    )


def _too_long() -> str:
    return t("it has too many words", "elle a trop de mots")


def leaves(tree: Tree) -> Sequence[Compare]:
    """Return all comparisons, from left to right."""
    if isinstance(tree, Compare):
        return [tree]
    return [leaf for part in tree.of for leaf in leaves(part)]
