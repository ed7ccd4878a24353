"""Numbers of papers and plates, which have a shape but no key: NUMEN, passport, card, vehicle."""

import re
from collections.abc import Iterator

from edge_slm.privacy.keyed import said
from edge_slm.privacy.spans import Span

# The education ministry's number: two digits, a letter, seven or eight digits, two or three
# letters, thirteen characters in all.
_NUMEN = re.compile(
    r"(?<![A-Za-z0-9])[0-9]{2} ?[A-Za-z] ?[0-9]{2} ?[0-9]{5}(?:[0-9] ?[A-Za-z]{2}| ?[A-Za-z]{3})"
    r"(?![A-Za-z0-9])"
)
_PASSPORT = re.compile(r"(?<![A-Za-z0-9-])[0-9]{2} ?[A-Za-z]{2} ?[0-9]{5}(?![A-Za-z0-9-])")
_PASSPORT_SAID = re.compile(r"passeport", re.I)
_CARD = re.compile(
    r"(?<![A-Za-z0-9-])(?:[0-9]{4} ?[0-9]{4} ?[0-9]{4}|[0-9]{2}[A-Za-z]{2}[0-9]{5}"
    r"|(?=[A-Za-z]{0,8}[0-9])[A-Za-z0-9]{9})(?![A-Za-z0-9-])"
)
_CARD_SAID = re.compile(r"\bcni\b|\bcnis\b|d'identit[ée]|\bidentit[ée]", re.I)

# Since 2009, without I, O, U, which people write all the same; before, digits, letters and the
# department.
_NEW_PLATE = re.compile(
    r"(?<![A-Za-z0-9-])[A-Za-z]{2}([ -]?)[0-9]{3}\1[A-Za-z]{2}"
    r"(?![A-Za-z0-9-])"
)
_NO_PLATE = re.compile("[IOUa-z]")
_OLD_PLATE = re.compile(
    r"(?<![A-Za-z0-9-])(?<![0-9][ .,])[0-9]{1,4}[ -]?([A-Za-z]{1,3})[ -]?"
    r"(?:97[1-8]|[0-9]{2}|2[ABab])"
    r"(?![A-Za-z0-9-]|[ .,][0-9])"
)
_PLATE_SAID = re.compile(
    r"immatricul|v[ée]hicule|voiture|plaque|carte grise|\bauto|camion|\bmoto|scooter|fourgon"
    r"|stationne|\bparking|remorque|\bbus\b",
    re.I,
)
_JUST_BEFORE = 14  # characters: “immatriculé ab 123 cd”, but not “garé au 200 bd 37”
_AROUND = 90  # characters before a plate in which a vehicle is named


def papers(view: str) -> Iterator[Span]:
    """Yield NUMEN, passport and identity card numbers; cards only where they are announced."""
    for found in _NUMEN.finditer(view):
        yield Span(found.start(), found.end(), "NUMEN")
    for found in _PASSPORT.finditer(view):
        if said(_PASSPORT_SAID, view, found.start()) or _official(found[0]):
            card = said(_CARD_SAID, view, found.start(), 40)
            yield Span(found.start(), found.end(), "CNI" if card else "PASSEPORT")
    for found in _CARD.finditer(view):
        if said(_CARD_SAID, view, found.start()):
            yield Span(found.start(), found.end(), "CNI")


def plates(view: str) -> Iterator[Span]:
    """Yield vehicle plates: the new shape in capitals with its hyphens, others beside a vehicle."""
    for found in _NEW_PLATE.finditer(view):
        sure = found[1] == "-" and not _NO_PLATE.search(found[0])
        if sure or _is_beside_a_vehicle(view, found):
            yield Span(found.start(), found.end(), "PLAQUE")
    for found in _OLD_PLATE.finditer(view):
        if found[1] not in ("h", "H") and _is_beside_a_vehicle(view, found):
            yield Span(found.start(), found.end(), "PLAQUE")


def _is_beside_a_vehicle(view: str, found: re.Match[str]) -> bool:
    """Return whether a vehicle is named before a plate: just before one in small letters."""
    clear = found[0].upper() == found[0] or "-" in found[0]
    return said(_PLATE_SAID, view, found.start(), _AROUND if clear else _JUST_BEFORE)


def _official(number: str) -> bool:
    return " " not in number and number.upper() == number
