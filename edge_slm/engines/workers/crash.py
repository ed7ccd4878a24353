"""Why a worker process ended, as one sentence that says what to do. Knows nothing of pools."""

import signal

from edge_slm.i18n import t

# Windows gives the exception as the exit code (winnt.h, STATUS_…), signed or not.
_WINDOWS = {0xC0000005: "SIGSEGV", 0xC000001D: "SIGILL", 0xC0000409: "SIGABRT"}
# What code for another processor dies of at its first computation.
WRONG_BUILD = ("SIGILL", "SIGSEGV", "SIGBUS", "SIGFPE", "SIGABRT")


def cause(returncode: int) -> str:
    """Return the name of the signal that ended a process, or its exit code as text."""
    if returncode < 0:
        try:
            return signal.Signals(-returncode).name
        except ValueError:
            return str(returncode)
    return _WINDOWS.get(returncode & 0xFFFFFFFF, str(returncode))


def crash_sentence(model: str, returncode: int) -> str:
    """Return what is said of a model whose process died.

    Args:
        model: its id.
        returncode: of the process, as subprocess gives it: -11 is signal 11.
    """
    why = cause(returncode)
    if why == "SIGILL":
        return wrong_build(model, why)
    if why in WRONG_BUILD:
        return t(
            "The engine of {model} crashed ({why}) and is started again at the next request; if "
            "it happens each time, see edge-slm doctor.",
            "Le moteur de {model} a planté ({why}) et redémarre à la prochaine demande ; si cela "
            "se répète, voir edge-slm doctor.",
            model=model,
            why=why,
        )
    if why == "SIGKILL":
        return t(
            "The system ended the engine of {model}, most often because memory ran out: close "
            "other programs, or take a smaller model.",
            "Le système a arrêté le moteur de {model}, le plus souvent faute de mémoire : fermez "
            "d'autres programmes, ou prenez un modèle plus petit.",
            model=model,
        )
    return t(
        "The engine of {model} ended ({why}): try again, and see edge-slm doctor if it happens "
        "each time.",
        "Le moteur de {model} s'est arrêté ({why}) : réessayez, et voyez edge-slm doctor si cela "
        "se répète.",
        model=model,
        why=why,
    )


def wrong_build(model: str, why: str) -> str:
    """Return what is said of an engine that was built for another processor."""
    return t(
        "The engine of {model} crashes on this processor ({why}), it was built for another one: "
        "build it here with make clean, then make setup, and look at edge-slm doctor.",
        "Le moteur de {model} plante sur ce processeur ({why}), il est fait pour un autre : "
        "refaites-le ici par make clean, puis make setup, et voyez edge-slm doctor.",
        model=model,
        why=why,
    )


def hang_sentence(model: str, seconds: float) -> str:
    """Return what is said of an engine that answered no more and was ended."""
    return t(
        "The engine of {model} gave no sign of life for {seconds} s and was ended: close other "
        "programs if the machine is short of memory, and try again.",
        "Le moteur de {model} n'a plus donné signe de vie pendant {seconds} s et a été arrêté : "
        "fermez d'autres programmes si la mémoire manque, et réessayez.",
        model=model,
        seconds=round(seconds),
    )
