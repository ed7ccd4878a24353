"""Edge-SLM: a private assistant that runs wholly on the machine in front of you."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edge_slm.answer import Answer
    from edge_slm.assistant import Assistant
    from edge_slm.errors import EdgeSlmError, IntegrityError, MissingError, UsageError

__version__ = "0.1.0"

_HOMES = {
    "Answer": "answer",
    "Assistant": "assistant",
    "EdgeSlmError": "errors",
    "IntegrityError": "errors",
    "MissingError": "errors",
    "UsageError": "errors",
}
__all__ = [
    "Answer",
    "Assistant",
    "EdgeSlmError",
    "IntegrityError",
    "MissingError",
    "UsageError",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"edge_slm.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
