"""An answer under way, and the citations that it carries."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from edge_slm.answer import Kind, Source, Usage
from edge_slm.kb.search import Hit


@dataclass
class Reply:
    """An answer under way; all is final once `pieces` is exhausted.

    `checks` names the checks that a written sentence did not pass, one name a sentence and check.
    """

    pieces: Iterator[str] = field(default_factory=lambda: iter(()))
    kind: Kind = "declined"
    why: str = ""
    sources: tuple[Source, ...] = ()
    usage: Usage = field(default_factory=Usage)
    warnings: list[str] = field(default_factory=list)
    checks: list[str] = field(default_factory=list)
    model_wrote: bool = False


def source_of(hit: Hit, quote: str) -> Source:
    """Return the citation of a passage."""
    return Source(
        kb=hit.kb,
        document=hit.document,
        title=hit.title,
        page=hit.page,
        section=hit.section,
        passage=f"{hit.kb}:{hit.passage}",
        quote=quote,
        score=hit.score,
    )
