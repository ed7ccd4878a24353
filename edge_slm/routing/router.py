"""Which task takes a request: by rule where one fires, else by what the words look like.

It looks at the words only. Whether the base holds an answer is for the task to find out, so that
out of all labels only an order to the assistant itself keeps a request from the base, where it is
sure.
"""

from collections.abc import Mapping
from dataclasses import replace

from edge_slm.answer import Route
from edge_slm.i18n import t
from edge_slm.routing import classifier, rules
from edge_slm.routing.request import Label, Request

# Probability from which a request is declined as an order to the assistant itself: no false alarm
# on held-out rows of people's own questions (docs/decisions/0013-router.md).
INJECTION_SURE = 0.8


def route(text: str) -> Request:
    """Return the task that a request is for. `text` is stripped and not empty.

    Where the classifier's weights are absent or damaged, the rules alone decide. Personal data
    changes the label, not the task.
    """
    from edge_slm.routing.personal import names_someone

    request = rules.route(text) or _by_words(text)
    if request.route.task != "fallback" and names_someone(text):
        return replace(request, label="pii")
    return request


def _by_words(text: str) -> Request:
    weighing = classifier.shipped()
    if weighing is None:
        why = t(
            "taken for a question to the base (the router's weights are absent or damaged)",
            "pris pour une question à la base (les poids du routeur sont absents ou abîmés)",
        )
        return Request(Route("hr_faq", 0.5, why), text)
    found = weighing.probabilities(text)
    label, injection = label_of(found), found["prompt_injection"]
    if injection >= INJECTION_SURE:
        why = t(
            "looks like an order to the assistant itself, not like a question",
            "ressemble à un ordre donné à l'assistant lui-même, pas à une question",
        )
        route = Route("fallback", round(injection, 3), why)
    else:
        why = t("taken for a question to the base", "pris pour une question à la base")
        route = Route("hr_faq", round(1 - injection, 3), why)
    return Request(route, text, label=label, probabilities=found)


def label_of(found: Mapping[Label, float]) -> Label:
    """Return what a text most likely is."""
    return max(found, key=lambda label: found[label])
