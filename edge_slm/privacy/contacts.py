"""E-mail addresses, written or dictated, and telephone numbers of France and elsewhere."""

import re
from collections.abc import Iterator

from edge_slm.privacy.keyed import said
from edge_slm.privacy.spans import Span

_EMAIL = re.compile(
    r"(?<![\w.+%-])[\w.+%-]{1,64} ?(?:@|\(at\)|\[at\]) ?[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}", re.I
)
# “jean point dupont arobase exemple point fr”, as a transcript has it.
_DICTATED = re.compile(
    r"(?<!\w)(?<!\w-)[\w-]{1,40}(?: (?:point|tiret) [\w-]{1,40}){0,5} arobase [\w-]{1,40}"
    r"(?: (?:point|tiret) [\w-]{1,40}){1,5}",
    re.I,
)

# No person has a number in 08 (services).
_FRENCH = re.compile(
    r"(?<![\w+])(?<![0-9][ .,/-])(?:(?:\+|00) ?33[ .-]?(?:\(0\))?[ .-]?|\(?0)[1-79]\)?"
    r"(?:([ .\-/]{0,3})[0-9]{2}(?:\1[0-9]{2}){3}|[ .-]?(?P<odd>[0-9](?:[ .-]?[0-9]){7}))"
    r"(?![A-Za-z0-9]|[.,/-][0-9]|[ ][0-9]| ?[€$£%]| ?euros?\b| ?eur\b)",
    re.I,
)
_FOREIGN = re.compile(
    r"(?<![\w+])(?:\+|00)(?! ?33)[ ]?[1-9](?:[ ().-]{0,2}[0-9]){6,14}"
    r"(?![A-Za-z0-9]|,[0-9]| ?[€$£%]| ?euros?\b)",
    re.I,
)
_PHONE_SAID = re.compile(
    r"t[ée]l|joi[ng]|rappel|appel|num[ée]ro|portable|mobile|fixe\b|phone|contact|\bgsm\b|sms", re.I
)
_OTHER_SAID = re.compile(
    r"\br[ée]f[ée]rence|\br[ée]f\b|dossier|commande|facture|march[ée]|\bbon\b|ticket|isbn|issn|\bean\b"
    r"|code|contrat|s[ée]rie|total|somme|montant|matricule|budget|imputation|mandat|article",
    re.I,
)
_NEAR = 25  # characters before a number in which the text calls it something


def emails(view: str) -> Iterator[Span]:
    """Yield e-mail addresses."""
    for pattern in (_EMAIL, _DICTATED):
        for found in pattern.finditer(view):
            yield Span(found.start(), found.start() + len(found[0].rstrip("-_")), "EMAIL")


def phones(view: str) -> Iterator[Span]:
    """Yield telephone numbers, but for those that the text calls a reference or a sum."""
    for found in _FRENCH.finditer(view):
        announced = said(_PHONE_SAID, view, found.start(), 2 * _NEAR)
        other = said(_OTHER_SAID, view, found.start(), _NEAR) and not announced
        if not other and (announced or not found["odd"]):
            yield Span(found.start(), found.end(), "TEL")
    for found in _FOREIGN.finditer(view):
        if _is_abroad(found[0]):
            yield Span(found.start(), found.end(), "TEL")


def _is_abroad(number: str) -> bool:
    """Return whether a number with a country's code is one that the country gives out."""
    import phonenumbers

    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number, "FR"))
    except phonenumbers.NumberParseException:
        return False
