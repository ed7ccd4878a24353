"""The bodies that clients send for a model to write: shapes and bounds.

Fields that are not named here are passed over. Source of names, bounds and defaults:
https://platform.openai.com/docs/api-reference; `top_k`, `min_p` and `grammar` are those of
llama.cpp's server, `search` and `search_args` those of Albert API 0.2.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

MOST_TOKENS = 1 << 20
MOST_STOPS = 16
_TWO = Meta(ge=-2, le=2)


class Part(Struct, frozen=True):
    """A part of a message; only text can be read."""

    type: str
    text: str = ""


class ChatMessage(Struct, frozen=True):
    """One turn of a conversation."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None


class StreamOptions(Struct, frozen=True):
    """What a streamed reply tells besides its text."""

    include_usage: bool = False


class JsonSchema(Struct, frozen=True):
    """A schema that the reply must hold to."""

    schema: msgspec.Raw = msgspec.Raw(b"{}")


class ResponseFormat(Struct, frozen=True):
    """The form of the reply."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None


class SearchArgs(Struct, frozen=True):
    """Where to search for passages before a reply is written."""

    collections: list[int | str] | None = None
    method: Literal["hybrid", "semantic", "lexical"] = "hybrid"
    limit: Annotated[int, Meta(ge=1, le=200)] | None = None
    k: Annotated[int, Meta(ge=1, le=200)] | None = None
    score_threshold: float = 0.0
    template: str | None = None


class Sampling(Struct, frozen=True, kw_only=True):
    """How a reply is written; what both kinds of completion share."""

    model: str | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    stop: str | list[str] | None = None
    seed: int | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    top_k: Annotated[int, Meta(ge=0, le=1 << 20)] | None = None
    min_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    presence_penalty: Annotated[float, _TWO] | None = None
    frequency_penalty: Annotated[float, _TWO] | None = None
    logit_bias: dict[int, Annotated[float, Meta(ge=-100, le=100)]] | None = None
    max_tokens: Annotated[int, Meta(ge=1, le=MOST_TOKENS)] | None = None
    n: int | None = None
    grammar: Annotated[str, Meta(max_length=100_000)] | None = None


class ChatBody(Sampling, frozen=True, kw_only=True):
    """The body of /v1/chat/completions."""

    messages: Annotated[list[ChatMessage], Meta(min_length=1, max_length=2000)]
    max_completion_tokens: Annotated[int, Meta(ge=1, le=MOST_TOKENS)] | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    response_format: ResponseFormat | None = None
    tools: list[Any] | None = None
    functions: list[Any] | None = None
    search: bool = False
    search_args: SearchArgs | None = None


class CompletionBody(Sampling, frozen=True, kw_only=True):
    """The body of /v1/completions."""

    prompt: str | list[Any]
    logprobs: Annotated[int, Meta(ge=0, le=5)] | None = None
    echo: bool | None = None
    suffix: str | None = None
    best_of: int | None = None
