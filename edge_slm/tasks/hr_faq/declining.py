"""The last rung: the documents do not answer; what is nearest in them, and whom to ask."""

from collections.abc import Sequence

from edge_slm.i18n import Language, decimal, say
from edge_slm.kb.search import Hit
from edge_slm.tasks.hr_faq.evidence import Evidence
from edge_slm.tasks.hr_faq.reply import Reply
from edge_slm.tasks.small_talk import scope

FAR = 0.02  # confidence under which a request is about something else altogether
NEAREST = 3  # titles offered


def declined(language: Language, evidence: Evidence, why: str = "") -> Reply:
    """Return a refusal.

    Args:
        language: of the one who asks.
        evidence: what the bases hold.
        why: the reason, where it is another than the documents' being too far.
    """
    base = evidence.base
    parts = [
        say(
            language,
            "I do not find the answer in my documents.",
            "Je ne trouve pas la réponse dans mes documents.",
        )
    ]
    if evidence.signals.outside:
        parts.append(
            say(
                language,
                "They are about the civil service, and your question seems to be about the "
                "private sector.",
                "Ils portent sur la fonction publique, et votre question semble porter sur le "
                "secteur privé.",
            )
        )
    elif evidence.confidence < FAR:
        parts.append(scope(language))
    elif titles := _titles(language, evidence.found.hits):
        parts.append(
            say(language, "The nearest: {t}.", "Le plus proche : {t}.", t=" ; ".join(titles))
        )
    if base and base.contact and evidence.confidence >= FAR:
        parts.append(say(language, "Please ask: {c}.", "Adressez-vous à : {c}.", c=base.contact))
    return Reply(iter([" ".join(parts)]), "declined", why or _too_far(language, evidence))


def _titles(language: Language, hits: Sequence[Hit]) -> list[str]:
    titles = dict.fromkeys(hit.title or hit.document for hit in hits)
    return [say(language, "“{t}”", "« {t} »", t=title) for title in list(titles)[:NEAREST]]


def _too_far(language: Language, evidence: Evidence) -> str:
    return say(
        language,
        "the documents hold nothing near enough (confidence {c}, at least {t} is needed)",
        "les documents n'ont rien d'assez proche (confiance {c}, il faut {t})",
        c=decimal(evidence.confidence, 2, language),
        t=decimal(evidence.threshold, 2, language),
    )
