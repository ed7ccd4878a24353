"""Names of persons: after a civility or a phrase that announces one, or by their first name.

Family names cannot be listed: what announces a name, and capitals, tell them. What is named after a
person (a street, a school, a law) and functions (“Madame la Directrice”) are left alone.
"""

import re
from collections.abc import Iterator

from edge_slm.privacy.name_words import Word, Words
from edge_slm.privacy.spans import COVER, Span, lowered
from edge_slm.privacy.words import (
    CIVILITIES,
    DOUBTFUL,
    FAMILY_NAMES,
    NAMED_AFTER,
    PARTICLES,
    SMALL_WORDS,
)

# After these comes a name, whatever its letters.
_INTRODUCED = re.compile(
    r"\b(?:je m'appell?e|on m'appelle|je me (?:pr[ée])?nomme|my name is|moi c'est) "
)
# After these comes a name if the word has a capital, or is a known one.
_ANNOUNCED = re.compile(
    r"\b(?:mon nom(?: complet| de famille)? (?:est|c'est)|au nom d[e']"
    r"|(?:pr[ée]|d[ée])?nomm[ée]e?s?|sign[ée]e? ?:?|n[ée]e|[ée]pouse|veuve|de la part d[e']"
    r"|(?:m[oae]n|ma|mes|s[oa]n|sa|notre|votre|ton|ta) (?:jeune |petite? )?(?:fils|fille|mari|femme"
    r"|conjointe?|[ée]poux|[ée]pouse|enfant|b[ée]b[ée]|compagn(?:e|on)|partenaire|fr[èe]re|s(?:œ|oe)ur"
    r"|p[èe]re|m[èe]re|coll[èe]gue|responsable|cheffe?|sup[ée]rieure?|amie?|voisine?|stagiaire|tut(?:eur"
    r"|rice)|assistante?|gestionnaire|m[ée]decin|remplaçante?|pr[ée]d[ée]cesseu(?:r|se)|directrice"
    r"|directeur)) ?:? ?(?=[^\W\d_])"
)
# The label of a field of a form or of a letter's head.
_FIELD = re.compile(
    r"(?:(?:pr[ée])?noms?(?:[ /,]{1,3}(?:et |ou |de |d'|&)?(?:pr[ée]noms?|noms?|famille"
    r"|usage|naissance|l'agent|l'enfant|jeune fille|complet|marital)){0,5}|agente?"
    r"|demandeu(?:r|se)|b[ée]n[ée]ficiaire|titulaire|salari[ée]e?|contact|conjointe?|enfant"
    r"|[ée]l[èe]ve|patiente?|exp[ée]diteur|destinataire|signataire|signature|gestionnaire|responsable|int[ée]ress[ée]e?|assur[ée]e?|usager|auteur|employ[ée]e?"
    r"|\n(?:de|from|cc|to)|^(?:de|from|cc|to)) ?: ?(?=[^\W\d_])"
)
# After these a name is likely: two capitals, or a known name, make one.
_LIKELY = re.compile(
    r"\b(?:je suis|ici|c'est|l'agente?|agente?|coll[èe]gues?|contact(?:er|ez)?"
    r"|dossier d[e']|transmettre à|l'attention d[e']|avec|joindre|demander?|l'[ée]l[èe]ve|l'enfant"
    r"|patiente?|candidate?|stagiaire) ?"
    r"(?=[^\W\d_])"
)
_GREETED = re.compile(
    r"\b(?:bonjour|bonsoir|salut|ch[èe]re?s?|merci|hello|dear|coucou|cordialement|bises|amicalement"
    r"|bien à (?:vous|toi)),?[ \n]{1,3}(?=[^\W\d_])"
)
_CLOSED = re.compile(
    r"\b(?:cordialement|salutations|bien à (?:vous|toi)|merci d'avance|par avance|respectueusement"
    r"|sinc[èe]rement|regards|bonne (?:journ[ée]e|soir[ée]e|r[ée]ception)|sentiments)\b"
    r"[^\n]{0,60}\n[ \n-]{0,8}(?=[^\W\d_])"
)
_LISTED = re.compile(
    rf"{COVER['NOM']}(?:, ?(?:et )?| et | ou | & | ?/ ?|\n[ -]{{0,3}})(?=[^\W\d_])"
)
_MAILED = re.compile(rf"[ \"]{{0,2}}[<(]{COVER['EMAIL']}")
# A civility that is also a word or a unit needs its capital, or its dot.
_CAPITAL_CIVILITIES = frozenset(("me", "pr", "dr", "mm", "m"))
_TITLES = 4  # “Monsieur et Madame le Docteur”: civilities of one name, at most
_SHORT_CIVILITIES = frozenset(("m", "mr", "mme", "mlle", "mmes"))

_LINKS = PARTICLES | {"d'", "l'", "dite"}

_Range = tuple[int, int]


def names(view: str) -> Iterator[Span]:
    """Yield names of persons, each with the civility before it."""
    words, low = Words(view), lowered(view)
    if not len(words):
        return
    found = {
        *_after_civilities(words),
        *_announced(low, words),
        *_likely(low, words),
        *_known(words),
        *_before_mail(view, words),
    }
    apart = sorted(found, key=lambda range_: (range_[0], -range_[1]))
    for start, end in (*apart, *_again(words, apart)):
        yield Span(words[start].start, words[end - 1].end, "NOM")


def _after_civilities(words: Words) -> Iterator[_Range]:
    for place, word in enumerate(words):
        if word.folded not in CIVILITIES or not _is_civility(words, place):
            continue
        name = place + 1
        for _ in range(_TITLES):
            if name >= len(words) - 1 or not words.joined(name - 1):
                break
            if words[name].folded in CIVILITIES:
                name += 1
            elif words[name].folded in ("et", "ou", "le") and words[name + 1].folded in CIVILITIES:
                name += 2
            else:
                break
        if name >= len(words) or not words.joined(name - 1):
            continue
        end = words.name_end(name, sure=True)
        if end == name and words[name].folded not in ("le", "la", "les", "l'"):
            end = words.small_name_end(name, sure=word.folded in _SHORT_CIVILITIES)
        if end > name:
            yield place, end


def _is_civility(words: Words, place: int) -> bool:
    word = words[place]
    if word.folded not in _CAPITAL_CIVILITIES:
        return True
    return word.capital or (words.gap(place).startswith(".") and word.folded != "me")


def _announced(low: str, words: Words) -> Iterator[_Range]:
    for pattern, sure in ((_INTRODUCED, True), (_ANNOUNCED, False), (_FIELD, False)):
        for cue in pattern.finditer(low):
            start = words.at(cue.end())
            if start == len(words) or _leads_elsewhere(words[start], sure):
                continue
            end = words.name_end(start, sure or pattern is _FIELD)
            if end == start:
                end = words.small_name_end(start, sure)
            elif end - start == 1 and words[start].is_sure_first_name and words.joined(start):
                end = max(end, words.small_name_end(start, sure=False))
            if end > start:
                yield start, end
    for cue in _CLOSED.finditer(low):
        start = words.at(cue.end())
        end = words.name_end(start)
        if end == start:
            end = words.small_name_end(start, sure=False)
        if end > start and "\n" in words.gap(end - 1):
            yield start, end


def _leads_elsewhere(word: Word, sure: bool) -> bool:
    """Return whether a small “de” leads to what is meant instead (“responsable de Paris”)."""
    return not sure and word.folded in PARTICLES and not word.capital


def _likely(low: str, words: Words) -> Iterator[_Range]:
    for cue in _LIKELY.finditer(low):
        start = words.at(cue.end())
        end = words.name_end(start)
        known = start < len(words) and words[start].is_sure_first_name
        if end == start and known:
            end = words.small_name_end(start, sure=False)
        if words.size(start, end) > 1 or (end > start and known):
            yield start, end
    for cue in _GREETED.finditer(low):
        start = words.at(cue.end())
        if start < len(words) and words[start].is_sure_first_name:
            yield start, words.name_end(start) if words[start].capital else start + 1
    for cue in _LISTED.finditer(low):
        start = words.at(cue.end())
        end = words.name_end(start)
        if words.size(start, end) > 1:
            yield start, end


def _known(words: Words) -> Iterator[_Range]:
    """Yield first names with the family name after or before them."""
    done = 0
    for place, word in enumerate(words):
        begins = word.is_known or word.upper or (word.is_initial and "." in words.gap(place))
        if place < done or not begins or place + 1 == len(words):
            continue
        if not word.capital:
            following = words[place + 1].folded
            common = word.folded in SMALL_WORDS or following in DOUBTFUL
            if word.is_sure_first_name and not common:
                end = words.small_name_end(place, sure=False)
                if end > place + 1:
                    yield place, end
            continue
        end = words.name_end(place)
        if words.size(place, end) > 1 and _is_person(words, place, end):
            yield place, end
            done = end


def _is_person(words: Words, start: int, end: int) -> bool:
    if _names_something(words, start):
        return False
    first, others = words[start], [words[place] for place in range(start + 1, end)]
    if first.is_sure_first_name:
        return True
    if first.is_initial:
        return any(word.folded in FAMILY_NAMES for word in others)
    if first.is_first_name and any(word.is_known or word.upper for word in others):
        return True
    # The family name first: “DUPONT Marie”, “Dupont Marie”.
    return any(word.is_sure_first_name for word in others)


def _names_something(words: Words, start: int) -> bool:
    """Return whether a name is that of a street, a school, a law…"""
    place = start - 1
    while (
        place >= 0 and start - place < 4 and words[place].folded in (*PARTICLES, "d'", "l'", "dite")
    ):
        place -= 1
    if place < 0 or not all(words.joined(between) for between in range(place, start)):
        return False
    return words[place].folded in NAMED_AFTER


def _before_mail(view: str, words: Words) -> Iterator[_Range]:
    for mail in _MAILED.finditer(view):
        end = start = words.at(mail.start())
        while start and end - start < 4 and words[start - 1].capital:
            if start < end and not words.joined(start - 1):
                break
            start -= 1
        if start < end and words[end - 1].end == mail.start() and words.name_end(start) == end:
            yield start, end


def _again(words: Words, found: list[_Range]) -> Iterator[_Range]:
    """Yield the family names and first names of those found, where they stand alone."""
    ours = (
        {
            words[place].folded
            for start, end in found
            for place in range(start, end)
            if words[place].capital and len(words[place].folded) > 3 and not words[place].is_barred
        }
        - DOUBTFUL
        - PARTICLES
    )
    taken = {place for start, end in found for place in range(start, end)}
    for place, word in enumerate(words):
        alone = word.folded in ours and word.capital and place not in taken
        if alone and not _names_something(words, place):
            yield place, place + 1
