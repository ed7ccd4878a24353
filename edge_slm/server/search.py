"""POST /v1/search: passages of the collections, without answering."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from edge_slm.answer import Usage
from edge_slm.kb.search import Hit, Weights, search
from edge_slm.server.bases import chosen
from edge_slm.server.exchange import Call, Reply, as_json, read
from edge_slm.server.shapes import usage_of
from edge_slm.server.site import Site

Method = Literal["hybrid", "semantic", "lexical"]

# Hybrid is the measured balance. The other two leave one side out, and the document's opening too.
_WEIGHTS = {
    "hybrid": Weights(),
    "semantic": Weights(dense=1e9, lead=0.0),
    "lexical": Weights(dense=0.0, lead=0.0),
}


class SearchBody(Struct, frozen=True, kw_only=True):
    """The body of /v1/search."""

    prompt: Annotated[str, Meta(min_length=1, max_length=10_000)]
    collections: list[int | str] | None = None
    limit: Annotated[int, Meta(ge=1, le=200)] = 10
    offset: Annotated[int, Meta(ge=0, le=10_000)] = 0
    method: Method = "hybrid"
    score_threshold: float = 0.0


@dataclass(frozen=True)
class Result:
    """A passage found, and by which method."""

    method: str
    hit: Hit

    def told(self) -> dict[str, object]:
        """Return it in Albert's shape."""
        return {"method": self.method, "score": self.hit.score, "chunk": chunk_of(self.hit)}


def handle(site: Site, call: Call) -> Reply:
    """Search."""
    body = read(call.body, SearchBody)
    data = [result.told() for result in results(site, body)]
    return as_json({"object": "list", "data": data, "usage": usage_of(Usage())})


def results(site: Site, body: SearchBody) -> list[Result]:
    """Return the passages nearest to a prompt, best first.

    Scores go from 0 to 1 within one base and one question. Over several bases each is weighed by
    how sure its base is that it holds an answer, or the best of every base would come first.
    """
    hits = _hits(site, chosen(site, body.collections), body)
    # By words alone, a passage of score 0 shares none with the prompt.
    worded = body.method == "lexical"
    kept = [hit for hit in hits if hit.score >= body.score_threshold and (hit.score or not worded)]
    return [Result(body.method, hit) for hit in kept[body.offset : body.offset + body.limit]]


def chunk_of(hit: Hit) -> dict[str, object]:
    """Return a passage in Albert's shape."""
    return {
        "object": "chunk",
        "id": hit.passage,
        "content": hit.text,
        "metadata": {
            "document": hit.document,
            "title": hit.title,
            "page": hit.page,
            "section": hit.section,
            "collection": hit.kb,
        },
    }


def _hits(site: Site, files: Sequence[Path], body: SearchBody) -> list[Hit]:
    hits: list[Hit] = []
    with site.opened(files) as bases:
        for base in bases:
            embedder = site.engines.embedder(base.meta["embedder"])
            weights = _WEIGHTS[body.method]
            found = search(base, embedder, body.prompt, body.offset + body.limit, weights)
            sure = base.calibration.confidence(found.signals) if len(bases) > 1 else 1.0
            hits += [replace(hit, score=round(hit.score * sure, 4)) for hit in found.hits]
    return sorted(hits, key=lambda hit: -hit.score)
