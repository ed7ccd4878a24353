"""Puts passages into a question, by the client's template or by ours."""

import re
from collections.abc import Sequence

from edge_slm.i18n import t
from edge_slm.kb.search import Hit
from edge_slm.server.errors import Refused

DEFAULT = (
    "Voici des extraits de documents, puis une question. Réponds à la question d'après ces "
    "extraits seulement ; s'ils ne disent rien, dis-le.\n\nExtraits :\n{chunks}\n\n"
    "Question : {prompt}"
)
_FIELD = re.compile(r"\{(prompt|chunks)\}")


def with_passages(question: str, hits: Sequence[Hit], template: str | None = None) -> str:
    """Return a question with its passages.

    Args:
        question: what the user asked.
        hits: passages, best first.
        template: a text with the fields {prompt} and {chunks}; None for the French default.
    Raises:
        Refused: the template lacks a field.
    """
    template = DEFAULT if template is None else template
    if {"prompt", "chunks"} - set(_FIELD.findall(template)):
        raise Refused(
            t(
                "The template must hold the fields prompt and chunks, each in braces.",
                "Le gabarit doit contenir les champs prompt et chunks, chacun entre accolades.",
            ),
            param="search_args.template",
        )
    chunks = "\n\n".join(f"[{number}] {_headed(hit)}" for number, hit in enumerate(hits, 1))
    values = {"prompt": question, "chunks": chunks}
    # In one pass: a passage that holds “{prompt}” is left as it is.
    return _FIELD.sub(lambda found: values[found[1]], template)


def _headed(hit: Hit) -> str:
    title = " > ".join(part for part in (hit.title, hit.section) if part)
    return f"{title}\n{hit.text}"
