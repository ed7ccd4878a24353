"""French postal addresses: a numbered street, or a street with its postcode and town.

A street alone (“rue de Rivoli”) is a place, not an address, unless somebody says to live there.
"""

import re
from collections.abc import Iterator

from edge_slm.privacy.spans import Span, lowered
from edge_slm.privacy.words import CIVILITIES, STOP

_WAYS = (
    r"rue|avenue|av\.?|ave|boulevard|boul\.?|bd\.?|bld|blvd|chemin|che?m\.?|ch\.|all[ée]es?|impasse"
    r"|imp\.?|place|pl\.?|quai|cours?|route|rte|square|sq\.?|sentier|sente|passage|voie|r[ée]sidence"
    r"|r[ée]s\.?|lotissement|lot\.?|hameau|lieu[ -]dit|faubourg|fbg?\.?|esplanade|promenade"
    r"|rond[ -]point|villa|cit[ée]|clos|mail|mont[ée]e|ruelle|traverse|venelle|chauss[ée]e|domaine"
    r"|quartier|parc|galerie|boucle|c[ôo]te|corniche|rampe|parvis|zone|z\.?[ai]\.?"
)
_WAY = re.compile(rf"(?<![\w'-])(?:{_WAYS})(?=[ \n])")
_STREET = re.compile(r"rue|av|boul|b[dl]|chemin|all[ée]|impasse|quai|faub|venelle")
_NUMBER = re.compile(
    r"(?<![\w.,/-])(?<![0-9] )(?:n ?[°o] ?)?[0-9]{1,4}(?:(?: ?[-/] ?| et )[0-9]{1,4})?"
    r"(?: ?(?:bis|ter|quater|[a-d])\b)?[ \n]?,?[ \n]?$",
    re.I,
)
_LIVES = re.compile(
    r"(?:habit\w{1,6}|domicili\w{1,4}|demeur\w{1,5}|r[ée]sid\w{1,5}|adresse|log[ée]\w{0,2}|vis|vit"
    r"|d[ée]m[ée]nag\w{1,5}|domicile)"
    r"(?: (?:est|actuellement|postale|personnelle|d[ée]sormais)){0,2}"
    r"(?: ?: ?| (?:au|à la|à l'|à|aux|dans la|dans l'|sur|du|de la)? ?| )$",
    re.I,
)
# One step in a street's name: a word, a figure, or a mark between two.
_STEP = re.compile(r"[ \n]{0,2}(?:,[ \n]{0,3}|- ?)?([^\W_]+(?:['.-][^\W_]+)*)['.]?")
_POSTCODE = re.compile(
    r"[ \n,;.-]{1,5}(?:(?:F|FR)[ -]{1,2})?(?:0[1-9]|[1-8][0-9]|9[0-8]|2[ab]) ?[0-9]{3}"
    r"[ \n]{1,2}(?=[^\W\d_])(?! ?(?:€|euros?\b))",
    re.I,
)
_TOWN_WORD = re.compile(r"(?:[dl]')?[^\W\d_]+(?:['-][^\W\d_]+)*", re.I)
_LINKS = frozenset(
    (
        *("de", "du", "des", "d", "l", "la", "le", "les", "sur", "sous", "en", "lès", "lez"),
        *("aux", "au", "à", "et", "saint", "sainte", "st", "ste"),
    )
)
_CEDEX = re.compile(r"[ -]{1,2}cedex(?: [0-9]{1,2})?", re.I)
_IN_TOWN = re.compile(r"(?:,| à|, à) (?=[A-ZÀ-Ý])")
_NO_NAME = frozenset(("en", "et", "à", "sur", "aux", "au"))  # “2024 cité en référence”
_STEPS = 16  # words and figures between a way and its postcode, complements included
_NAME_STEPS = 5  # words of a way's name where no postcode ends it


def addresses(view: str) -> Iterator[Span]:
    """Yield postal addresses, with the town where there is one."""
    done = 0
    for way in _WAY.finditer(lowered(view)):
        if way.start() < done:
            continue
        before = view[max(done, way.start() - 40) : way.start()]
        number = _NUMBER.search(before)
        start = way.start() - (len(number[0]) if number else 0)
        end = _with_postcode(view, way.end())
        if not end and _LIVES.search(before[: number.start()] if number else before):
            end = _street(view, way.end())
        elif not end and number:
            end = _street(view, way.end())
            # “3 cours de formation” is no address, “3 cours Gambetta” is one.
            if not _STREET.match(way[0]) and view[way.end() : end].islower():
                end = 0
        if end:
            yield Span(start, end, "ADRESSE")
            done = end
    yield from _towns(view)


def _towns(view: str) -> Iterator[Span]:
    """Yield postcodes and towns where somebody says to live there."""
    for found in _POSTCODE.finditer(view):
        if _LIVES.search(view[max(0, found.start() - 40) : found.start() + 1]) and (
            end := _town(view, found.end())
        ):
            start = found.end() - len(found[0].lstrip(" \n,;.-"))
            yield Span(start, end, "ADRESSE")


def _with_postcode(view: str, place: int) -> int:
    """Return where the address ends whose way's name starts at a place; 0 without a postcode."""
    for _ in range(_STEPS):
        if (code := _POSTCODE.match(view, place)) and (end := _town(view, code.end())):
            return end
        step = _STEP.match(view, place)
        if not step or _ends_a_name(step[1]):
            return 0
        place = step.end()
    return 0


def _ends_a_name(word: str) -> bool:
    bare = word.lower().split("'")[-1]
    return bare in STOP and bare not in _LINKS


def _town(view: str, place: int) -> int:
    """Return where the town's name ends that starts at a place; 0 where no word does."""
    first = _TOWN_WORD.match(view, place)
    if not first or first[0].lower() in STOP - _LINKS:
        return 0
    end, linked = first.end(), first[0].lower() in _LINKS
    capitals = first[0][0].isupper()
    while view[end : end + 1] == " " and (word := _TOWN_WORD.match(view, end + 1)):
        small = word[0].lower()
        if small in STOP - _LINKS or small in CIVILITIES or small == "cedex":
            break
        if small in _LINKS:
            after = _TOWN_WORD.match(view, word.end() + 1)
            if not after or not capitals or not after[0][0].isupper() or after[0].lower() in STOP:
                break
        elif not linked and not (capitals and word[0][0].isupper()):
            break
        end, linked = word.end(), small in _LINKS
    cedex = _CEDEX.match(view, end)
    return cedex.end() if cedex else end


def _street(view: str, place: int) -> int:
    """Return where a way's name ends, with its town after “à” or a comma; 0 without a name."""
    end, capitals, named = place, False, 0
    for _ in range(_NAME_STEPS):
        step = _STEP.match(view, end)
        if not step or "\n" in step[0] or "," in step[0] or _ends_a_name(step[1]):
            break
        word = step[1]
        if end == place and word.lower() in _NO_NAME:
            break
        if word.lower() not in _LINKS or "'" in word:
            if named and capitals and not (word[0].isupper() or word[0].isdigit()):
                break
            capitals |= word[0].isupper()
            named = step.end(1)
        elif named and not _goes_on(view, step.end()):
            break
        end = step.end()
    if not named:
        return 0
    town = _IN_TOWN.match(view, named)
    if town and (end := _town(view, town.end())) and (" à" in town[0] or _is_last(view, end)):
        return end
    return named


def _goes_on(view: str, place: int) -> bool:
    """Return whether a name goes on after a link: with a capital or a figure."""
    following = view[place : place + 1].strip("'") or view[place + 1 : place + 2]
    following = following.strip() or view[place + 1 : place + 2]
    return following.isupper() or following.isdigit()


def _is_last(view: str, place: int) -> bool:
    return view[place : place + 1] in ("", ".", "\n", ")", ";", ",")
