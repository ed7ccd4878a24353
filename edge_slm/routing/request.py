"""What the router gives back: the task that takes a request, and what the request looks like."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from edge_slm.answer import Route

Label = Literal[
    "hr_faq",
    "admin_hors_rh",
    "translation",
    "transcription",
    "small_talk",
    "out_of_scope",
    "prompt_injection",
    "pii",
]
# In the order of the classifier's table.
LEARNT: tuple[Label, ...] = (
    "hr_faq",
    "admin_hors_rh",
    "translation",
    "transcription",
    "small_talk",
    "out_of_scope",
    "prompt_injection",
)
LABELS: tuple[Label, ...] = (*LEARNT, "pii")


@dataclass(frozen=True)
class Request:
    """A request as the router understands it.

    `text` is what the task works on: the question, the text to translate, the path of a recording,
    or the kind of small talk. `source` and `target` are language codes of a translation; `source`
    is also the language of small talk. `label` is what the request looks like and `probabilities`
    how much (0 to 1, together 1; empty where nothing was weighed). A base may be about anything, so
    that a label alone sends no question away.
    """

    route: Route
    text: str
    source: str | None = None
    target: str | None = None
    label: Label = "hr_faq"
    probabilities: Mapping[Label, float] = field(default_factory=dict)
