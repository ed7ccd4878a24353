"""Errors as OpenAI's API tells them: a status, a type, a code, one sentence.

Knows nothing of HTTP libraries. Shape: https://platform.openai.com/docs/guides/error-codes.
"""

import msgspec

from edge_slm.engines.stopping import Stopped
from edge_slm.errors import (
    BusyError,
    EdgeSlmError,
    IntegrityError,
    MissingError,
    OverdueError,
    UsageError,
)
from edge_slm.i18n import t

CLIENT_CLOSED = 499  # nginx's number for a client that left; nobody reads it but /metrics


class Refused(EdgeSlmError):
    """A request that is refused with a status of its own."""

    def __init__(
        self, message: str, status: int = 400, code: str | None = None, param: str | None = None
    ) -> None:
        """Keep the sentence, the HTTP status, a word for programs, and the field at fault."""
        super().__init__(message)
        self.status = status
        self.code = code
        self.param = param


class Told(msgspec.Struct, frozen=True):
    """An error as the client reads it."""

    message: str
    type: str
    param: str | None
    code: str | None


class ErrorBody(msgspec.Struct, frozen=True):
    """The JSON object around an error."""

    error: Told


# The first class that fits: status, code.
_KINDS: tuple[tuple[type[Exception], int, str | None], ...] = (
    (Stopped, CLIENT_CLOSED, "stopped"),
    (BusyError, 429, "busy"),
    (OverdueError, 504, "timeout"),
    (UsageError, 400, None),
    (MissingError, 503, "model_missing"),
    (IntegrityError, 500, "integrity_error"),
    (EdgeSlmError, 500, "failed"),
)
_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


def explain(error: Exception) -> tuple[int, ErrorBody]:
    """Return the status and the body of an error; one that is not ours says no detail."""
    if isinstance(error, Refused):
        return error.status, _body(str(error), error.status, error.code, error.param)
    for kind, status, code in _KINDS:
        if isinstance(error, kind):
            sentence = str(error) or t("The request was stopped.", "La requête a été arrêtée.")
            return status, _body(sentence, status, code)
    sentence = t(
        "Internal error ({kind}): the server's standard error says more.",
        "Erreur interne ({kind}) : l'erreur standard du serveur en dit plus.",
        kind=type(error).__name__,
    )
    return 500, _body(sentence, 500, "internal_error")


def is_ours(error: Exception) -> bool:
    """Return whether an error says all that there is to know."""
    return isinstance(error, EdgeSlmError | Stopped)


def _body(message: str, status: int, code: str | None, param: str | None = None) -> ErrorBody:
    kind = _TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")
    return ErrorBody(Told(message, kind, param, code))


def not_found(what: str, code: str = "not_found", param: str | None = None) -> Refused:
    """Return the refusal of something that is not there; `what` is a sentence."""
    return Refused(what, 404, code, param)


def too_large(limit: str) -> Refused:
    """Return the refusal of a body over `limit`, a size as a person reads it."""
    return Refused(
        t(
            "The request is larger than {limit}: send less at once.",
            "La requête dépasse {limit} : envoyez-en moins à la fois.",
            limit=limit,
        ),
        413,
        "too_large",
    )


def too_slow(seconds: float) -> Refused:
    """Return the error of a request that took longer than the server allows."""
    return Refused(
        t(
            "The request took more than {n} s and was stopped: ask for less, or start the server "
            "with a larger --timeout.",
            "La requête a pris plus de {n} s et a été arrêtée : demandez moins, ou lancez le "
            "serveur avec un --timeout plus grand.",
            n=f"{seconds:g}",
        ),
        504,
        "timeout",
    )
