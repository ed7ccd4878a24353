"""Does a request lean on what was asked before, and how?

It looks at the words only: an opening such as “et”, a fragment without a verb, a pronoun that
stands for nothing named before it, a question made only of words that need a subject.
"""

import re
from dataclasses import dataclass
from typing import Literal

from edge_slm.conversation.plain import flat, open_ended, tidy
from edge_slm.conversation.slots import Phrase, phrases
from edge_slm.conversation.words import asking, content, sides
from edge_slm.i18n import Language

LONGEST = 200  # characters: a longer request says what it is about

# “slot”: other words for a part of the earlier question; “side”: asks something else of its
# subject; “whole”: asks something of all of it.
Way = Literal["slot", "side", "whole"]

_LEAD = re.compile(
    r"(?:(?:et|mais|ou|donc|alors|sinon|puis|oui|non|ok|okay|d'accord|ah|bon|tres bien|"
    r"merci(?=,| et | mais )|plutot|aussi|meme|"
    r"(?:c'est )?(?:pareil|idem|(?:la )?meme (?:chose|question))|"
    r"qu'en est-il|quid|du coup|par contre|en revanche|dans ce cas(?:-la)?|"
    r"je (?:voulais dire|veux dire|parle|parlais)|"
    r"and|but|or|so|then|also|yes|no|even|what(?= if)|(?:what|how) about|i meant?|"
    r"(?:the )?same (?:thing |question )?(?=for|if|in|with|at)|in that case)"
    r"(?![\w'-])[ ,:.]*)+"
)
_SURE_LEAD = re.compile(r"(?:alors|du coup|dans ce cas|in that case|then)\b")
_IF = re.compile(r"(?:si |s'ils?\b|if |when |quand je )")
_CLAUSE = re.compile(
    r"\b(?:combien|comment|quand|ù|où|pourquoi|qui|quoi|que|quels?|quelles?|lequel|laquelle|"
    r"est-ce|c'est|ca|cela|je|tu|il|elle|on|nous|vous|ils|elles|faut|suis|sont|est|peut|doit|"
    r"how|what|when|where|who|whom|why|which|is|are|does|do|can|may|should|must|will|i|it|they|"
    r"you|we|there)\b|\bo[ù]\b|\b(?:j'|qu')|-(?:je|tu|on|nous|vous|ils?|elles?)\b"
)
_WHY = re.compile(r"(?:pourquoi(?: pas)?|why(?: not)?|et apres|apres|and then|then)[ ?!.]*")
_IMPERSONAL = (
    r"il (?:faut|y a|existe|s'agit|faudra|est (?:possible|obligatoire|interdit) (?:de|d'))|"
    r"(?:faut|y a-t|existe-t|s'agit|faudra-t|reste-t)-il|"
    r"est-il (?:possible|obligatoire|interdit|permis) (?:de|d')|quel temps fait-il|"
    r"est-ce qu'il (?:faut|y a|existe|est possible)|"
    r"is it (?:possible|mandatory|allowed|compulsory) (?:to|for)|what time is it"
)
_NOUN_IN_ER = (
    r"dossier|chantier|atelier|courrier|papier|cahier|calendrier|metier|premier|dernier|loisir|"
    r"avenir|plaisir|foyer|loyer|quartier|escalier"
)
_STANDS_FOR = re.compile(
    rf"(?:{_IMPERSONAL})|"
    r"c'est (?:quoi|combien|quand|où|comment|qui) (?:le|la|les|l'|un|une|des|mon|ma|mes)\b|"
    r"c'est (?:possible|obligatoire|interdit) (?:de|d'|que)|"
    r"(?P<yes>-(?:il|elle|ils|elles)\b|\b(?:il|elle|ils|elles)\b|"
    r"\bc'(?:est|etait|sera)\b|\b(?:ca|cela|celui|celle|ceux)\b|"
    r"\b(?:ce|cet|cette|ces) (?!qu|mois|annee|semaine|soir|matin|jour|sont)\w+|"
    r"\b(?:je|tu|on|nous|vous) (?:ne )?(?:le|la|les|l'|en|y) ?\w+|"
    rf"\b(?:le|la|les|l'|en|y) ?(?!(?:{_NOUN_IN_ER})\b)\w+(?:er|ir|oir)\b|"
    r"\b(?:le|la|les|l'|en) ?(?:prendre|faire|rendre|mettre|perdre|transmettre|remettre)\b|"
    r"\b(?:it|they|them|this|those|these)\b|\bthat\b(?! (?:i|we|you|the|my)\b))"
)
_PREPOSED = re.compile(
    r"(?:pour|dans|avec|sans|chez|en|a|de|d'|du|des|au|aux|par|sur|pendant|apres|avant|depuis|"
    r"for|in|with|without|on|at|during|after|before)\b ?"
)


@dataclass(frozen=True)
class Leaning:
    """How a request leans: the way, its words without the opening, and their phrases.

    `conditional`: the words are a clause that begins with “si” or “if”.
    """

    way: Way
    words: str
    phrases: tuple[Phrase, ...]
    conditional: bool = False


def leaning(request: str, language: Language) -> Leaning | None:
    """Return how a request leans on earlier ones, or None if it stands by itself."""
    text = tidy(request)
    if not any(char.isalpha() for char in text) or len(text) > LONGEST:
        return None
    opening = _LEAD.match(flat(text))
    words = open_ended(text[opening.end() :] if opening else text)
    if not words:
        return None
    plain = flat(words)
    found = tuple(phrases(words))
    if _WHY.fullmatch(plain):
        return Leaning("whole", words, found)
    if _IF.match(plain) and not _CLAUSE.search(plain.partition(",")[2]):
        return Leaning("slot", words, found, conditional=True)
    if _CLAUSE.search(plain):
        way = _way_of_clause(words, found, opening, language)
    else:
        way = _way_of_fragment(words, found, opening, language)
    return Leaning(way, words, found) if way else None


def own_stems(words: str, found: tuple[Phrase, ...], language: Language) -> list[str]:
    """Return the stems of words that name a subject of their own, known phrases apart."""
    for phrase in reversed([phrase for phrase in found if phrase.kind != "scheme"]):
        words = f"{words[: phrase.start]} {words[phrase.end :]}"
    known = asking(language) | sides(language)
    return [stem for stem in content(words, language) if stem not in known and not stem.isdigit()]


def _way_of_fragment(
    words: str, found: tuple[Phrase, ...], opening: re.Match[str] | None, language: Language
) -> Way | None:
    """Return the way of words without a verb: “et pour des triplés”, “à mi-temps”."""
    plain = flat(words)
    own = own_stems(words, found, language)
    schemes = any(phrase.kind == "scheme" for phrase in found)
    named = bool(found) and not (schemes and not opening)
    if not own and not found:
        return "side" if sides(language) & set(content(words, language)) else None
    if opening or (named and not own):
        return "slot"
    return "slot" if _PREPOSED.match(plain) and not schemes else None


def _way_of_clause(
    words: str, found: tuple[Phrase, ...], opening: re.Match[str] | None, language: Language
) -> Way | None:
    """Return the way of a clause: “c'est payé”, “combien de jours”, “je le demande à qui”."""
    if _refers(words, language):
        return "side"
    own = own_stems(words, found, language)
    if not own:
        # An event stands by itself: “combien de jours pour un mariage ?”
        alone = any(phrase.kind == "event" for phrase in found) and not opening
        return None if alone else "side"
    schemes = any(phrase.kind == "scheme" for phrase in found)
    return "side" if opening and not schemes and _SURE_LEAD.match(opening[0]) else None


def _refers(words: str, language: Language) -> bool:
    """Return whether a pronoun stands for something that is named nowhere before it."""
    plain = flat(words)
    for found in _STANDS_FOR.finditer(plain):
        if found["yes"] is None:
            continue
        before = words[: found.start()]
        named = [phrase for phrase in phrases(before) if phrase.kind in ("scheme", "kin", "event")]
        if not named and not own_stems(before, tuple(phrases(before)), language):
            return True
    return False
