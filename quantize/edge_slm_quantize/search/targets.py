"""Devices that a model is shrunk for: data files, shipped or the user's own.

It knows nothing of this machine (probe.py), and judges no model.
"""

import difflib
from functools import cache
from pathlib import Path

import msgspec

from edge_slm.errors import UsageError
from edge_slm.i18n import interface_language, t
from edge_slm_quantize import recipe
from edge_slm_quantize.recipe import Task
from edge_slm_quantize.records import Target
from edge_slm_quantize.search import gate

THIS_MACHINE = "this-machine"
MAX_BYTES = 256 * 1024  # a page of text; anything larger is no target


def shipped_dir() -> Path:
    """Return the targets that ship: in the wheel, else in the checkout."""
    package = Path(__file__).parents[1]
    inside = package / "targets"
    return inside if inside.is_dir() else package.parent / "targets"


def all_targets() -> dict[str, Target]:
    """Return the shipped targets by id, in order of id; `this-machine` is not one of them."""
    return {path.stem: _read(path) for path in sorted(shipped_dir().glob("*.toml"))}


def load(name: str) -> Target:
    """Return a target.

    Args:
        name: an id, `this-machine`, or the path of a TOML file of the user's.
    Raises:
        UsageError: there is no such target, or its file is not valid.
    """
    if name == THIS_MACHINE:
        from edge_slm_quantize.search import probe

        return probe.this_machine()
    known = shipped_ids()
    if name in known:
        return _read(shipped_dir() / f"{name}.toml")
    path = Path(name)
    try:
        if path.is_file():
            return _read(path)
    except (OSError, ValueError):  # no name of a file: too long, or it holds a zero byte
        pass
    raise UsageError(_unknown(name, [THIS_MACHINE, *known]))


def shipped_ids() -> list[str]:
    """Return the ids of the shipped targets, in order."""
    return sorted(path.stem for path in shipped_dir().glob("*.toml"))


def title(target: Target) -> str:
    """Return what a device is, in the interface's language."""
    return target.titre if interface_language() == "fr" else target.title


def recipes(target: Target, task: Task) -> tuple[str, ...]:
    """Return what is tried there for models of a task, in order.

    Raises:
        UsageError: nothing is; it names the targets that have something.
    """
    if found := target.recipes.get(task):
        return found
    others = [name for name, one in all_targets().items() if one.recipes.get(task)]
    raise UsageError(
        t(
            "The target {id} has no recipe for {task} models: name some with --recipes, or take "
            "one of {others}.",
            "La cible {id} n'a pas de recette pour les modèles {task} : nommez-en avec "
            "--recipes, ou prenez l'une de {others}.",
            id=target.id,
            task=task,
            others=", ".join(others) or THIS_MACHINE,
        )
    )


def _read(path: Path) -> Target:
    return _read_once(path, path.stat().st_mtime_ns)


@cache
def _read_once(path: Path, _modified: int) -> Target:
    # tomllib recurses on nested brackets, so a hostile file can exhaust the stack.
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError(t("larger than {n} bytes", "plus de {n} octets", n=MAX_BYTES))
        target = msgspec.toml.decode(path.read_bytes(), type=Target)
        _check(target, path)
    except (msgspec.MsgspecError, UsageError, ValueError, OSError, RecursionError) as error:
        raise UsageError(
            t(
                "The target {path} is not valid: {error}",
                "La cible {path} n'est pas valable : {error}",
                path=path,
                error=error,
            )
        ) from error
    return target


def _check(target: Target, path: Path) -> None:
    """Refuse what the schema cannot: names of recipes, gates, and sizes that make no sense."""
    if target.id != path.stem:
        raise ValueError(f"id: {target.id!r} != {path.stem!r}")
    if target.ram < 1 or target.disk < 1 or not target.formats:
        raise ValueError(t("ram, disk, formats: empty", "ram, disk, formats : vides"))
    for task, names in target.recipes.items():
        for name in names:
            if (made := recipe.parse(name)).format not in target.formats:
                raise ValueError(f"recipes.{task}: {name}: {made.format} ∉ formats")
    for task, text in target.gate.items():
        gate.parse(text, task)
    if without := sorted(target.recipes.keys() - target.gate.keys()):
        raise ValueError(f"gate: {', '.join(without)} ?")


def _unknown(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name.lower(), known, n=3, cutoff=0.4) or known
    return t(
        "There is no target {name}; there are: {names}, or the path of a TOML file of your own.",
        "Il n'y a pas de cible {name} ; il y a : {names}, ou le chemin d'un fichier TOML à vous.",
        name=repr(name[:80]),
        names=", ".join(near),
    )
