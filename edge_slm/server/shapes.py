"""Shapes that several replies share, as OpenAI's and Albert's clients read them."""

import time
import uuid

from edge_slm.answer import Usage

WHOLE = "chat.completion"
CHUNK = "chat.completion.chunk"

# Energy is not measured: null, never a guess. The keys are those of Albert's `usage.carbon`.
_UNKNOWN = {"min": None, "max": None}


def usage_of(usage: Usage) -> dict[str, object]:
    """Return the tokens of a reply, and its carbon, of which nothing is known."""
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
        "carbon": {"kWh": _UNKNOWN, "kgCO2eq": _UNKNOWN},
    }


def identity(prefix: str, kind: str, model: str) -> dict[str, object]:
    """Return the keys that every reply of a model begins with; each call makes a new id."""
    return {
        "id": f"{prefix}-{uuid.uuid4().hex}",
        "object": kind,
        "created": int(time.time()),
        "model": model,
    }


def message_choice(
    text: str, reason: str, logprobs: dict[str, object] | None = None
) -> dict[str, object]:
    """Return the one choice of a whole reply of a chat; `reason` is "stop" or "length"."""
    message = {"role": "assistant", "content": text, "refusal": None}
    return {"index": 0, "message": message, "finish_reason": reason, "logprobs": logprobs}


def chunk(
    head: dict[str, object],
    delta: dict[str, object],
    reason: str | None = None,
    logprobs: dict[str, object] | None = None,
) -> dict[str, object]:
    """Return one chunk of a streamed reply; `head` is what `identity` made."""
    choice = {"index": 0, "delta": delta, "finish_reason": reason, "logprobs": logprobs}
    return head | {"choices": [choice]}
