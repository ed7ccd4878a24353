"""The labels that a user configures: what each is for, whose work it is, what it needs.

The file is JSON: a list of labels, or an object with the list under `labels` and a `threshold`. A
label needs no more than a name and a description.
"""

import codecs
import re
from pathlib import Path
from typing import Literal

import msgspec

from edge_slm.answer import Urgency
from edge_slm.errors import UsageError
from edge_slm.i18n import t

SURE = 0.7  # measured on the development mails (docs/decisions/0015-triage.md)
MOST_LABELS = 100
LONGEST_FIELD = 2000  # characters
LARGEST_FILE = 1_000_000  # bytes

ItemKind = Literal[
    "document", "number", "date", "month", "amount", "iban", "phone", "email", "words"
]


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something that a request must bring.

    Attributes:
        name: as the sender is asked for it.
        kind: how it is recognised (missing.py); None takes it from the name.
        words: other words for it; any of them will do.
    """

    name: str
    kind: ItemKind | None = None
    words: tuple[str, ...] = ()


class Label(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One label.

    Attributes:
        name: what is given back.
        description: what the label is for, in the words of those who write.
        service: who works on it, or "".
        urgency: what it is at least.
        human: whether a person must always see it.
        required: what a request must bring; a text is an item of that name.
        examples: mails, or sentences of mails, that bear the label.
    """

    name: str
    description: str = ""
    service: str = ""
    urgency: Urgency = "normal"
    human: bool = False
    required: tuple[Item | str, ...] = ()
    examples: tuple[str, ...] = ()

    @property
    def items(self) -> tuple[Item, ...]:
        """What a request must bring."""
        return tuple(Item(item) if isinstance(item, str) else item for item in self.required)

    @property
    def texts(self) -> tuple[str, ...]:
        """What says what the label is for: name with description, and each example."""
        return (f"{self.name} : {self.description}", *self.examples)


class Labels(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A list of labels.

    Attributes:
        labels: at least one, each with a name of its own.
        threshold: confidence (0 to 1) under which a mail goes to a person;
            `edge-slm eval triage` shows what each threshold gives.
    """

    labels: tuple[Label, ...]
    threshold: float = SURE


def read_labels(path: Path) -> Labels:
    """Read the labels of a file.

    Raises:
        UsageError: it cannot be read, or is no list of labels.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise UsageError(
            t(
                "{path} cannot be read: {error}.",
                "{path} ne se lit pas : {error}.",
                path=path,
                error=error.strerror,
            )
        ) from None
    if len(data) > LARGEST_FILE:
        raise _wrong(path, t("it is over 1 MB", "il dépasse 1 Mo"))
    data = data.removeprefix(codecs.BOM_UTF8).strip()
    try:
        if data.startswith(b"{"):
            labels = msgspec.json.decode(data, type=Labels)
        else:
            labels = Labels(msgspec.json.decode(data, type=tuple[Label, ...]))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _wrong(path, str(error)) from None
    if problem := _problem(labels):
        raise _wrong(path, problem)
    return labels


def _problem(read: Labels) -> str:
    """Return what is wrong with labels, or ""."""
    labels = read.labels
    names = [label.name.strip() for label in labels]
    if not 0 <= read.threshold <= 1:
        return t("the threshold is 0 to 1", "le seuil va de 0 à 1")
    if not labels or len(labels) > MOST_LABELS:
        return t(
            "it must hold 1 to {most} labels", "il faut de 1 à {most} étiquettes", most=MOST_LABELS
        )
    if not all(names) or len({name.casefold() for name in names}) < len(names):
        return t("each label needs a name of its own", "chaque étiquette veut un nom à elle")
    if any(re.search(r"[\x00-\x1f\x7f\ud800-\udfff]", name) for name in names):
        return t("a name is one line of text", "un nom tient sur une ligne et n'est que du texte")
    texts = [text for label in labels for text in (label.name, label.service, *label.texts)]
    if any(len(text) > 2 * LONGEST_FIELD for text in texts):
        return t(
            "a description has at most {most} characters",
            "une description a {most} caractères au plus",
            most=LONGEST_FIELD,
        )
    return ""


def _wrong(path: Path, reason: str) -> UsageError:
    return UsageError(
        t(
            "{path} is no list of labels: {reason}.",
            "{path} n'est pas une liste d'étiquettes : {reason}.",
            path=path,
            reason=reason,
        )
    )
