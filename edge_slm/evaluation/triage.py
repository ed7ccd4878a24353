"""Are mails sorted right, and are those that a person must see sent to one?

A mail is automatic when triage would not send it to a person. The curve tells, for each threshold
of the confidence, which share of mails is automatic and how many of those bear the right labels.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from edge_slm.answer import Urgency
from edge_slm.errors import UsageError
from edge_slm.i18n import t
from edge_slm.tasks.triage.classify import Classifier, Verdict
from edge_slm.tasks.triage.desk import Sorted, judge, sort
from edge_slm.tasks.triage.labels import Label, Labels
from edge_slm.tasks.triage.mail import Mail, mail_of, read_mail

STEPS = 20  # thresholds of the curve, less one
NONE = "[]"  # how no label at all is written in the confusion

# Chooses labels in place of the classifier, knowing what it ranked.
Choose = Callable[[Mail, Verdict], Sequence[Label]]


class Row(msgspec.Struct, frozen=True):
    """A mail and what is right for it.

    Attributes:
        labels: names, none where none fits.
        id: what to call it; the file's name by default.
        mail: a file, from the folder of the rows.
        text: the mail itself, in place of a file.
        service, urgency, missing, to_human: what is right; None is not scored.
    """

    labels: tuple[str, ...]
    id: str = ""
    mail: str | None = None
    text: str | None = None
    service: str | None = None
    urgency: Urgency | None = None
    missing: tuple[str, ...] | None = None
    to_human: bool | None = None


class Point(msgspec.Struct, frozen=True):
    """At this threshold, the share of mails that are automatic, and of those that are right."""

    threshold: float
    coverage: float
    accuracy: float | None


class TriageScore(msgspec.Struct, frozen=True):
    """Shares are 0 to 1; None where no row tells.

    Attributes:
        accuracy: mails with exactly the right labels.
        first_label: mails with labels whose first one is right, of those that should have one.
        service_accuracy: mails given to the right service, of those that have one.
        coverage: mails that are automatic.
        accuracy_automatic: automatic mails with exactly the right labels.
        service_automatic: automatic mails given to the right service.
        human_recall: of the mails that a person must see, those sent to one.
        human_precision: of the mails sent to a person, those that one must see.
        missing_f1: of all required items, with precision and recall.
        seconds, cpu_seconds: for a mail, labels' vectors left out.
        confusion: “right > given” and how often, the first label of each.
    """

    mails: int
    accuracy: float
    first_label: float | None
    service_accuracy: float | None
    coverage: float
    accuracy_automatic: float | None
    service_automatic: float | None
    human_recall: float | None
    human_precision: float | None
    urgency_accuracy: float | None
    missing_precision: float | None
    missing_recall: float | None
    missing_f1: float | None
    seconds: float
    cpu_seconds: float
    curve: tuple[Point, ...]
    by_label: dict[str, dict[str, int]]
    confusion: dict[str, int]


class Detail(msgspec.Struct, frozen=True):
    """What became of a row."""

    id: str
    expected: tuple[str, ...]
    labels: tuple[str, ...]
    right: bool
    service: str | None
    urgency: Urgency
    missing: tuple[str, ...]
    to_human: bool
    confidence: float
    why: tuple[str, ...]
    seconds: float


class _Scored(msgspec.Struct, frozen=True):
    row: Row
    done: Sorted
    seconds: float
    always_human: bool

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(label.name for label in self.done.labels)

    @property
    def right(self) -> bool:
        return set(self.labels) == set(self.row.labels)

    def automatic(self, threshold: float) -> bool:
        return not self.always_human and self.done.confidence >= threshold


def evaluate(
    rows: Sequence[Row],
    folder: Path,
    labels: Labels,
    classifier: Classifier,
    cpu_clock: Callable[[], float],
    choose: Choose | None = None,
    on_row: Callable[[], None] = lambda: None,
) -> tuple[TriageScore, list[Detail]]:
    """Sort each mail; return the score and what became of each.

    Args:
        rows: the mails.
        folder: what their files are named from.
        labels: the labels and the threshold.
        classifier: made of these labels.
        cpu_clock: seconds of processor time so far, workers' included.
        choose: chooses the labels in place of the classifier.
        on_row: called after each mail.
    Raises:
        UsageError: a mail cannot be read, or a row names a label that there is not.
    """
    _check(rows, labels)
    scored = []
    cpu = cpu_clock()
    for row in rows:
        start = time.perf_counter()
        mail = _mail(row, folder)
        verdict = judge(mail, classifier)
        if choose:
            verdict = replace(verdict, labels=tuple(choose(mail, verdict)))
        done = sort(mail, verdict, labels.threshold)
        seconds = time.perf_counter() - start
        scored.append(_Scored(row, done, seconds, bool(sort(mail, verdict, 0.0).to_human)))
        on_row()
    cpu = cpu_clock() - cpu
    return _score(scored, labels, cpu), [_detail(one) for one in scored]


def _check(rows: Sequence[Row], labels: Labels) -> None:
    known = {label.name for label in labels.labels}
    for row in rows:
        if (row.mail is None) == (row.text is None):
            raise UsageError(
                t(
                    "Row {id} needs either “mail”, a file, or “text”.",
                    "La ligne {id} veut soit « mail », un fichier, soit « text ».",
                    id=row.id or "?",
                )
            )
        for unknown in set(row.labels) - known:
            raise UsageError(
                t(
                    "A row bears the label “{label}”, which the list of labels does not hold.",
                    "Une ligne porte l'étiquette « {label} », absente de la liste des étiquettes.",
                    label=unknown,
                )
            )


def _mail(row: Row, folder: Path) -> Mail:
    if row.mail is not None:
        return read_mail(folder / row.mail)
    return mail_of((row.text or "").encode("utf-8", "replace"), row.id or "text")


def _score(scored: Sequence[_Scored], labels: Labels, cpu: float) -> TriageScore:
    automatic = [one for one in scored if one.automatic(labels.threshold)]
    served = [one for one in scored if one.row.service]
    judged = [one for one in scored if one.row.to_human is not None]
    urgent = [one for one in scored if one.row.urgency]
    precision, recall = _missing(scored)
    return TriageScore(
        mails=len(scored),
        accuracy=_share(one.right for one in scored) or 0.0,
        first_label=_share(
            one.labels[:1] != () and one.labels[0] in one.row.labels
            for one in scored
            if one.row.labels
        ),
        service_accuracy=_share(one.done.service == one.row.service for one in served),
        coverage=round(len(automatic) / len(scored), 4),
        accuracy_automatic=_share(one.right for one in automatic),
        service_automatic=_share(
            one.done.service == one.row.service for one in automatic if one.row.service
        ),
        human_recall=_share(one not in automatic for one in judged if one.row.to_human),
        human_precision=_share(bool(one.row.to_human) for one in judged if one not in automatic),
        urgency_accuracy=_share(one.done.urgency == one.row.urgency for one in urgent),
        missing_precision=precision,
        missing_recall=recall,
        missing_f1=round(2 * precision * recall / (precision + recall), 4)
        if precision and recall
        else precision and recall,
        seconds=round(sum(one.seconds for one in scored) / len(scored), 4),
        cpu_seconds=round(cpu / len(scored), 4),
        curve=tuple(_point(scored, step / STEPS) for step in range(STEPS + 1)),
        by_label={label.name: _counts(scored, label.name) for label in labels.labels},
        confusion=_confusion(scored),
    )


def _share(truths: Iterable[bool]) -> float | None:
    kept = list(truths)
    return round(sum(kept) / len(kept), 4) if kept else None


def _missing(scored: Sequence[_Scored]) -> tuple[float | None, float | None]:
    """Return precision and recall over the items of all mails."""
    told = [one for one in scored if one.row.missing is not None]
    right = found = wanted = 0
    for one in told:
        expected = set(one.row.missing or ())
        right += len(expected & set(one.done.missing))
        found += len(one.done.missing)
        wanted += len(expected)
    return (
        round(right / found, 4) if found else None,
        round(right / wanted, 4) if wanted else None,
    )


def _point(scored: Sequence[_Scored], threshold: float) -> Point:
    automatic = [one for one in scored if one.automatic(threshold)]
    return Point(
        round(threshold, 2),
        round(len(automatic) / len(scored), 4),
        _share(one.right for one in automatic),
    )


def _counts(scored: Sequence[_Scored], name: str) -> dict[str, int]:
    return {
        "expected": sum(name in one.row.labels for one in scored),
        "given": sum(name in one.labels for one in scored),
        "right": sum(name in one.row.labels and name in one.labels for one in scored),
    }


def _confusion(scored: Sequence[_Scored]) -> dict[str, int]:
    pairs = Counter(
        f"{(one.row.labels or (NONE,))[0]} > {(one.labels or (NONE,))[0]}"
        for one in scored
        if not one.right
    )
    return dict(sorted(pairs.items(), key=lambda pair: (-pair[1], pair[0])))


def _detail(one: _Scored) -> Detail:
    return Detail(
        id=one.row.id or one.row.mail or "",
        expected=one.row.labels,
        labels=one.labels,
        right=one.right,
        service=one.done.service,
        urgency=one.done.urgency,
        missing=one.done.missing,
        to_human=bool(one.done.to_human),
        confidence=one.done.confidence,
        why=(*one.done.to_human, *one.done.why),
        seconds=round(one.seconds, 4),
    )
