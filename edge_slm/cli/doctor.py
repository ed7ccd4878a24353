"""edge-slm doctor: what this machine can do, what is missing, how to mend it."""

import importlib.metadata
import platform
from collections.abc import Iterator
from dataclasses import asdict

import click

from edge_slm import machine, paths
from edge_slm.cli import energy_checks, engines_checks, output
from edge_slm.cli.checks import Check
from edge_slm.cli.options import AS_JSON, MODEL_ID
from edge_slm.errors import EdgeSlmError, MissingError
from edge_slm.i18n import size, t
from edge_slm.profiles import PROFILES, propose

ENGINES = {
    "llama-cpp-python": ("answers and translation", "réponses et traduction"),
    "faster-whisper": ("speech", "parole"),
}


@click.command(
    "doctor",
    help=t(
        "What this machine can do, what is missing, how to mend it (exit code 3 if something is).",
        "Ce que cette machine peut faire, ce qui manque, comment y remédier (code 3 s'il manque).",
    ),
)
@click.option(
    "--tune",
    "tunes",
    is_flag=True,
    help=t(
        "Measure threads, batch, attention, keys and values for the chat models (some minutes "
        "each), and keep the fastest.",
        "Mesurer fils, lots, attention, clés et valeurs pour les modèles de dialogue (quelques "
        "minutes chacun), et garder les plus rapides.",
    ),
)
@click.option(
    "--untune",
    is_flag=True,
    help=t("Forget what --tune kept.", "Oublier ce que --tune a gardé."),
)
@MODEL_ID
@AS_JSON
def command(tunes: bool, untune: bool, model: str | None, as_json: bool) -> int:
    """Examine the machine."""
    if untune:
        _untune()
    if tunes:
        from edge_slm.cli import tune

        rows = tune.run(model)
        if as_json:
            output.show_json(rows)
        else:
            tune.show(rows)
    if tunes or untune:
        return 0
    checks = list(examine())
    if as_json:
        rows = [asdict(check) for check in checks]
        output.show_json(rows)
    else:
        for check in checks:
            mark = t("ok     ", "bien   ") if check.well else t("missing", "manque ")
            line = t("{name}: {seen}", "{name} : {seen}", name=check.name, seen=check.seen)
            click.echo(f"{mark} {line}")
            if check.mend:
                click.echo(f"        → {check.mend}")
    return 0 if all(check.well for check in checks) else MissingError.exit_code


def examine() -> Iterator[Check]:
    """Yield the findings, from the machine to the bases."""
    yield Check(t("system", "système"), True, f"{platform.system()} {platform.machine()}")
    yield Check(
        t("processor", "processeur"),
        True,
        t(
            "{name}, {n} cores for inference",
            "{name}, {n} cœurs pour l'inférence",
            name=machine.cpu_name(),
            n=machine.compute_threads(),
        ),
    )
    yield _memory()
    yield from engines_checks.budget()
    yield _disk()
    for package in ENGINES:
        yield _engine(package)
    yield _models()
    yield from engines_checks.models()
    yield _bases()
    yield Check(
        t("network", "réseau"),
        True,
        t(
            "connections beyond this machine are stopped, except for “models pull”",
            "les connexions hors de cette machine sont arrêtées, sauf pour « models pull »",
        ),
    )
    yield from energy_checks.energy()
    yield from energy_checks.ledger()


def _untune() -> None:
    from edge_slm.engines import settings

    forgotten = settings.forget()
    click.echo(
        t("The defaults are back.", "Les réglages par défaut sont rétablis.")
        if forgotten
        else t("Nothing was tuned.", "Rien n'était réglé."),
        err=True,
    )


def _memory() -> Check:
    total = machine.total_ram()
    enough = total >= 2_000_000_000
    return Check(
        t("memory", "mémoire"),
        enough,
        t(
            "{total}, of which {free} free; profile “{profile}”",
            "{total}, dont {free} libres ; profil « {profile} »",
            total=size(total),
            free=size(machine.available_ram()),
            profile=propose(total),
        ),
        "" if enough else t("2 GB at least are needed.", "Il faut au moins 2 Go."),
    )


def _disk() -> Check:
    free = machine.free_disk(paths.data_dir())
    return Check(
        t("disk", "disque"),
        free > 100_000_000,
        t(
            "{free} free under {path}",
            "{free} libres sous {path}",
            free=size(free),
            path=paths.data_dir(),
        ),
    )


def _engine(package: str) -> Check:
    purpose = t(*ENGINES[package])
    try:
        version = importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        mend = f"pip install {package}"
        if package == "faster-whisper" and _is_windows_arm():
            mend = t(
                "CTranslate2 has no wheel for Windows on ARM: use WSL 2 for speech.",
                "CTranslate2 n'a pas de paquet pour Windows sur ARM : passez par WSL 2.",
            )
        return Check(f"{package} ({purpose})", False, t("not installed", "pas installé"), mend)
    return Check(f"{package} ({purpose})", True, version)


def _is_windows_arm() -> bool:
    return platform.system() == "Windows" and platform.machine().lower() in ("arm64", "aarch64")


def _models() -> Check:
    from edge_slm.store import Store

    store = Store()
    complete = [
        name for name, models in PROFILES.items() if all(store.installed(model) for model in models)
    ]
    seen = ", ".join(store.models()) or t("none", "aucun")
    mend = f"edge-slm models pull {propose(machine.total_ram())}"
    return Check(t("models", "modèles"), bool(complete), seen, "" if complete else mend)


def _bases() -> Check:
    from edge_slm.kb.base import KnowledgeBase, list_bases

    seen = []
    well = True
    for path in list_bases():
        try:
            with KnowledgeBase.open(path) as base:
                seen.append(f"{base.name} ({base.passage_count()} passages)")
        except EdgeSlmError as error:
            well = False
            seen.append(str(error))
    mend = "" if seen else t("edge-slm demo makes a sample.", "edge-slm demo en crée une.")
    return Check("bases", well, ", ".join(seen) or t("none yet", "aucune encore"), mend)
