"""POST /v1/rerank: texts by how near they are to a question, by the embedder's cosine."""

from typing import Annotated

from msgspec import Meta, Struct

from edge_slm.answer import Usage
from edge_slm.engines.loaded import EMBEDDER
from edge_slm.i18n import t
from edge_slm.server.embeddings import MOST_TEXTS
from edge_slm.server.errors import Refused
from edge_slm.server.exchange import Call, Reply, as_json, read
from edge_slm.server.shapes import identity, usage_of
from edge_slm.server.site import Site

Texts = Annotated[
    list[Annotated[str, Meta(min_length=1)]], Meta(min_length=1, max_length=MOST_TEXTS)
]


class RerankBody(Struct, frozen=True, kw_only=True):
    """The body, in the words of either version of Albert's API."""

    query: str | None = None
    prompt: str | None = None
    documents: Texts | None = None
    input: Texts | None = None
    model: str | None = None
    top_n: Annotated[int, Meta(ge=1)] | None = None


def handle(site: Site, call: Call) -> Reply:
    """Rank."""
    body = read(call.body, RerankBody)
    query, texts = body.query or body.prompt, body.documents or body.input
    if not query or not texts:
        raise Refused(
            t(
                "Give a query, and the documents to rank.",
                "Donnez une requête (query) et les documents à classer (documents).",
            ),
            param="documents" if query else "query",
        )
    model = site.model(body.model, "embed") or EMBEDDER
    embedder = site.engines.embedder(model)
    scores = [
        float(score) for score in embedder.embed_passages(texts) @ embedder.embed_query(query)
    ]
    best = sorted(enumerate(scores), key=lambda pair: -pair[1])[: body.top_n]
    return as_json(
        {
            **identity("rerank", "list", model),
            "results": [{"index": n, "relevance_score": score} for n, score in best],
            "data": [{"object": "rerank", "index": n, "score": score} for n, score in best],
            "usage": usage_of(Usage()),
        }
    )
