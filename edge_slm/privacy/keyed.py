"""Numbers that carry a key: IBAN, NIR (social security), SIRET, SIREN.

A number whose key is wrong is masked only where the text says what it is: a slip of the finger in
one's own number leaves it personal.
"""

import re
from collections.abc import Iterator

from edge_slm.privacy.spans import Span

BEFORE = 60  # characters in which a number is announced

_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[0-9]{2}(?=[ .-]?[A-Za-z0-9]{2})")
_IBAN_CHARACTER = re.compile(r"[ .-]?[A-Za-z0-9]")
_IBAN_SAID = re.compile(r"iban|\bcompte|\brib\b|domiciliation", re.I)
_LONGEST_IBAN, _FRENCH_IBAN = 34, 27

# Sex, year, month, department, commune, order, key. 13 digits without a key; Corsica has letters.
_NIR = re.compile(
    r"(?<![A-Za-z0-9])[1-478][ .-]?[0-9]{2}[ .-]?[0-9]{2}[ .-]?(?:[0-9]{2}|2[ABab])"
    r"[ .-]?[0-9]{3}[ .-]?[0-9]{3}(?P<key>[ ./-]{0,3}[0-9]{2})?(?![A-Za-z0-9]|[.,][0-9])"
)
_GROUPED_NIR = re.compile(r"[12](?:[ .][0-9ABab]{2,3}){5}")
_NIR_SAID = re.compile(r"s[ée]cu|\bnir\b|insee|assur[ée]|immatriculation|\bss\b", re.I)

_SIRET = re.compile(
    r"(?<![A-Za-z0-9.,-])[0-9]{3}(?:[ .-]?[0-9]{3}){2}[ .-]?[0-9]{5}(?![A-Za-z0-9])"
)
_SIRET_SAID = re.compile(r"siret|[ée]tablissement", re.I)
_SIREN = re.compile(r"(?<![A-Za-z0-9.,-])[0-9]{3}(?:[ .-]?[0-9]{3}){2}(?![A-Za-z0-9]|[ .-]?[0-9])")
_SIREN_SAID = re.compile(r"siren\b|\brcs\b|\btva\b", re.I)
# A long number that the text calls something else.
_REFERENCE_SAID = re.compile(
    r"\br[ée]f[ée]rence|\br[ée]f\b|dossier|commande|facture|march[ée]|\bbon\b|ticket|isbn|\bean\b"
    r"|code-barres|contrat|s[ée]rie",
    re.I,
)
_EXAMPLE = re.compile(
    r"invalide|incorrect|\btest\b|exemple|sp[ée]cimen|fictif|factice|mod[èe]le", re.I
)
_GAPS = str.maketrans("", "", " ./-")


def ibans(view: str) -> Iterator[Span]:
    """Yield the international bank account numbers (ISO 13616: modulo 97, length by country)."""
    for found in _IBAN.finditer(view):
        start = found.start()
        ends = _iban_ends(view, found.end())
        valid = (end for end in ends if _mod97(view[start:end]) and _is_iban(view[start:end]))
        end = next(valid, 0)
        if not end and _is_announced(_IBAN_SAID, view, start):
            lengths = {len(view[start:end].translate(_GAPS)): end for end in ends}
            end = lengths.get(_FRENCH_IBAN, 0)
        if end and not _is_filler(view[start + 4 : end]):
            yield Span(start, end, "IBAN")


def nirs(view: str) -> Iterator[Span]:
    """Yield the social security numbers; without a key, those that are announced or grouped."""
    from stdnum.fr import nir

    for found in _NIR.finditer(view):
        if _is_filler(found[0]):
            continue
        if found["key"]:
            sure = nir.is_valid(found[0].translate(_GAPS).upper())
        else:
            sure = _GROUPED_NIR.fullmatch(found[0]) is not None
        if sure or _is_announced(_NIR_SAID, view, found.start()):
            yield Span(found.start(), found.end(), "NIR")


def companies(view: str) -> Iterator[Span]:
    """Yield the numbers of establishments (SIRET: Luhn, or La Poste's sum) and firms (SIREN)."""
    from stdnum.fr import siren, siret

    for found in _SIRET.finditer(view):
        announced = _is_announced(_SIRET_SAID, view, found.start())
        referred = said(_REFERENCE_SAID, view, found.start())
        if _is_filler(found[0]):
            continue
        if announced or (not referred and siret.is_valid(found[0].translate(_GAPS))):
            yield Span(found.start(), found.end(), "SIRET")
    for found in _SIREN.finditer(view):
        if said(_SIREN_SAID, view, found.start()) and siren.is_valid(found[0].translate(_GAPS)):
            yield Span(found.start(), found.end(), "SIREN")


def said(words: re.Pattern[str], view: str, start: int, before: int = BEFORE) -> bool:
    """Return whether some words stand shortly before a place."""
    return words.search(view, max(0, start - before), start) is not None


def _is_announced(words: re.Pattern[str], view: str, start: int) -> bool:
    """Return whether a number is called what it looks like, and not an example of it."""
    return said(words, view, start) and not said(_EXAMPLE, view, start, 30)


def _is_filler(number: str) -> bool:
    """Return whether a number is one figure over and over, as forms have it."""
    return len(set(number.translate(_GAPS))) == 1


def _iban_ends(view: str, place: int) -> list[int]:
    """Return where the number may end, the farthest first."""
    ends, count = [], 4
    while count < _LONGEST_IBAN and (found := _IBAN_CHARACTER.match(view, place)):
        place = found.end()
        count += 1
        if count >= 15 and not view[place : place + 1].isalnum():
            ends.append(place)
    return ends[::-1]


def _is_iban(number: str) -> bool:
    """Return whether a number has its country's length and shape; its bank may be unknown."""
    from stdnum import iban

    return iban.is_valid(number, check_country=False)


def _mod97(number: str) -> bool:
    """Return whether the key is right (ISO 7064): a quick look before the country's own rules."""
    bare = number.translate(_GAPS).upper()
    return int("".join(str(int(char, 36)) for char in bare[4:] + bare[:4])) % 97 == 1
