"""How soon a mail must be dealt with: rules that say why.

Knows the words of the mail, its date and the urgency of its labels. It does not weigh a case.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from edge_slm.answer import Urgency
from edge_slm.i18n import t
from edge_slm.tasks.triage.dates import DAYS, MONTHS
from edge_slm.tasks.triage.labels import Label
from edge_slm.tasks.triage.mail import Mail
from edge_slm.text import fold

NEAR = 7  # days from the mail to a deadline that makes it urgent

_URGENT = re.compile(
    r"(?<!cas d')(?<!aux )(?<!des )(?<!les )\burgen(?:t|te|ts|tes|ce|tly)\b|"
    r"au plus (?:vite|tot)|(?:plus brefs|meilleurs) delais|immediatement|sans (?:delai|attendre)|"
    r"sous (?:24|48|72) ?(?:h\b|heures)|\basap\b|as soon as possible|immediately|"
    r"sans ressources?|plus (?:rien pour|de quoi) (?:vivre|manger)|a la rue\b"
)
_BY = (
    r"(?:avant|d'ici|au plus tard|pour (?=demain|ce soir|aujourd)|"
    r"(?:date limite|echeance)\W{0,3}|before|no later than|"
    r"by (?=tomorrow|tonight|mon|tue|wed|thu|fri|sat|sun|\d))"
    r"\s*(?:a |le |au |the |this |ce |on |est |is |: ?)*"
)
_MONTHS = {fold(name): place for names in MONTHS.values() for place, name in enumerate(names, 1)}
_DAYS = {fold(name): place for names in DAYS.values() for place, name in enumerate(names)}
_SOON = re.compile(rf"{_BY}(?:demain|apres-demain|ce soir|aujourd'hui|tomorrow|tonight|today)\b")
_WEEKDAY = re.compile(rf"{_BY}({'|'.join(_DAYS)})\b")
_NAMED = re.compile(
    rf"{_BY}(?:(?:{'|'.join(_DAYS)}) )?(\d{{1,2}})(?:er|st|nd|rd|th)? ({'|'.join(_MONTHS)})\b"
    r"(?: (\d{4}))?"
)
_NUMBERED = re.compile(rf"{_BY}(\d{{1,2}})[/.](\d{{1,2}})(?:[/.](\d{{4}}))?\b")
# What nobody waits for: sent to many, by a machine, or to say thanks.
_IDLE = re.compile(
    r"desinscri|desabonn|unsubscribe|reponse automatique|automatic reply|out of office|"
    r"cliquez (?:ici|sur)|en cliquant|click here|webinaire|webinar|newsletter|vente flash|"
    r"(?:joyeuses|bonnes) fetes|meilleurs voeux|tout est clair|merci (?:beaucoup )?pour votre|"
    r"vous remercie|thank you for your"
)
_ASKS = re.compile(
    r"\?|merci de\b|pouvez-vous|pourriez-vous|je (?:souhaite|voudrais|demande)|"
    r"j'aimerais|veuillez|could you|i would like|please\b"
)
_ORDER: tuple[Urgency, ...] = ("low", "normal", "high")


def urgency_of(mail: Mail, labels: Sequence[Label]) -> tuple[Urgency, tuple[str, ...]]:
    """Return how urgent a mail is, and why.

    Args:
        mail: the mail.
        labels: those that it was given.
    """
    reasons = tuple(_reasons(_read(mail), mail.date.date() if mail.date else None))
    if reasons:
        return "high", reasons
    first = max(labels, key=lambda label: _ORDER.index(label.urgency), default=None)
    if first is None or first.urgency == "normal":
        return "normal", ()
    return first.urgency, (
        t(
            "The label “{label}” is set to this urgency.",
            "L'étiquette « {label} » porte cette urgence.",
            label=first.name,
        ),
    )


def asks_nothing(mail: Mail) -> bool:
    """Return whether nobody waits for an answer: advertising, automatic messages, thanks."""
    if mail.automatic:
        return True
    text = _read(mail)
    found = _IDLE.search(text)
    # Advertising asks too (“click here”); thanks that go on to ask are a request.
    return bool(found and (not _ASKS.search(text) or "click" in found[0] or "cliqu" in found[0]))


def _read(mail: Mail) -> str:
    return fold(mail.words.replace("’", "'").replace("\n", " "))


def _reasons(text: str, sent: date | None) -> Iterator[str]:
    if words := _URGENT.search(text):
        yield t("It says “{words}”.", "Il dit « {words} ».", words=words[0])
    if words := _SOON.search(text):
        yield t("It says “{words}”.", "Il dit « {words} ».", words=words[0])
    if sent:
        near = [day for day in _deadlines(text, sent) if 0 <= (day - sent).days <= NEAR]
        if near:
            yield t(
                "It names a deadline, {day}, within {days} days of its date.",
                "Il donne une échéance, le {day}, à moins de {days} jours de sa date.",
                day=min(near).isoformat(),
                days=NEAR,
            )


def _deadlines(text: str, sent: date) -> Iterator[date]:
    for found in _WEEKDAY.finditer(text):
        if not re.match(r" \d", text[found.end() :]):
            yield sent + timedelta((_DAYS[found[1]] - sent.weekday()) % 7)
    for found in _NAMED.finditer(text):
        yield from _day(found[1], _MONTHS[found[2]], found[3], sent)
    for found in _NUMBERED.finditer(text):
        yield from _day(found[1], int(found[2]), found[3], sent)


def _day(day: str, month: int, year: str | None, sent: date) -> Iterator[date]:
    try:
        named = date(int(year or sent.year), month, int(day))
        # A day without a year that has gone by is next year's.
        yield named.replace(year=sent.year + 1) if not year and named < sent else named
    except ValueError:
        return
