"""POST /v1/embeddings: texts as unit vectors."""

import base64
from typing import Any, Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from edge_slm.answer import Usage
from edge_slm.engines.loaded import EMBEDDER
from edge_slm.i18n import t
from edge_slm.server.errors import Refused
from edge_slm.server.exchange import Call, Reply, as_json, read
from edge_slm.server.sampling import unsupported
from edge_slm.server.shapes import usage_of
from edge_slm.server.site import Site

MOST_TEXTS = 2048  # as OpenAI's API


class EmbeddingsBody(Struct, frozen=True, kw_only=True):
    """The body; `input_type` is ours: the model embeds questions and passages differently."""

    input: str | list[Any]
    model: str | None = None
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: int | None = None
    input_type: Literal["passage", "query"] = "passage"


def handle(site: Site, call: Call) -> Reply:
    """Embed one text or a list of them."""
    body = read(call.body, EmbeddingsBody)
    texts = _texts(body.input)
    model = site.model(body.model, "embed") or EMBEDDER
    embedder = site.engines.embedder(model)
    if body.dimensions not in (None, embedder.dimensions):
        why = t(
            "this model makes vectors of {n} numbers",
            "ce modèle fait des vecteurs de {n} nombres",
            n=embedder.dimensions,
        )
        raise unsupported("dimensions", why)
    if body.input_type == "query":
        vectors = np.stack([embedder.embed_query(text) for text in texts])
    else:
        vectors = embedder.embed_passages(texts)
    data = [
        {"object": "embedding", "index": place, "embedding": _written(vector, body)}
        for place, vector in enumerate(vectors)
    ]
    usage = usage_of(Usage())
    return as_json({"object": "list", "data": data, "model": model, "usage": usage})


def _written(vector: NDArray[np.float32], body: EmbeddingsBody) -> list[float] | str:
    if body.encoding_format == "float":
        return [float(number) for number in vector]
    return base64.b64encode(vector.astype("<f4").tobytes()).decode()


def _texts(given: str | list[Any]) -> list[str]:
    texts = [given] if isinstance(given, str) else given
    if not texts or len(texts) > MOST_TEXTS or not all(isinstance(x, str) and x for x in texts):
        raise Refused(
            t(
                "“input” is a text or a list of 1 to {most} texts, none of them empty.",
                "« input » est un texte ou une liste de 1 à {most} textes, dont aucun vide.",
                most=MOST_TEXTS,
            ),
            param="input",
        )
    return texts
