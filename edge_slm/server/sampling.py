"""From the fields of a request to the options of an engine."""

import math

import msgspec

from edge_slm.engines import Options, TokenLogprob
from edge_slm.i18n import t
from edge_slm.server.errors import Refused
from edge_slm.server.schemas import MOST_STOPS, ChatBody, ResponseFormat, Sampling

IMPOSSIBLE = -9999.0  # what OpenAI's API writes for a log-probability of minus infinity


def options_of(
    body: Sampling, logprobs: int | None, response_format: ResponseFormat | None = None
) -> Options:
    """Return the options that a body asks for; where it says nothing, those of OpenAI's API.

    Args:
        body: the request.
        logprobs: alternatives to tell for each token, None for no figure.
        response_format: the form of the reply.
    Raises:
        Refused: two things that exclude each other, or a schema that is none.
    """
    if body.n not in (None, 1):
        raise unsupported("n", t("only one reply is written", "une seule réponse est rédigée"))
    schema = _schema(response_format)
    if schema is not None and body.grammar is not None:
        raise Refused(
            t(
                "Give either a grammar or a response_format, not both.",
                "Donnez une grammaire ou un response_format, pas les deux.",
            ),
            param="grammar",
        )
    return Options(
        temperature=1.0 if body.temperature is None else body.temperature,
        top_p=1.0 if body.top_p is None else body.top_p,
        top_k=body.top_k or 0,
        min_p=body.min_p or 0.0,
        seed=None if body.seed is None else body.seed % 2**31,
        presence_penalty=body.presence_penalty or 0.0,
        frequency_penalty=body.frequency_penalty or 0.0,
        logit_bias=body.logit_bias or {},
        stop=_stops(body.stop),
        logprobs=logprobs,
        grammar=body.grammar,
        json_schema=schema,
    )


def chat_logprobs(body: ChatBody) -> int | None:
    """Return how many alternatives a chat asks for, None for no figure at all.

    Raises:
        Refused: alternatives without `logprobs`.
    """
    if body.logprobs:
        return body.top_logprobs or 0
    if body.top_logprobs:
        raise Refused(
            t("top_logprobs needs logprobs.", "top_logprobs exige logprobs."), param="top_logprobs"
        )
    return None


def unsupported(field: str, why: str) -> Refused:
    """Return the refusal of a field that this server cannot honour; `why` says so in some words."""
    return Refused(
        t(
            "“{field}” is not supported: {why}.",
            "« {field} » n'est pas pris en charge : {why}.",
            field=field,
            why=why,
        ),
        code="unsupported_parameter",
        param=field,
    )


def token_text(token: bytes) -> str:
    """Return a token as text; a token may be a part of a character."""
    return token.decode("utf-8", "replace")


def finite(logprob: float) -> float:
    """Return a log-probability that JSON can write."""
    return max(IMPOSSIBLE, logprob) if not math.isnan(logprob) else IMPOSSIBLE


def chat_tokens(tokens: tuple[TokenLogprob, ...]) -> list[dict[str, object]]:
    """Return log-probabilities in the shape of chat completions."""
    return [
        {
            **_token(token.token, token.logprob),
            "top_logprobs": [_token(other, logprob) for other, logprob in token.top],
        }
        for token in tokens
    ]


def _token(token: bytes, logprob: float) -> dict[str, object]:
    return {"token": token_text(token), "logprob": finite(logprob), "bytes": list(token)}


def _stops(stop: str | list[str] | None) -> tuple[str, ...]:
    stops = (stop,) if isinstance(stop, str) else tuple(stop or ())
    if len(stops) > MOST_STOPS or not all(stops):
        raise Refused(
            t(
                "“stop” takes up to {n} texts, none of them empty.",
                "« stop » prend jusqu'à {n} textes, dont aucun vide.",
                n=MOST_STOPS,
            ),
            param="stop",
        )
    return stops


def _schema(asked: ResponseFormat | None) -> str | None:
    if asked is None or asked.type == "text":
        return None
    if asked.type == "json_object":
        return "{}"
    schema = bytes(asked.json_schema.schema) if asked.json_schema else b""
    try:
        is_object = isinstance(msgspec.json.decode(schema), dict)
    except (msgspec.DecodeError, RecursionError):
        is_object = False
    if not is_object:
        raise Refused(
            t(
                "response_format.json_schema.schema must be a JSON schema, an object.",
                "response_format.json_schema.schema doit être un schéma JSON, un objet.",
            ),
            param="response_format",
        )
    return schema.decode()
