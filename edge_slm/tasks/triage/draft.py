"""A draft reply: a fixed polite frame around answers that cite their page.

What is not known stands in bold brackets for the agent to fill in; what the bases do not answer is
said to be passed on, never made up. Nothing is sent.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from edge_slm.answer import Answer
from edge_slm.i18n import Language, say
from edge_slm.kb.readers.cleaning import clean
from edge_slm.tasks.triage.dates import MONTHS
from edge_slm.tasks.triage.mail import Mail
from edge_slm.text import shorten

_LINK = re.compile(r"\b(?:https?://|www\.)\S+", re.IGNORECASE)
# What would be taken for a field of ours, or for markup.
_MARKUP = str.maketrans(dict.fromkeys("*[]<>`_#|", " "))


class Replied(NamedTuple):
    """A question of the mail, as its sender put it, and what the bases say."""

    question: str
    answer: Answer


def draft(
    mail: Mail,
    language: Language,
    service: str | None,
    replies: Sequence[Replied],
    missing: Sequence[str],
) -> str:
    """Return a draft reply.

    Args:
        mail: the mail; only its sender's name, date and subject are repeated.
        language: of the draft.
        service: who works on it, or None where it is not known.
        replies: questions with their answers; one that was declined gives no content.
        missing: what the sender is asked for.
    """
    parts = [_greeting(mail, language), _received(mail, language)]
    parts += [_answered(reply, language) for reply in replies if reply.answer.kind != "declined"]
    parts.append(_passed_on(replies, service, language))
    if missing:
        parts.append(_asked_for(missing, language))
    parts.append(_closing(service, language))
    return "\n\n".join(parts) + "\n"


def danger_draft(mail: Mail, language: Language) -> str:
    """Return the draft for a mail that speaks of danger: whom to call, and that a person reads."""
    help_ = say(
        language,
        "Your message has been passed to a person who will contact you: **[name and telephone]**. "
        "In immediate danger, call 112.",
        "Votre message est transmis à une personne qui va prendre contact avec vous : **[nom et "
        "téléphone]**. En cas de danger immédiat, appelez le 112 ; en cas de détresse, le 3114 "
        "répond jour et nuit.",
    )
    return "\n\n".join((_greeting(mail, language), help_, _closing(None, language))) + "\n"


def field(name: str) -> str:
    """Return an unknown field: its name in bold brackets."""
    return f"**[{name}]**"


def quoted(text: str, longest: int) -> str:
    """Return words of a mail as one harmless line: no links, no markup, no field of ours."""
    return shorten(clean(_LINK.sub(" ", text).translate(_MARKUP)), longest)


def _greeting(mail: Mail, language: Language) -> str:
    name = quoted(mail.sender, 60)
    if not name or "@" in name:
        name = field(say(language, "sender's name", "nom de l'expéditeur"))
    return say(language, "Dear {name},", "Bonjour {name},", name=name)


def _received(mail: Mail, language: Language) -> str:
    on = say(language, " of {day}", " du {day}", day=_day(mail.date, language)) if mail.date else ""
    about = quoted(mail.subject, 80)
    subject = say(language, " about “{s}”", " au sujet de « {s} »", s=about) if about else ""
    return say(
        language,
        "We have received your message{on}{subject}.",
        "Nous avons bien reçu votre message{on}{subject}.",
        on=on,
        subject=subject,
    )


def _answered(reply: Replied, language: Language) -> str:
    question = say(language, "“{q}”", "« {q} »", q=quoted(reply.question, 200))
    lines = [question, reply.answer.text.strip()]
    for source in reply.answer.sources[:2]:
        place = say(language, "page {page}", "page {page}", page=source.page)
        section = f", {source.section}" if source.section else ""
        lines.append(
            say(
                language,
                "(Source: {title}, {place})",
                "(Source : {title}, {place})",
                title=source.title,
                place=place + section,
            )
        )
    return "\n".join(lines)


def _passed_on(replies: Sequence[Replied], service: str | None, language: Language) -> str:
    to = quoted(service, 80) if service else field(say(language, "department", "service"))
    open_questions = [
        quoted(reply.question, 200) for reply in replies if reply.answer.kind == "declined"
    ]
    if open_questions:
        return say(
            language,
            "Your question “{q}” is passed to {to}, who will answer you.",
            "Votre question « {q} » est transmise à {to}, qui vous répondra.",
            q=open_questions[0],
            to=to,
        )
    if replies:
        return say(
            language,
            "Your request is followed by {to}.",
            "Votre demande est suivie par : {to}.",
            to=to,
        )
    return say(
        language,
        "Your message is passed to {to}, who will answer you.",
        "Votre message est transmis à {to}, qui vous répondra.",
        to=to,
    )


def _asked_for(missing: Sequence[str], language: Language) -> str:
    intro = say(
        language,
        "To deal with your request, we still need the following by {day}:",
        "Pour traiter votre demande, il nous manque, avant le {day} :",
        day=field(say(language, "date", "date")),
    )
    return "\n".join((intro, *(f"- {item}" for item in missing)))


def _closing(service: str | None, language: Language) -> str:
    name = field(say(language, "agent's name", "nom de l'agent"))
    signed = service or field(say(language, "department", "service"))
    return say(
        language,
        "Kind regards,\n{name}\n{signed}",
        "Cordialement,\n{name}\n{signed}",
        name=name,
        signed=signed,
    )


def _day(when: datetime, language: Language) -> str:
    first = when.day == 1 and language == "fr"
    day = "1er" if first else str(when.day)
    return f"{day} {MONTHS[language][when.month - 1]} {when.year}"
