"""The desk where a mail is sorted: all that is said of it before a draft, and then the draft.

Most that it decides is whether a person must look first; each reason is given.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import msgspec

from edge_slm.answer import Answer, Route, Triage, Urgency, Usage
from edge_slm.clock import Clock
from edge_slm.engines import Embedder
from edge_slm.i18n import Language, decimal, t
from edge_slm.privacy.mask import PLACEHOLDER, Masked, mask
from edge_slm.tasks.triage.alarms import alarms
from edge_slm.tasks.triage.classify import Classifier, Verdict
from edge_slm.tasks.triage.draft import Replied, danger_draft, draft
from edge_slm.tasks.triage.labels import Label, Labels
from edge_slm.tasks.triage.mail import Mail
from edge_slm.tasks.triage.missing import announced_in_vain, missing
from edge_slm.tasks.triage.questions import questions_of
from edge_slm.tasks.triage.urgency import asks_nothing, urgency_of

URGENCIES: dict[Urgency, tuple[str, str]] = {
    "low": ("low", "basse"),
    "normal": ("normal", "normale"),
    "high": ("high", "haute"),
}
Ask = Callable[[str], Answer]


@dataclass(frozen=True)
class Sorted:
    """What is known of a mail before a draft is made.

    Attributes:
        labels: those that it bears, best first.
        urgency: how soon it must be dealt with.
        missing: what it does not bring.
        confidence: the probability (0 to 1) that the first label is right.
        to_human: why a person must look first, a sentence each; empty where none must.
        why: the other reasons, a sentence each.
        danger: whether it speaks of danger to somebody.
        idle: whether nothing is asked for.
    """

    labels: tuple[Label, ...]
    urgency: Urgency
    missing: tuple[str, ...]
    confidence: float
    to_human: tuple[str, ...]
    why: tuple[str, ...]
    danger: bool
    idle: bool

    @property
    def service(self) -> str | None:
        """Who works on it: the service of the first label."""
        return next((label.service for label in self.labels if label.service), None)


def judge(mail: Mail, classifier: Classifier) -> Verdict:
    """Return which labels a mail bears; the embedding model sees nothing personal.

    A placeholder has words of its own (“[DATE_NAISSANCE_1]”), which no sender wrote.
    """
    return classifier.classify(PLACEHOLDER.sub("", mask(mail.words).text))


def sort(mail: Mail, verdict: Verdict, threshold: float) -> Sorted:
    """Sort a mail by the labels that it bears; nothing is written by a model.

    Args:
        mail: the mail.
        verdict: its labels.
        threshold: confidence under which a person must look.
    """
    raised = alarms(mail.words)
    idle = asks_nothing(mail) and not raised
    labels = () if idle else verdict.labels
    urgency, reasons = urgency_of(mail, labels)
    if idle:
        urgency, reasons = "low", (_nothing_asked(),)
    elif raised.keys() & {"danger", "legal"}:
        urgency = "high"
    return Sorted(
        labels=labels,
        urgency=urgency,
        # A sender is asked for what a label requires only where the label is sure.
        missing=missing(mail, labels) if verdict.confidence >= threshold else (),
        confidence=round(verdict.confidence, 3),
        to_human=(*raised.values(), *_doubts(mail, verdict, labels, threshold)),
        why=tuple(filter(None, (*reasons, announced_in_vain(mail)))),
        danger="danger" in raised,
        idle=idle,
    )


def _nothing_asked() -> str:
    return t(
        "Nothing is asked for: advertising, an automatic message or thanks.",
        "Rien n'est demandé : publicité, message automatique ou remerciements.",
    )


def handle(mail: Mail, done: Sorted, ask: Ask | None) -> tuple[Triage, tuple[Answer, ...]]:
    """Make the draft of a sorted mail, and return all that is said of it.

    Args:
        mail: the mail.
        done: what `sort` said.
        ask: puts a masked question to the bases; None where there is no base.
    Returns:
        the result, and the answers that the draft rests on.
    """
    language: Language = "fr" if mail.language == "fr" else "en"
    replies: list[Replied] = []
    if done.idle:
        written = ""
    elif done.danger:
        written = danger_draft(mail, language)
    else:
        if ask and mail.language in ("fr", "en"):
            replies = list(_replies(mail, done.labels, language, ask))
        written = draft(mail, language, done.service, replies, done.missing)
    triage = Triage(
        labels=tuple(label.name for label in done.labels),
        service=done.service,
        urgency=done.urgency,
        missing=done.missing,
        draft=written,
        to_human=bool(done.to_human),
        confidence=done.confidence,
        why=(*done.to_human, *done.why),
    )
    return triage, tuple(reply.answer for reply in replies)


def answer(mail: Mail, labels: Labels, embedder: Embedder, model: str, ask: Ask | None) -> Answer:
    """Sort a mail and draft a reply.

    Args:
        mail: the mail.
        labels: those to choose from.
        embedder: the embedding model.
        model: its id, by which the labels' vectors are kept on the disk; "" keeps none.
        ask: puts a question to the bases; None where there is no base.
    """
    clock = Clock()
    classifier = Classifier(labels.labels, embedder, model)
    clock.lap("labels")
    done = sort(mail, judge(mail, classifier), labels.threshold)
    clock.lap("sort")
    triage, answers = handle(mail, done, ask)
    clock.lap("draft")
    by_model = next((one for one in answers if one.ai_generated), None)
    why = triage.why[0] if triage.why else t("the label is sure", "l'étiquette est sûre")
    return Answer(
        text=summary(triage),
        kind="triage",
        task="triage",
        language="fr" if mail.language == "fr" else "en",
        ai_generated=by_model is not None,
        route=Route("triage", triage.confidence, why),
        sources=tuple(source for one in answers for source in one.sources),
        model=by_model.model if by_model else None,
        usage=_together([one.usage for one in answers]),
        timings_ms=clock.laps(),
        warnings=tuple(warning for one in answers for warning in one.warnings),
        triage=triage,
    )


def summary(triage: Triage) -> str:
    """Return what became of a mail as lines in the interface's language, without the draft."""
    nothing = t("none", "aucun")
    rows = [
        (t("Labels", "Étiquettes"), ", ".join(triage.labels) or nothing),
        (t("Service", "Service"), triage.service or nothing),
        (t("Urgency", "Urgence"), t(*URGENCIES[triage.urgency])),
        (t("Missing", "Manque"), ", ".join(triage.missing) or nothing),
        (t("Confidence", "Confiance"), decimal(triage.confidence, 2)),
        (t("To a human", "À une personne"), t("yes", "oui") if triage.to_human else t("no", "non")),
    ]
    lines = [t("{name}: {value}", "{name} : {value}", name=name, value=v) for name, v in rows]
    return "\n".join((*lines, *(f"- {reason}" for reason in triage.why)))


def _together(usages: Sequence[Usage]) -> Usage:
    return Usage(
        sum(usage.prompt_tokens for usage in usages),
        sum(usage.cached_tokens for usage in usages),
        sum(usage.completion_tokens for usage in usages),
    )


def _replies(
    mail: Mail, labels: Sequence[Label], language: Language, ask: Ask
) -> Iterator[Replied]:
    masked: Masked = mask(mail.text)
    for question in questions_of(masked.text, labels, language):
        given = ask(question.asked)
        text = masked.restore(given.text)
        yield Replied(masked.restore(question.shown), msgspec.structs.replace(given, text=text))


def _doubts(
    mail: Mail, verdict: Verdict, labels: Sequence[Label], threshold: float
) -> Iterator[str]:
    """Yield why a person must look, alarms aside."""
    if mail.language not in ("fr", "en"):
        yield t("It is neither in French nor in English.", "Il n'est ni en français ni en anglais.")
    if not mail.text.strip():
        yield t("It has no text of its own.", "Il n'a pas de texte propre.")
    yield from mail.problems
    yield from _about_labels(verdict, labels, threshold)


def _about_labels(verdict: Verdict, labels: Sequence[Label], threshold: float) -> Iterator[str]:
    if not labels:
        yield t("No label fits.", "Aucune étiquette ne convient.")
    elif verdict.confidence < threshold:
        yield t(
            "The label is not sure (confidence {c}, at least {t} is needed).",
            "L'étiquette n'est pas sûre (confiance {c}, il faut {t}).",
            c=decimal(verdict.confidence, 2),
            t=decimal(threshold, 2),
        )
    if len({label.service for label in labels}) > 1:
        yield t("It concerns several services.", "Il concerne plusieurs services.")
    elif verdict.several and labels:
        yield t("It seems to make several requests.", "Il semble faire plusieurs demandes.")
    for label in labels:
        if label.human:
            yield t(
                "The label “{label}” always goes to a person.",
                "L'étiquette « {label} » va toujours à une personne.",
                label=label.name,
            )
