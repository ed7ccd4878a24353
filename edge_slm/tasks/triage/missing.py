"""What a request must bring and does not: required items of its labels, looked for in the mail.

A document counts when it is attached, not when it is promised; a figure or a date counts wherever
it stands. Whether the document is the right one is for a person to see.
"""

import re
from collections.abc import Sequence
from functools import cache

from edge_slm.i18n import t
from edge_slm.kb.lexical import stems
from edge_slm.privacy.finding import find
from edge_slm.tasks.triage.dates import MONTHS
from edge_slm.tasks.triage.labels import Item, ItemKind, Label
from edge_slm.tasks.triage.mail import Attachment, Mail
from edge_slm.text import fold

_MONTH = f"(?:{'|'.join(fold(name) for names in MONTHS.values() for name in names)})"
_PATTERNS: dict[ItemKind, re.Pattern[str]] = {
    "date": re.compile(
        rf"\b\d{{1,2}}(?:er|st|nd|rd|th)? {_MONTH}\b|\b\d{{1,2}}[/.]\d{{1,2}}(?:[/.]\d{{2,4}})?\b|"
        rf"\b\d{{4}}-\d\d-\d\d\b|\b{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?\b(?! ?%)"
    ),
    "month": re.compile(rf"\b{_MONTH}\b|\b(?:0?[1-9]|1[0-2])[/-]20\d\d\b|\b20\d\d-\d\d\b"),
    "amount": re.compile(r"\d\s?(?:€|euros?\b|eur\b)|(?:€|\$|£)\s?\d"),
    "email": re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}\.[\w.-]{2,}"),
}
_PERSONAL: dict[ItemKind, str] = {"iban": "IBAN", "phone": "TEL"}
_BIRTH = re.compile(r"naissance|birth")
_BORN = re.compile(r"\bnee?\b[^.\n]{0,30}\d|\bborn\b[^.\n]{0,30}\d|naissance[^.\n]{0,20}\d")
_KINDS: tuple[tuple[re.Pattern[str], ItemKind], ...] = (
    (re.compile(r"\b(?:iban|rib)\b|identite bancaire"), "iban"),
    (re.compile(r"\bmois\b|\bmonth"), "month"),
    (re.compile(r"^(?:dates?|periode|jours?|days?|period)\b"), "date"),
    (re.compile(r"\b(?:numero|matricule|n°|reference|number|identifiant)\b"), "number"),
    (re.compile(r"\b(?:montant|amount)\b"), "amount"),
    (re.compile(r"telephone|\bphone\b"), "phone"),
    (re.compile(r"courriel|e-?mail|adresse electronique"), "email"),
)
_ANNOUNCED = re.compile(
    r"ci[- ]jointe?s?\b|pieces? jointes?|\b(?:je|vous) (?:vous )?(?:joins|adresse|transmets)\b|"
    r"\bjointe?s? (?:a|au)\b|\battached\b|\benclosed\b|\ballego\b|\badjunto\b"
)
_AROUND_NUMBER = r"[^\n\d]{0,30}\d[\d ]{2,}"


def missing(mail: Mail, labels: Sequence[Label]) -> tuple[str, ...]:
    """Return the names of the required items that a mail does not bring, each once.

    Args:
        mail: the mail, unmasked: what is looked for is often personal.
        labels: those that it was given.
    """
    items = dict.fromkeys(item for label in labels for item in label.items)
    return tuple(dict.fromkeys(item.name for item in items if not _is_there(item, mail)))


def announced_in_vain(mail: Mail) -> str:
    """Return a sentence where a mail announces an attachment and has none, else ""."""
    if mail.attachments or not _ANNOUNCED.search(fold(mail.text)):
        return ""
    return t(
        "It announces an attachment, and none came with it.",
        "Il annonce une pièce jointe, et n'en a aucune.",
    )


def kind_of(item: Item) -> ItemKind:
    """Return how an item is recognised: as it says, else by its name, else a document."""
    if item.kind:
        return item.kind
    name = fold(item.name)
    return next((kind for pattern, kind in _KINDS if pattern.search(name)), "document")


def _is_there(item: Item, mail: Mail) -> bool:
    match kind := kind_of(item):
        case "document":
            return _document(item, mail)
        case "number":
            return _number(item, mail)
        case "words":
            return _words(item, mail)
        case "date":
            return _date(item, mail)
        case "iban":
            return _personal(kind, mail) or _document(item, mail)
        case "phone":
            return _personal(kind, mail)
        case _:
            return _pattern(kind, mail)


def _written(mail: Mail) -> str:
    read = (attachment.text for attachment in mail.attachments)
    return fold("\n".join((mail.subject, mail.text, mail.signature, *read)))


def _pattern(kind: ItemKind, mail: Mail) -> bool:
    return bool(_PATTERNS[kind].search(_written(mail)))


def _date(item: Item, mail: Mail) -> bool:
    if not _BIRTH.search(fold(item.name)):
        return _pattern("date", mail)
    raw = "\n".join((mail.text, mail.signature))
    born = any(span.label == "DATE_NAISSANCE" for span in find(raw))
    return born or bool(_BORN.search(_written(mail)))


def _personal(kind: ItemKind, mail: Mail) -> bool:
    raw = "\n".join((mail.text, mail.signature, *(one.text for one in mail.attachments)))
    return any(span.label == _PERSONAL[kind] for span in find(raw))


def _number(item: Item, mail: Mail) -> bool:
    names = [fold(name) for name in (item.name, *item.words)]
    if any("agent" in name for name in names):
        names += ["matricule", "agent n°", "n° d'agent", "employee number", "staff number"]
    text = _written(mail).replace("’", "'")
    return any(re.search(rf"\b{re.escape(name)}{_AROUND_NUMBER}", text) for name in names)


def _words(item: Item, mail: Mail) -> bool:
    said = set(stems(_written(mail)))
    return any(_wanted(words) <= said for words in (item.words or (item.name,)))


def _document(item: Item, mail: Mail) -> bool:
    phrases = (item.name, *item.words)
    if any(_holds(attachment, phrase) for attachment in mail.attachments for phrase in phrases):
        return True
    # A scan says nothing of itself: the sender's word for it is taken.
    return any(_is_scan(one) for one in mail.attachments) and any(
        _names(mail.text, phrase) for phrase in phrases
    )


def _holds(attachment: Attachment, phrase: str) -> bool:
    wanted = _wanted(phrase)
    name = re.sub(r"[_.\-()]+|(?<=[a-zà-ÿ])(?=[A-Z])", " ", attachment.name)
    return bool(wanted) and any(
        wanted <= set(stems(text)) for text in (name, attachment.text[:2000])
    )


def _is_scan(attachment: Attachment) -> bool:
    stem, _, suffix = attachment.name.rpartition(".")
    generic = re.fullmatch(r"(?:scan\w*|img|image|photo|document|doc|file|pj|\W|\d|_)*", fold(stem))
    picture = suffix.lower() in ("jpg", "jpeg", "png", "heic", "tif", "tiff", "pdf", "bin")
    return bool(generic and picture and not attachment.text)


def _names(text: str, phrase: str) -> bool:
    return any(
        _wanted(phrase) <= set(stems(line)) and _ANNOUNCED.search(fold(line))
        for line in re.split(r"[.!?\n]", text)
    )


@cache
def _wanted(phrase: str) -> frozenset[str]:
    return frozenset(stems(phrase))
