"""Where the environment of rknn-toolkit2 is, and whether it is whole.

packaging/rknn/make_rknn.py makes it: the toolkit's versions of numpy, onnx and protobuf are not
ours. Knows nothing of what runs in it.
"""

from pathlib import Path

from edge_slm import paths
from edge_slm.errors import MissingError
from edge_slm.i18n import t

_MARK = "whole.txt"


def folder() -> Path:
    """Return the environment's folder in the user's cache."""
    return paths.cache_dir() / "rknn"


def python() -> Path:
    """Return the environment's Python, which may not be there."""
    return folder() / "bin" / "python"


def mark(made: Path, version: str) -> None:
    """Say that an environment is whole: its toolkit is installed and can be imported."""
    (made / _MARK).write_text(f"{version}\n", "utf-8")


def require() -> Path:
    """Return the environment's Python.

    Raises:
        MissingError: there is no environment, or only half of one.
    """
    if not (folder() / _MARK).is_file() or not python().exists():
        raise MissingError(
            t(
                "Models for Rockchip NPUs are made by rknn-toolkit2, which has an environment of "
                "its own: make it with python packaging/rknn/make_rknn.py (Linux, 1.5 GB).",
                "Les modèles pour NPU Rockchip sont faits par rknn-toolkit2, qui a son propre "
                "environnement : faites-le avec python packaging/rknn/make_rknn.py (Linux, "
                "1,5 Go).",
            )
        )
    return python()
