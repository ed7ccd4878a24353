"""Makes the peers that `edge-slm bench peers` and `bench runtime` compare our engines with.

Usage: .venv/bin/python packaging/peers/make_peer.py [--list] [--remove NAME] [NAME...]

llama-server, made where no name is given, is built from the llama.cpp sources inside
llama-cpp-python's own source archive, the one that our engine is built from
(packaging/llama-cpp-python.lock), by the same compiler and for this processor: 10 minutes on
2 cores. All others are packages, each in an environment of its own with the versions of its lock
file here. All lie in the user's cache, and what is there stays until the new one is whole.

The lock files fix versions; hashes only where every system gets the same few files (xllamacpp):
of torch, an index may hold builds of its own.
"""

import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
import msgspec

from edge_slm.bench.peers.catalogue import KINDS, Kind, made
from edge_slm.bench.runtime.peer import Peer, peers_dir
from edge_slm.i18n import size, t
from edge_slm.machine import compute_threads, free_disk

HERE = Path(__file__).resolve().parent
SERVER = "llama-server"
# The first is what starts a peer; the others are what it needs beside it.
SCRIPTS = {
    "xllamacpp": ("serve_xllamacpp.py",),
    "transformers": ("run_transformers.py", "lines.py"),
    "onnxruntime-genai": ("run_onnxruntime.py", "lines.py"),
    "openvino-genai": ("run_openvino.py", "lines.py", "widen_gguf.py"),
    "pywhispercpp": ("run_whispercpp.py", "lines.py", "ct2_to_ggml.py"),
}
# As in packaging/build_llama.sh: ggml's AMX code crashes where the kernel does not grant the tiles.
NO_AMX = "-mno-amx-tile -mno-amx-int8 -mno-amx-bf16"
CMAKE = (
    "-DCMAKE_BUILD_TYPE=Release",
    "-DBUILD_SHARED_LIBS=OFF",
    "-DLLAMA_BUILD_TESTS=OFF",
    "-DLLAMA_BUILD_EXAMPLES=OFF",
    "-DLLAMA_BUILD_APP=OFF",
    "-DLLAMA_BUILD_UI=OFF",
    "-DLLAMA_USE_PREBUILT_UI=OFF",  # it would be fetched from a model hub
    "-DLLAMA_OPENSSL=OFF",
)


@click.command(
    help=t(
        "Make peers for edge-slm bench to compare with; llama-server where none is named.",
        "Faire des témoins auxquels edge-slm bench se compare ; sans nom, llama-server.",
    )
)
@click.argument("names", nargs=-1, type=click.Choice(list(KINDS)))
@click.option(
    "--list",
    "listing",
    is_flag=True,
    help=t("Show the peers, those made here too.", "Montrer les témoins, et ceux déjà faits."),
)
@click.option(
    "--remove",
    "removed",
    multiple=True,
    type=click.Choice(list(KINDS)),
    help=t(
        "Remove a peer and its models; repeatable.", "Ôter un témoin et ses modèles ; répétable."
    ),
)
def main(names: tuple[str, ...], listing: bool, removed: tuple[str, ...]) -> None:
    """List, remove and make."""
    for name in removed:
        _remove(name)
    if listing:
        _list()
    if not names and (listing or removed):
        return
    for name in dict.fromkeys(names or (SERVER,)):
        _make(KINDS[name])


def _make(kind: Kind) -> None:
    _check_disk(kind)
    with _staging(kind.name) as folder:
        peer = _install(kind, folder) if kind.package else _build_server(folder)
        (folder / "peer.json").write_bytes(msgspec.json.encode(peer))
    click.echo(f"{peer.name} {peer.version}: {peers_dir() / kind.name}")


def _list() -> None:
    for kind in KINDS.values():
        peer = made(kind.name)
        here = (
            t("made, {version}", "fait, {version}", version=peer.version)
            if peer
            else t("not made; takes {size}", "pas fait ; prend {size}", size=size(kind.disk))
        )
        click.echo(f"{kind.name:<20}{kind.task:<8}{here}")


def _remove(name: str) -> None:
    folders = [
        path for path in (peers_dir() / name, peers_dir() / f"{name}.before") if path.exists()
    ]
    for path in folders:
        shutil.rmtree(path)
    click.echo(
        t("{name} is removed.", "{name} est ôté.", name=name)
        if folders
        else t("{name} is not made here.", "{name} n'est pas fait ici.", name=name)
    )


def _check_disk(kind: Kind) -> None:
    free = free_disk(peers_dir())
    if free < kind.disk:
        raise click.ClickException(
            t(
                "{name} takes {size}, the disk has {free}: free some space.",
                "{name} prend {size}, le disque a {free} : faites de la place.",
                name=kind.name,
                size=size(kind.disk),
                free=size(free),
            )
        )


@contextmanager
def _staging(name: str) -> Iterator[Path]:
    """Yield an empty folder that becomes the peer's own when the block ends without error.

    An environment cannot be moved, so the folder has its final name at once; without `peer.json`,
    which is written last, nobody takes it for a peer.
    """
    folder, before = peers_dir() / name, peers_dir() / f"{name}.before"
    shutil.rmtree(before, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    if folder.exists():
        folder.rename(before)
    try:
        folder.mkdir()
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        if before.exists():
            before.rename(folder)
        raise
    shutil.rmtree(before, ignore_errors=True)


def _build_server(folder: Path) -> Peer:
    with tempfile.TemporaryDirectory(dir=folder) as name:
        work = Path(name)
        click.echo(t("Fetching the sources…", "Téléchargement des sources…"), err=True)
        lock = HERE.parent / "llama-cpp-python.lock"
        download = ["download", "--quiet", "--no-deps", "--no-binary", "llama-cpp-python"]
        options = ["--require-hashes", "--dest", str(work), "--requirement", str(lock)]
        _run([sys.executable, "-m", "pip", *download, *options])
        (archive,) = work.glob("llama_cpp_python-*.tar.gz")
        with tarfile.open(archive) as sources:
            sources.extractall(work, filter="data")
        (llama,) = work.glob("llama_cpp_python-*/vendor/llama.cpp")
        click.echo(t("Building llama-server…", "Compilation de llama-server…"), err=True)
        environment = os.environ | _flags()
        cmake = _cmake(work)
        build = str(work / "build")
        _run([cmake, "-S", str(llama), "-B", build, *CMAKE], environment)
        jobs = str(compute_threads())
        _run([cmake, "--build", build, "--target", "llama-server", "-j", jobs], environment)
        binary = folder / "llama-server"
        shutil.move(work / "build" / "bin" / "llama-server", binary)
    version = archive.name.removeprefix("llama_cpp_python-").removesuffix(".tar.gz")
    return Peer(
        SERVER,
        f"llama-cpp-python {version}",
        "built here, for this processor",
        (str(binary), "--no-ui", "--offline"),
    )


def _flags() -> dict[str, str]:
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return {}
    return {name: f"{os.environ.get(name, '')} {NO_AMX}".strip() for name in ("CFLAGS", "CXXFLAGS")}


def _cmake(work: Path) -> str:
    """Return the system's cmake, or one from the package index."""
    if found := shutil.which("cmake"):
        return found
    python = _environment(work / "cmake")
    _run([python, "-m", "pip", "install", "--quiet", "cmake"])
    return str(Path(python).with_name("cmake"))


def _install(kind: Kind, folder: Path) -> Peer:
    lock = HERE / f"{kind.name}.lock"
    words = lock.read_text("utf-8").split()
    version = next(
        word.partition("==")[2] for word in words if word.partition("==")[0] == kind.package
    )
    click.echo(
        t(
            "Installing {name} {version} ({size})…",
            "Installation de {name} {version} ({size})…",
            name=kind.name,
            version=version,
            size=size(kind.disk),
        ),
        err=True,
    )
    python = _environment(folder / "venv")
    hashes = ["--no-deps", "--require-hashes"] if "--hash" in lock.read_text("utf-8") else []
    _run([python, "-m", "pip", "install", "--quiet", *hashes, "--requirement", str(lock)])
    script, *_ = [Path(shutil.copy(HERE / name, folder)) for name in SCRIPTS[kind.name]]
    _run([python, str(script), "--help"], out=subprocess.DEVNULL)  # imports all that it needs
    return Peer(kind.name, version, "wheel of the package index", (python, str(script)))


def _environment(folder: Path) -> str:
    venv.create(folder, with_pip=True)
    return str(folder / ("Scripts" if os.name == "nt" else "bin") / "python")


def _run(
    command: Sequence[str], environment: dict[str, str] | None = None, out: int | None = None
) -> None:
    """Run a command, its words on standard error; end the script where it fails."""
    stdout = sys.stderr if out is None else out
    if subprocess.run(command, env=environment, stdout=stdout, check=False).returncode:
        raise click.ClickException(
            t(
                "“{command}” failed; its words are above.",
                "« {command} » a échoué ; ses messages sont ci-dessus.",
                command=" ".join(command[:4]),
            )
        )


if __name__ == "__main__":
    main()
