"""What a question asks, apart from how it is worded: words, conditions, figures, what is asked for.

Two wordings of one question read alike here; two questions on one subject that differ in a
condition, a figure or a negation do not (likeness.py compares them). It knows no model and no base.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from edge_slm.kb.asking import asks, details
from edge_slm.kb.concepts import concepts, fillers
from edge_slm.kb.lexical import stems
from edge_slm.stop_words import STOP_WORDS
from edge_slm.text import fold

LONGEST = 600  # characters read: a longer text is no question that somebody approved
_TOKEN = re.compile(r"[a-z0-9]+")
_NUMBERS = {
    word: number
    for number, words in enumerate(
        [
            "zero",
            "un une one",
            "deux two",
            "trois three",
            "quatre four",
            "cinq five",
            "six",
            "sept seven",
            "huit eight",
            "neuf nine",
            "dix ten",
            "onze eleven",
            "douze twelve",
            "treize thirteen",
            "quatorze fourteen",
            "quinze fifteen",
            "seize sixteen",
        ]
    )
    for word in words.split()
} | {"vingt": 20, "vingts": 20, "trente": 30, "quarante": 40, "cinquante": 50, "soixante": 60}
_NUMBERS |= {"cent": 100, "cents": 100, "mille": 1000}
_STOPS = (
    frozenset(fold(word) for words in STOP_WORDS.values() for word in words)
    | {"d", "l", "per", "est", "ce"}
    | _NUMBERS.keys()
)
_UNITS = {
    word: unit
    for unit, words in {
        "year": "an ans annee annees year years",
        "month": "mois month months",
        "week": "semaine semaines week weeks",
        "hour": "heure heures hour hours",
    }.items()
    for word in words.split()
}
_ORDINALS = re.compile(
    r"\b(?:(premier|premiere|1e|1er|1ere|first)|(deuxieme|second|seconde|2e|2eme)"
    r"|(troisieme|3e|3eme|third)|(quatrieme|4e|4eme|fourth))s?\b"
)
_CATEGORY = re.compile(r"\bcategorie([abc])\b")
_SHARE = re.compile(r"\b[5-9]\d pourcent\b")
_NAME = re.compile(r"(?<=[a-zà-ÿ,] )[A-ZÀ-Ý][a-zà-ÿ]{2,}\b")
# “or not”, “I cannot find”: a negation that changes nothing to what is asked.
_IDLE_NEGATION = re.compile(
    r"\bou (?:pas|non)\b|\bn est ce pas\b|\bpourquoi pas\b|\b(?:pas|non) (?:encore )?pris(?:es?)?\b"
    r"|\b(?:ne )?(?:n )?(?:trouve|sais|comprends|arrive|retrouve|vois) (?:pas|plus)\b"
)
_NEGATION = re.compile(r"\b(?:pas|jamais|aucune?|sans|non|not|never|without|\w+n t)\b")
# Acronyms that are function words too.
_ACRONYMS = (
    (re.compile(r"\bC\.?E\.?T\b"), "épargne-temps"),
    (re.compile(r"\b(mon |son |le |un |du |au )cet\b", re.I), r"\1épargne-temps"),
    (re.compile(r"\bCA\b"), "congés annuels"),
    (re.compile(r"\b([msld]es )ca\b", re.I), r"\1congés annuels"),
)
# Said in words that mean something else one by one.
_SAID = tuple(
    (re.compile(pattern), meant)
    for pattern, meant in (
        (r"\bpour ?cent\b", "pourcent"),
        (r"\bpas d accord\b", "desaccord"),
        (r"\b(?:cat|categorie|category) ([abc])\b", r"categorie\1"),
        (
            r"\b(?:(?:a )?quelle heure (?:ouvr|ferm)\w+|(?:ouvr|ferm)\w+ a quelle heure)\b",
            "horaire",
        ),
        (r"\bheures? d ouverture\b|\bopening hours\b", "horaire"),
        (r"\bfaire appel\b", "contester"),
        (r"\bautres? pays\b", "etranger"),
        (r"\bpays\b", "nation"),
        (r"\b(?:mettre|mise?|mis) a jour\b", "actualiser"),
        (r"\ben (?:plusieurs|deux|trois) fois\b", "fractionne"),
        (r"\bsans (?:solde|etre payee?)\b|\bunpaid\b", "sanssolde"),
        (r"\b(?:train|bus) en retard\b", "retard"),
        (r"\bnon titulaires?\b", "contractuel"),
        (r"\bdire non\b", "refuser"),
        (r"\bfin d annee\b", "finannee"),
        (r"\b(?:a l|en|d|in) (?:avance|advance)\b", "alavance"),
        (r"\b(?:i|to) report\b", "signaler"),
        (r"\bperte (?:de|du|d)(?= (?:une?|mon|ma|son|sa|conjoint|parent|enfant)\b)", "deces"),
        (r"\bdelai de carence\b", "carence"),
        (r"\bretirement\b|(?<=\bcan )retire\b|(?<=\bstaff )retire\b", "retraite"),
        (r"\b(groupe?|niveau) ([1-4])\b", r"\1 \2e"),
        (r"\b(?:ma|sa) femme\b", "epouse"),
        (r"\b(?:mon|son|notre|le) superieure?\b(?! hierarchique)", "chef"),
        (r"\bsuperieure? hierarchique\b", "chef"),
        (r"\ba cote\b|\ben plus\b|\bdu coup\b", " "),
    )
)


@dataclass(frozen=True)
class Wording:
    """A question as it is compared.

    words: what carries its subject: concepts (concepts.py) and the stems of other words.
    conditions: what makes another answer: concepts, figures, ordinals, a negation.
    asks: what is asked for, as far as it is said (asking.py).
    details: group and name of what may be left unsaid: a span, a bound, a proper name, a deed.
    """

    words: frozenset[str]
    conditions: frozenset[str]
    asks: frozenset[str]
    details: frozenset[str]


def is_concept(word: str) -> bool:
    """Return whether a word of a `Wording` is a concept that concepts.py knows."""
    return word[0] in "=+"


def read(question: str, mended: Callable[[str], str] = lambda text: text) -> Wording:
    """Return what a question asks.

    Args:
        question: the question as it was typed.
        mended: mends the typing mistakes of folded words, parted by single spaces.
    """
    question = question[:LONGEST].replace("%", " pourcent ")
    for acronym, meant in _ACRONYMS:
        question = acronym.sub(meant, question)
    text = mended(" ".join(_TOKEN.findall(fold(question))))
    for pattern, meant in _SAID:
        text = pattern.sub(meant, text)
    found = _concepts(_content(text))
    words = {name for name in found if name[0] != "~" and name not in _fillers()}
    conditions = {name for name in found if name[0] == "="} | _marks(text)
    # Each goes without saying beside the other.
    redundant = {"=hours part"} if _SHARE.search(text) else set()
    if conditions & {"=contract fixed", "=contract permanent"}:
        redundant.add("=status contract")
    words -= redundant
    deeds = {name.removeprefix("~") for name in found if name[0] == "~"}
    return Wording(
        frozenset(words),
        frozenset(conditions - redundant),
        frozenset(asks(text)),
        frozenset(details(text) | deeds | _names(question)),
    )


def _marks(text: str) -> set[str]:
    """Return figures, ordinals, categories and negation, which make another question."""
    marks = _figures(text.split())
    marks |= {f"ordinal {match.lastindex}" for match in _ORDINALS.finditer(text)}
    marks |= {f"category {match[1]}" for match in _CATEGORY.finditer(text)}
    if _NEGATION.search(_IDLE_NEGATION.sub(" ", text)):
        marks.add("not")
    return marks


def _figures(tokens: list[str]) -> set[str]:
    found = set()
    place = 0
    while place < len(tokens):
        number, length = _number(tokens, place)
        place += max(1, length)
        unit = _UNITS.get(tokens[place], "") if place < len(tokens) else ""
        # “un” is an article before most nouns, a figure before a length of time.
        if length and (number != "1" or unit):
            found.add(f"figure {number} {unit}".rstrip())
    return found


def _number(tokens: list[str], place: int) -> tuple[str, int]:
    """Return the number that stands at a place, and of how many words it is made (0 for none)."""
    if tokens[place].isdigit():
        return tokens[place].lstrip("0") or "0", 1
    total, length = 0, 0
    for token in tokens[place:]:
        if token not in _NUMBERS:
            break
        value = _NUMBERS[token]
        multiplied = total and (value >= 100 or (total, value) == (4, 20))
        total = total * value if multiplied else total + value
        length += 1
    return str(total), length


def _names(question: str) -> set[str]:
    """Return the words that a capital inside a sentence marks as names, such as “Lyon”."""
    return {f"name {fold(match[0])}" for match in _NAME.finditer(question)}


def _content(text: str) -> list[str]:
    """Return the stems of a folded text's words, in order, without function words and figures."""
    words = (word for word in _TOKEN.findall(text) if word not in _STOPS and not word.isdigit())
    return [_stem(word) for word in words]


def _stem(word: str) -> str:
    """Return the stem of a folded word; a short one keeps its letters, and is marked as such."""
    bare = word.rstrip("sx") if len(word) > 3 else word
    if bare.endswith("ee"):  # Snowball knows this ending by its accent
        bare = bare[:-1]
    return f"'{bare}" if len(bare) <= 4 else (stems(bare, "fr") or [bare])[0]


def _concepts(words: list[str]) -> list[str]:
    """Return words with those that name a concept replaced by it, the longest wording first."""
    table, longest = _table()
    found, place = [], 0
    while place < len(words):
        for length in range(min(longest, len(words) - place), 0, -1):
            if concept := table.get(tuple(words[place : place + length])):
                found.append(concept)
                place += length
                break
        else:
            found.append(words[place])
            place += 1
    return found


@cache
def _table() -> tuple[dict[tuple[str, ...], str], int]:
    table: dict[tuple[str, ...], str] = {}
    for concept, wordings in concepts():
        for wording in wordings:
            if key := tuple(_content(fold(wording))):
                table.setdefault(key, concept)
    return table, max(map(len, table))


@cache
def _fillers() -> frozenset[str]:
    return frozenset(map(_stem, words_of(" ".join(fillers()))))


def words_of(text: str) -> list[str]:
    """Return the folded words of a text."""
    return _TOKEN.findall(fold(text))


@cache
def mended_words() -> frozenset[str]:
    """Return the folded words that a typing mistake may stand for: the telling ones."""
    return _named_words() - _STOPS - _plain_fillers() | {"combien", "comment"}


@cache
def plain_words() -> frozenset[str]:
    """Return the folded words that are known here, and so are no typing mistakes."""
    return _named_words() | _plain_fillers() | _STOPS


@cache
def _named_words() -> frozenset[str]:
    return frozenset(w for _, wordings in concepts() for text in wordings for w in words_of(text))


@cache
def _plain_fillers() -> frozenset[str]:
    return frozenset(words_of(" ".join(fillers())))
