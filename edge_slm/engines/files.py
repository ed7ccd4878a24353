"""A chat model that is a GGUF file of the user's, in no store and with no card."""

from pathlib import Path

from edge_slm.engines.settings import Settings
from edge_slm.engines.workers import wire
from edge_slm.engines.workers.spec import Spec
from edge_slm.errors import UsageError
from edge_slm.files import sha256_of
from edge_slm.gguf_layout import Layout, read_layout
from edge_slm.i18n import t


def is_file(model: str) -> bool:
    """Tell whether what the user names is a file and no id."""
    return model.lower().endswith(".gguf") or "/" in model or "\\" in model


def spec_of_file(path: Path) -> Spec:
    """Return what a worker needs to load a file; its name is the model's.

    Raises:
        UsageError: there is no such file, or it is no chat model.
        IntegrityError: it is not whole GGUF.
    """
    try:
        found = path.is_file()
    except (OSError, ValueError):  # a name too long, or with a null in it
        found = False
    if not found:
        raise UsageError(
            t("There is no file {path}.", "Il n'y a pas de fichier {path}.", path=path)
        )
    _check(read_layout(path), path)
    sha256 = sha256_of(path)
    load = wire.Load(
        "chat", bytes(path.absolute()), sha256=sha256, settings=Settings.for_model(sha256)
    )
    return Spec(path.name, load)


def _check(layout: Layout, path: Path) -> None:
    """Refuse a file of another use: a model that only embeds cannot write."""
    if (
        not layout.tensors
        or not layout.number("block_count")
        or "output_norm.weight" not in layout.tensors
    ):
        raise UsageError(
            t(
                "{path} holds no model that writes text: give the GGUF file of a chat model.",
                "{path} ne contient pas de modèle qui écrit du texte : donnez le fichier GGUF d'un "
                "modèle de dialogue.",
                path=path,
            )
        )
