"""The facts of a text in one form, so that two wordings of the same fact are equal.

“Vingt-cinq jours”, “25 jours” and “twenty-five days” are one fact; “25 jours ouvrés” is another.
Every digit of a text belongs to a fact. What a fact is about (“3 mois” of what) is not known here.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction

from edge_slm.i18n import Language
from edge_slm.stop_words import STOP_WORDS
from edge_slm.tasks.hr_faq import references, units
from edge_slm.tasks.hr_faq.numerals import to_digits
from edge_slm.text import fold

# Units of a number without a unit: nothing is said that it counts; a thing; it is the number of a
# fact that has a unit (what `facts` adds for the text of a passage).
BARE, THING, PART = "", "thing", "part"


@dataclass(frozen=True)
class Fact:
    """A fact: what kind it is, its value, its unit, and the words that say it.

    Values are decimal numbers or fractions ("25", "2.88", "200/3"), dates as ISO with dots for
    what is not said ("2021-01-01", "2021-..-..", "....-01-01"), numbers of articles. Shares are in
    percent, times in minutes since midnight. The words are not compared.
    """

    kind: references.Kind
    value: str
    unit: str = BARE
    words: str = field(default="", compare=False)


@dataclass(frozen=True)
class _Item:
    """A fact where it stands; the number as written, and its unit, where it is one."""

    fact: Fact
    start: int
    end: int
    number: Fraction | None = None
    unit: units.Unit | None = None


_PATTERNS = references.PATTERNS | {
    "fraction": r"\d{1,2}/\d{1,3}(?:e|eme)?(?![\w/])",
    "number": rf"(?:[€$£][ ]?)?{units.NUMBER}",
    "code": r"[^\W_]*\d\w*",
}
# Tried where a word begins only, so that a long text is read in linear time.
_SCAN = re.compile(
    r"(?<![^\W_])(?:"
    + "|".join(f"(?P<{name}>{pattern})" for name, pattern in _PATTERNS.items())
    + r")|(?P<rest>\d+)",
    re.IGNORECASE,
)
_RANGE = re.compile(r"[ ]?(?:-|,|/|et|ou|a|au|and|or|to)(?:[ ]d[eu'])?[ ]?", re.IGNORECASE)
_LONGEST_RANGE = 8
_YEAR = re.compile(references.YEAR)
_NOUN = re.compile(r"[ -]([^\W\d_]{2,})|([^\W\d_]+)")
_SPACES = re.compile(r"\s+")
_TYPOGRAPHY = str.maketrans({"’": "'", "‑": "-", "–": "-", "—": "-", "−": "-", "⁄": "/", "№": "n°"})
_AND_HALF = re.compile(r"(?<=\d)[ ]?½")
_VULGAR = re.compile("[½⅓⅔¼¾]")
_STOP = frozenset(fold(word) for words in STOP_WORDS.values() for word in words)


def facts(text: str, language: Language, named: str | None = None) -> frozenset[Fact]:
    """Return the facts of a text.

    Args:
        text: any text, without citation marks.
        language: its language.
        named: for the text of a passage, the words around it, such as the header of a table's
            column: a bare number of the text also counts each unit that they name, and a number
            with a unit can be said without.
    """
    read = plain(text, language)
    items = _ranged(read, list(_items(read, language)))
    found = {item.fact for item in items}
    if named is not None:
        found |= set(_spread(items, units.named(plain(named, language), language)))
    return frozenset(found)


def bears(known: Set[Fact], fact: Fact) -> bool:
    """Return whether known facts bear out a fact: they hold it, or one that says more.

    “2021” is borne out by “1er janvier 2021”, “25 jours” by “25 jours ouvrés”, “25” by any
    number 25 but “article 25”; never the other way round.
    """
    return fact in known or any(_says_more(other, fact) for other in known)


def _says_more(other: Fact, fact: Fact) -> bool:
    if fact.kind != other.kind:
        return False
    if fact.kind == "date":
        return all(
            mine.startswith(".") or mine == theirs
            for mine, theirs in zip(fact.value.split("-"), other.value.split("-"), strict=True)
        )
    if fact.value != other.value:
        return False
    if fact.kind == "number":
        return fact.unit == BARE or (fact.unit == THING and other.unit == BARE)
    if fact.kind == "article":
        return fact.unit == ""
    return other.unit in _HOLDS_DAY.get(fact.unit, ())


# English has one “working day” for two kinds of French ones.
_HOLDS_DAY = {
    "day": ("day calendar", "day worked", "day workable", "day working", "day clear"),
    "day working": ("day worked", "day workable"),
    "day worked": ("day working",),
    "day workable": ("day working",),
}


def plain(text: str, language: Language) -> str:
    """Return a text with numbers in digits, plain typography and no accents; case is kept."""
    text = _AND_HALF.sub(",5", _SPACES.sub(" ", text))
    text = _VULGAR.sub(lambda found: f" {unicodedata.normalize('NFKC', found[0])}", text)
    text = unicodedata.normalize("NFKC", text).translate(_TYPOGRAPHY)
    text = to_digits(text, language)
    bare = unicodedata.normalize("NFKD", text)
    return "".join(char for char in bare if not unicodedata.combining(char))


def _items(text: str, language: Language) -> Iterator[_Item]:
    for match in _SCAN.finditer(text):
        name = str(match.lastgroup)
        if name == "number":
            yield _number(match, language)
        elif name == "fraction":
            yield from _fraction(match)
        else:
            words = match.group()
            read = references.read(name, words) if name in references.PATTERNS else _code(words)
            for kind, value, unit in read:
                yield _Item(Fact(kind, value, unit, words), *match.span())


def _code(words: str) -> Iterator[references.Found]:
    yield "number", words.lower(), THING


def _number(match: re.Match[str], language: Language) -> _Item:
    text, (start, end) = match.string, match.span()
    written = match.group()
    value = units.quantity(written.lstrip("€$£ "), language)
    if value is None:
        return _Item(Fact("number", written, THING, written), start, end)
    said = units.counted(value, text, end)
    value, unit, end = said.value, said.unit, said.end
    if written[0] in "€$£":
        unit = units.sign(written[0])
    if unit:
        return _Item(_counted(value, unit, text[start:end]), start, end, value, unit)
    if _YEAR.fullmatch(written) and not _counts_a_noun(text, end):
        return _Item(Fact("date", f"{written}-..-..", words=written), start, end, value)
    kind = THING if _counts_a_noun(text, end) else BARE
    return _Item(Fact("number", shown(value), kind, text[start:end]), start, end, value)


def _counts_a_noun(text: str, end: int) -> bool:
    noun = _NOUN.match(text, end)
    return noun is not None and (noun[1] is None or fold(noun[1]) not in _STOP)


def _fraction(match: re.Match[str]) -> Iterator[_Item]:
    """Yield a share, or a part of a unit of time (“1/2 journée”); “24/7” is two numbers."""
    text, (start, end) = match.string, match.span()
    over, under = (int(part) for part in re.findall(r"\d+", match.group()))
    if not 0 < over < under:
        for number in (over, under):
            yield _Item(Fact("number", str(number), THING, match.group()), start, end)
        return
    value = Fraction(over, under)
    said = units.counted(value, text, end)
    if said.unit and said.unit.kind == "duration":
        words = text[start : said.end]
        yield _Item(_counted(value, said.unit, words), start, said.end, value, said.unit)
    else:
        yield _Item(Fact("share", shown(100 * value), "%", match.group()), start, end)


def _counted(value: Fraction, unit: units.Unit, words: str) -> Fact:
    return Fact(unit.kind, shown(value * unit.times), unit.name, words)


def shown(value: Fraction) -> str:
    """Return a number in decimals where they end, else as a fraction."""
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    if rest != 1:
        return str(value)
    return format((Decimal(value.numerator) / value.denominator).normalize(), "f")


def _ranged(text: str, items: Sequence[_Item]) -> list[_Item]:
    """Return the items, each bare number of a range with the unit of the next (“3 à 5 ans”)."""
    done: list[_Item] = []
    for item in reversed(items):
        after = done[-1] if done else None
        if (
            after
            and after.unit
            and item.number is not None
            and item.unit is None
            and after.start - item.end <= _LONGEST_RANGE
            and _RANGE.fullmatch(text, item.end, after.start)
        ):
            words = text[item.start : after.end]
            fact = _counted(item.number, after.unit, words)
            item = replace(item, fact=fact, unit=after.unit)
        done.append(item)
    return done[::-1]


def _spread(items: Sequence[_Item], named: Set[units.Unit]) -> Iterator[Fact]:
    """Yield what else the numbers of a passage may be called."""
    for item in items:
        if item.number is None:
            continue
        if item.unit:
            yield Fact("number", shown(item.number), PART, item.fact.words)
        elif item.fact.unit == BARE:
            for unit in named:
                yield _counted(item.number, unit, item.fact.words)
