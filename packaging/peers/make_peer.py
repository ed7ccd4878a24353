"""Makes a llama.cpp server to compare with: `edge-slm bench runtime` then measures it too.

Usage: .venv/bin/python packaging/peers/make_peer.py [--wheel]

By default llama-server is built from the llama.cpp sources inside llama-cpp-python's own source
archive, the one that our engine is built from (packaging/llama-cpp-python.lock), by the same
compiler and for this processor: 10 minutes on 2 cores. With `--wheel`, the package xllamacpp gets
an environment of its own instead: 1 minute, but its code is made for any x86-64 processor with
AVX2. Both lie in the user's cache, and what is there stays until the new one is whole.
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

from edge_slm.bench.runtime.peer import NAMES, Peer, peers_dir
from edge_slm.i18n import t
from edge_slm.machine import compute_threads

HERE = Path(__file__).resolve().parent
SERVER, WHEEL = NAMES
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
        "Make a llama.cpp server for edge-slm bench runtime to compare with.",
        "Faire un serveur llama.cpp auquel edge-slm bench runtime se compare.",
    )
)
@click.option(
    "--wheel",
    is_flag=True,
    help=t(
        "Take the xllamacpp package instead of building: quick to get, slower to run.",
        "Prendre le paquet xllamacpp au lieu de compiler : vite installé, plus lent.",
    ),
)
def main(wheel: bool) -> None:
    """Make the peer."""
    name = WHEEL if wheel else SERVER
    with _staging(name) as folder:
        peer = _install_wheel(folder) if wheel else _build_server(folder)
        (folder / "peer.json").write_bytes(msgspec.json.encode(peer))
    click.echo(f"{peer.name} {peer.version}: {peers_dir() / name}")


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


def _install_wheel(folder: Path) -> Peer:
    lock = HERE / "xllamacpp.lock"
    python = _environment(folder / "venv")
    install = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
    _run([*install, "--requirement", str(lock)])
    script = Path(shutil.copy(HERE / "serve_xllamacpp.py", folder))
    version = lock.read_text("utf-8").split()[0].partition("==")[2]
    return Peer(WHEEL, version, "wheel of the package index", (python, str(script)))


def _environment(folder: Path) -> str:
    venv.create(folder, with_pip=True)
    return str(folder / ("Scripts" if os.name == "nt" else "bin") / "python")


def _run(command: Sequence[str], environment: dict[str, str] | None = None) -> None:
    """Run a command, its words on standard error; end the script where it fails."""
    if subprocess.run(command, env=environment, stdout=sys.stderr, check=False).returncode:
        raise click.ClickException(
            t(
                "“{command}” failed; its words are above.",
                "« {command} » a échoué ; ses messages sont ci-dessus.",
                command=" ".join(command[:4]),
            )
        )


if __name__ == "__main__":
    main()
