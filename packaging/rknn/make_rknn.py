"""Makes the environment of rknn-toolkit2, which compiles and simulates models for Rockchip NPUs.

Usage: .venv/bin/python packaging/rknn/make_rknn.py [--remove]

The toolkit wants other versions of numpy, onnx and protobuf than Edge-SLM: it gets an environment
of its own in the user's cache (1.5 GB with the processor build of torch), and
`edge-slm quantize` runs it as another process. It exists for Linux only. What is there stays
until the new one is whole.
"""

import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from edge_slm.i18n import size, t
from edge_slm.machine import free_disk
from edge_slm_quantize.npu import rknn_home

HERE = Path(__file__).resolve().parent
# Measured on Linux x86-64 with the processor build of torch, 1.5 GB; pip unpacks beside it.
DISK = 2_500_000_000


@click.command(
    help=t(
        "Make the environment that compiles models for Rockchip NPUs.",
        "Faire l'environnement qui compile les modèles pour les NPU Rockchip.",
    )
)
@click.option("--remove", is_flag=True, help=t("Remove it.", "L'ôter."))
def main(remove: bool) -> None:
    """Make or remove it."""
    if remove:
        shutil.rmtree(rknn_home.folder(), ignore_errors=True)
        return
    _check()
    with _staging(rknn_home.folder()) as folder:
        click.echo(
            t("Installing rknn-toolkit2…", "Installation de rknn-toolkit2…"),
            err=True,
        )
        venv.create(folder, with_pip=True)
        python = str(rknn_home.python())
        install = [python, "-m", "pip", "install", "--quiet"]
        _run([*install, "--requirement", str(HERE / "requirements.txt")])
        _run([*install, "--no-deps", "--requirement", str(HERE / "toolkit.txt")])
        _run([python, "-c", "import rknn.api"])
        rknn_home.mark(folder, (HERE / "toolkit.txt").read_text("utf-8").strip())
    click.echo(str(rknn_home.folder()))


def _check() -> None:
    if not sys.platform.startswith("linux"):
        raise click.ClickException(
            t(
                "rknn-toolkit2 exists for Linux only: make RKNN models on a Linux machine.",
                "rknn-toolkit2 n'existe que pour Linux : faites les modèles RKNN sous Linux.",
            )
        )
    free = free_disk(rknn_home.folder())
    if free < DISK:
        raise click.ClickException(
            t(
                "The environment takes {needed}, the disk has {free}: free some space.",
                "L'environnement prend {needed}, le disque a {free} : faites de la place.",
                needed=size(DISK),
                free=size(free),
            )
        )


@contextmanager
def _staging(folder: Path) -> Iterator[Path]:
    """Yield an empty folder; what was there before comes back where the block fails.

    An environment cannot be moved, so that the new one has the final name at once; without its
    mark, which is written last, nobody takes it for whole.
    """
    before = folder.with_name(f"{folder.name}.before")
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


def _run(command: Sequence[str]) -> None:
    """Run a command, its words on standard error; end the script where it fails."""
    if subprocess.run(command, stdout=sys.stderr, check=False).returncode:
        raise click.ClickException(
            t(
                "“{command}” failed; its words are above.",
                "« {command} » a échoué ; ses messages sont ci-dessus.",
                command=" ".join(command[:5]),
            )
        )


if __name__ == "__main__":
    main()
