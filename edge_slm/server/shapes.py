"""Shapes that several replies share, as OpenAI's and Albert's clients read them."""

import time
import uuid

from edge_slm.answer import Energy, Usage

WHOLE = "chat.completion"
CHUNK = "chat.completion.chunk"

JOULES = 3.6e6  # a kWh


def usage_of(usage: Usage, energy: Energy | None = None) -> dict[str, object]:
    """Return the tokens of a reply, and what it cost where that is known.

    The keys of `carbon` are those of Albert's; where the mains come from is not known here, so that
    `kgCO2eq` stays null.
    """
    low, high = (energy.low, energy.high) if energy else (None, None)
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
        "carbon": {
            "kWh": {"min": _kwh(low), "max": _kwh(high)},
            "kgCO2eq": {"min": None, "max": None},
        },
    }


def _kwh(joules: float | None) -> float | None:
    return None if joules is None else joules / JOULES


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
