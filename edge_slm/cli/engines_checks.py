"""What edge-slm doctor says of the engines: the memory budget, each model, the kept prefixes."""

from collections.abc import Iterator

from edge_slm.cli.checks import Check
from edge_slm.errors import EdgeSlmError
from edge_slm.i18n import size, t


def budget() -> Iterator[Check]:
    """Yield the memory budget and what the engines that run now take of it."""
    from edge_slm.engines.workers.budget import default_budget

    name = t("budget of the engines", "budget des moteurs")
    try:
        total = default_budget()
    except EdgeSlmError as error:
        mend = t("Mend or unset EDGE_SLM_BUDGET.", "Corrigez ou retirez EDGE_SLM_BUDGET.")
        yield Check(name, False, str(error), mend)
        return
    running = _running()
    yield Check(
        name,
        True,
        t(
            "{total} for a program and its models (EDGE_SLM_BUDGET); now at work on this machine: "
            "{count} models, {used}",
            "{total} pour un programme et ses modèles (EDGE_SLM_BUDGET) ; à l'œuvre sur cette "
            "machine : {count} modèles, {used}",
            total=size(total),
            count=len(running),
            used=size(sum(running)),
        ),
    )


def models() -> Iterator[Check]:
    """Yield, for each model that a worker can load, what it takes and whether it runs here."""
    from edge_slm.engines.loaded import Engines
    from edge_slm.engines.workers import ledger
    from edge_slm.engines.workers.budget import default_budget

    try:
        specs = Engines().specs()
        limit = default_budget()
    except EdgeSlmError:
        return  # said above
    for spec in specs:
        needed = ledger.expected(spec)
        tested = ledger.self_test_result(spec)
        seen = t(
            "takes {needed} at most; {settings}self-test: {tested}",
            "prend {needed} au plus ; {settings}autotest : {tested}",
            needed=size(needed),
            settings=_tuned(spec.load.sha256) if spec.kind == "chat" else "",
            tested=_tested(tested),
        )
        fits, runs = needed <= limit, tested in (None, ledger.OK)
        yield Check(spec.model, fits and runs, seen, _mend(fits, runs))
    yield _prefixes()


def _running() -> list[int]:
    """Return the bytes that each worker process of this user holds."""
    import psutil

    from edge_slm.engines.workers.process import COMMAND

    held = []
    for process in psutil.process_iter(["cmdline", "memory_info"]):
        if COMMAND[-1] in (process.info["cmdline"] or ()) and process.info["memory_info"]:
            held.append(process.info["memory_info"].rss)
    return held


def _prefixes() -> Check:
    from edge_slm.engines.llama import prefix_store

    name = t("kept prefixes", "préfixes gardés")
    try:
        cap = prefix_store.cap_bytes()
    except EdgeSlmError as error:
        return Check(name, False, f"EDGE_SLM_PREFIX_CACHE : {error}")
    count, total = prefix_store.usage()
    return Check(
        name,
        True,
        t(
            "{count} passages already read, {total} of {cap} at most ({path})",
            "{count} passages déjà lus, {total} sur {cap} au plus ({path})",
            count=count,
            total=size(total),
            cap=size(cap),
            path=prefix_store.root_dir(),
        ),
    )


def _tuned(sha256: str) -> str:
    from edge_slm.engines.settings import is_tuned

    if is_tuned(sha256):
        return t("tuned; ", "réglé ; ")
    return t("default settings; ", "réglages par défaut ; ")


def _tested(result: str | None) -> str:
    from edge_slm.engines.workers import ledger

    if result is None:
        return t("at its first use", "à sa première utilisation")
    if result == ledger.OK:
        return t("passed", "réussi")
    return t("crashed ({result})", "planté ({result})", result=result)


def _mend(fits: bool, runs: bool) -> str:
    if not runs:
        return t(
            "llama.cpp was built for another processor: run make clean, then make setup.",
            "llama.cpp a été compilé pour un autre processeur : make clean, puis make setup.",
        )
    if not fits:
        return t(
            "Give it more memory with EDGE_SLM_BUDGET, or use a smaller model.",
            "Donnez plus de mémoire par EDGE_SLM_BUDGET, ou prenez un modèle plus petit.",
        )
    return ""
