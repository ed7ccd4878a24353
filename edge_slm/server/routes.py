"""Which handler answers which path."""

from collections.abc import Callable
from dataclasses import dataclass

from edge_slm.server import (
    audio,
    chat,
    collections,
    completions,
    documents,
    embeddings,
    models,
    rerank,
    search,
    status,
)
from edge_slm.server.exchange import Call, Reply
from edge_slm.server.site import Site

Handler = Callable[[Site, Call], Reply]


@dataclass(frozen=True)
class Route:
    """A method and a path; `form` where the request is a form with a file, else it is JSON."""

    method: str
    path: str
    handler: Handler
    form: bool = False


ROUTES = (
    Route("GET", "/health", status.health),
    Route("GET", "/metrics", status.metrics),
    Route("GET", "/v1/models", models.listing),
    Route("GET", "/v1/models/{model}", models.one),
    Route("POST", "/v1/chat/completions", chat.handle),
    Route("POST", "/v1/completions", completions.handle),
    Route("POST", "/v1/embeddings", embeddings.handle),
    Route("POST", "/v1/audio/transcriptions", audio.handle, form=True),
    Route("POST", "/v1/rerank", rerank.handle),
    Route("POST", "/v1/search", search.handle),
    Route("GET", "/v1/collections", collections.listing),
    Route("POST", "/v1/collections", collections.create),
    Route("GET", "/v1/collections/{collection}", collections.one),
    Route("DELETE", "/v1/collections/{collection}", collections.remove),
    Route("GET", "/v1/documents", documents.listing),
    Route("POST", "/v1/documents", documents.add, form=True),
    Route("GET", "/v1/documents/{document}", documents.one),
    Route("DELETE", "/v1/documents/{document}", documents.remove),
    Route("GET", "/v1/chunks/{document}", documents.chunks),
    Route("GET", "/v1/chunks/{document}/{chunk}", documents.chunk),
)
