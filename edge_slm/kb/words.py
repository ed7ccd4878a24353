"""Puts a question in the words of a base: typing mended, synonyms and abbreviations added.

A word is mended only when the base does not know it and knows one very near; what people say is
added to, never taken away (vocabulary.py).
"""

import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from edge_slm.kb import schema
from edge_slm.kb.acronyms import explained
from edge_slm.kb.base import KnowledgeBase
from edge_slm.kb.lexical import stems
from edge_slm.kb.synonyms import synonyms_of
from edge_slm.kb.vocabulary import Synonym, abbreviated, expanded, flat
from edge_slm.stop_words import STOP_WORDS
from edge_slm.text import fold

KEPT = 4  # bases whose words are held in memory
SHORTEST = 5  # letters of a stem that may be mended: shorter ones have too many neighbours
LONG = 8  # letters of a stem that may lack one, or have one too many
KNOWN = 3  # passages that hold the stem that another is mended to
_WORD = re.compile(r"[^\W\d_]+")
# How people type on a telephone; whole words, in lower case only.
_TYPED_FR = {
    "ac": "avec",
    "bcp": "beaucoup",
    "bjr": "bonjour",
    "c koi": "c'est quoi",
    "cb": "combien",
    "cbn": "combien",
    "dc": "donc",
    "jai": "j'ai",
    "jpeux": "je peux",
    "jsuis": "je suis",
    "jr": "jour",
    "jrs": "jours",
    "kel": "quel",
    "kelle": "quelle",
    "koi": "quoi",
    "pb": "problème",
    "pdt": "pendant",
    "pk": "pourquoi",
    "pr": "pour",
    "qd": "quand",
    "qq": "quelque",
    "renumeration": "rémunération",
    "rénumération": "rémunération",
    "tps": "temps",
    "ts": "tous",
    "tt": "tout",
    "vac": "vacances",
    "ya": "il y a",
}
_TYPED = re.compile(rf"\b(?:{'|'.join(_TYPED_FR)})\b")
# “conge” is “congé”: Snowball's French stems hang on the accents of the end.
_ACCENTED = (("ees", "ées"), ("ee", "ée"), ("es", "és"), ("e", "é"))
_ELIDED = re.compile(r"(qu|[djl])([aeiouhàâéèêîôœ]\w{3,})")


@dataclass(frozen=True)
class Words:
    """What a base knows.

    Attributes:
        stems: the number of passages that hold each stem.
        near: stems that a mistyped one may be mended to, by first letter and length.
        acronyms: the abbreviations that the base explains: folded, with what they stand for.
        spelt: the same, what they stand for folded.
        ordinary: abbreviations that are also words of its texts.
    """

    stems: Mapping[str, int]
    near: Mapping[tuple[str, int], tuple[str, ...]]
    acronyms: Mapping[str, str]
    spelt: Mapping[str, str]
    ordinary: frozenset[str]


@dataclass(frozen=True)
class Asked:
    """A question, mended, and the same with the documents' words for what it says."""

    question: str
    expanded: str


_HELD: OrderedDict[tuple[str, int], Words] = OrderedDict()


def understood(base: KnowledgeBase, question: str) -> Asked:
    """Return a question in the words of a base.

    Raises:
        IntegrityError: the base is damaged.
    """
    mended = mend(question, base)
    own = list(synonyms_of(base))
    taken = {flat(item.said) for item in own}
    learnt = [item for item in _learnt(mended, words_of(base)) if item.said not in taken]
    return Asked(mended, expanded(mended, base.language, [*own, *learnt]))


@schema.explained()
def words_of(base: KnowledgeBase) -> Words:
    """Return the words of a base; they are gathered once for each state of the base."""
    key = (base.meta["uuid"], base.generation)
    if key not in _HELD:
        _HELD[key] = _gather(base)
        while len(_HELD) > KEPT:
            _HELD.popitem(last=False)
    return _HELD[key]


def mend(question: str, base: KnowledgeBase) -> str:
    """Return a question whose unknown words are replaced by very near ones that the base knows."""
    if base.language == "fr":
        question = _TYPED.sub(lambda found: _TYPED_FR[found.group()], question.replace("’", "'"))
    return _WORD.sub(lambda found: _mended(found.group(), base), question)


def _mended(word: str, base: KnowledgeBase) -> str:
    words, language = words_of(base), base.language
    stem = next(iter(stems(word, language)), "")
    # Names and abbreviations are no typing errors.
    if not stem or stem in words.stems or not word.islower():
        return word
    if language == "fr":
        for bare, accented in _ACCENTED:
            variant = word.removesuffix(bare) + accented
            if word.endswith(bare) and _knows(words, stems(variant, language)):
                return variant
    if near := _nearest(stem, words):
        return _written(base, near)
    glued = _ELIDED.fullmatch(word) if language == "fr" else None
    if glued and _knows(words, stems(glued[2], language)):
        return f"{glued[1]}'{glued[2]}"
    return word


def _knows(words: Words, found: list[str]) -> bool:
    return bool(found) and words.stems.get(found[0], 0) >= KNOWN


def _nearest(stem: str, words: Words) -> str:
    """Return the most frequent stem that a stem may be a typing error for, or ""."""
    if len(stem) < SHORTEST:
        return ""
    sizes = range(len(stem) - 1, len(stem) + 2)
    near = [
        known
        for size in sizes
        for known in words.near.get((stem[0], size), ())
        if is_slip(stem, known)
    ]
    return max(near, key=lambda known: (words.stems[known], known), default="")


def is_slip(typed: str, meant: str) -> bool:
    """Tell whether a stem is another with one slip of the fingers.

    A letter doubled or not, or two swapped, is a slip in any word; a letter too many or too few in
    a long one only, and another letter in none: “match” is no “march”.
    """
    start = 0
    while start < min(len(typed), len(meant)) and typed[start] == meant[start]:
        start += 1
    a, b = typed[start:], meant[start:]
    if len(a) == len(b):
        return typed != meant and a[:2] == b[1::-1] and a[2:] == b[2:]
    more, less, word = (a, b, typed) if len(a) > len(b) else (b, a, meant)
    if more[1:] != less:
        return False
    doubled = start > 0 and word[start] == word[start - 1]
    return doubled or len(meant) >= LONG


def _written(base: KnowledgeBase, stem: str) -> str:
    """Return a word of a base that has a stem."""
    row = base.connection.execute(
        """SELECT title || ' ' || section || ' ' || text FROM passages
           JOIN documents ON documents.id = document
           WHERE passages.id = (SELECT min(rowid) FROM passages_fts WHERE passages_fts MATCH ?)""",
        (f'"{stem}"',),
    ).fetchone()
    words = _WORD.findall(row[0]) if row else []
    return next((word.lower() for word in words if stem in stems(word, base.language)), stem)


def _learnt(question: str, words: Words) -> Iterator[Synonym]:
    """Yield what the base's own abbreviations say of a question, both ways."""
    folded = flat(question)
    typed = set(_WORD.findall(folded))
    for short, spelt in words.spelt.items():
        if short in typed:
            if abbreviated(short, short in words.ordinary).search(question):
                yield Synonym(short, words.acronyms[short])
        elif spelt in folded:
            yield Synonym(spelt, short.upper())


def _gather(base: KnowledgeBase) -> Words:
    connection = base.connection
    connection.execute(
        "CREATE VIRTUAL TABLE IF NOT EXISTS temp.stems USING fts5vocab(main, passages_fts, row)"
    )
    held = {
        str(stem): int(count) for stem, count in connection.execute("SELECT term, doc FROM stems")
    }
    near: dict[tuple[str, int], list[str]] = {}
    for stem, count in held.items():
        if count >= KNOWN and len(stem) >= SHORTEST - 1 and stem.isalpha():
            near.setdefault((stem[0], len(stem)), []).append(stem)
    rows = connection.execute("SELECT title FROM documents UNION ALL SELECT text FROM passages")
    texts = [text for (text,) in rows]
    acronyms = explained(texts)
    ordinary = {word for text in texts for word in acronyms.keys() & set(text.split())}
    return Words(
        held,
        {key: tuple(found) for key, found in near.items()},
        acronyms,
        {short: flat(long) for short, long in acronyms.items()},
        frozenset({*ordinary, *map(fold, STOP_WORDS[base.language])}),
    )
