"""What the pool says when it cannot serve a request, with numbers."""

from collections.abc import Collection

from edge_slm.errors import BusyError, EdgeSlmError
from edge_slm.i18n import size, t


def busy(model: str, queue: int) -> BusyError:
    """Return the error of a queue that is full."""
    return BusyError(
        t(
            "{model} is busy and {n} requests wait already: try again in a moment.",
            "{model} est occupé et {n} demandes attendent déjà : réessayez dans un instant.",
            model=model,
            n=queue,
        )
    )


def waits_for_itself(model: str) -> BusyError:
    """Return the error of a thread that would wait for what it holds itself."""
    return BusyError(
        t(
            "A reply of {model} is still being read: read it to its end, or close it, first.",
            "Une réponse de {model} est encore en cours de lecture : lisez-la jusqu'au bout, ou "
            "fermez-la, d'abord.",
            model=model,
        )
    )


def closed() -> EdgeSlmError:
    """Return the error of a request to a pool that was closed."""
    return EdgeSlmError(
        t(
            "The engines are closed: open the assistant again.",
            "Les moteurs sont fermés : rouvrez l'assistant.",
        )
    )


def beyond_budget(
    model: str, need: int, budget: int, program: int, pinned: int, names: Collection[str]
) -> EdgeSlmError:
    """Return the error of a model that the budget can never hold; sizes in bytes."""
    if names:
        taken = t(
            ", of which {pinned} is pinned: {names}",
            ", dont {pinned} réservés : {names}",
            pinned=size(pinned),
            names=", ".join(sorted(names)),
        )
    else:
        taken = ""
    return EdgeSlmError(
        t(
            "{model} needs {need} beside the {program} of the program, and the memory budget is "
            "{budget}{taken}; allow more with EDGE_SLM_BUDGET, or take a smaller model.",
            "{model} demande {need} en plus des {program} du programme, et le budget de mémoire "
            "est de {budget}{taken} ; augmentez-le par EDGE_SLM_BUDGET, ou prenez un modèle plus "
            "petit.",
            model=model,
            need=size(need),
            program=size(program),
            budget=size(budget),
            taken=taken,
        )
    )


def beyond_machine(model: str, need: int, free: int) -> EdgeSlmError:
    """Return the error of a model for which the machine has no room now; sizes in bytes."""
    return EdgeSlmError(
        t(
            "{model} needs {need}, and this machine has {free} free: close other programs, or "
            "take a smaller model.",
            "{model} demande {need}, et cette machine a {free} libres : fermez d'autres "
            "programmes, ou prenez un modèle plus petit.",
            model=model,
            need=size(need),
            free=size(max(0, free)),
        )
    )
