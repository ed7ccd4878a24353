"""A folder of safetensors as a source; the licence and languages are those of its README."""

import re
from functools import partial
from pathlib import Path

from edge_slm.cards import Embed
from edge_slm_quantize.records import Source
from edge_slm_quantize.sources.finite import check_shards
from edge_slm_quantize.sources.folder import open_folder
from edge_slm_quantize.sources.opened import Opened

_LONGEST_README = 1 << 20
_FRONT = re.compile(r"\A---\r?\n(.*?)\r?\n---", re.DOTALL)
_LICENCE = re.compile(r"^license:\s*([A-Za-z0-9][\w.+-]{0,60})\s*$", re.MULTILINE)
_LANGUAGES = re.compile(r"^language:((?:\s*\n\s*- *[\w-]+)+|[ \t]*\[?[\w, -]+\]?)", re.MULTILINE)


def open_safetensors(path: Path) -> Opened:
    """Open a folder of safetensors; weights are not read.

    Raises:
        EdgeSlmError: what `folder.open_folder` raises.
    """
    folder = open_folder(path)
    network = folder.network
    licence, languages = _readme(path / "README.md")
    source = Source(
        name=path.name,
        task=network.task,
        architecture=network.architecture,
        format="safetensors",
        path=str(path.absolute()),
        sha256="",
        quantisation=None,
        parameters=folder.parameters,
        context=network.context,
        languages=languages,
        licence=licence,
        embed=Embed(network.hidden) if network.task == "embed" else None,
    )
    return Opened(source, partial(check_shards, list(folder.tensors.items())))


def _readme(path: Path) -> tuple[str, tuple[str, ...]]:
    """Return the licence and the languages that the head of a README gives."""
    text = ""
    if path.is_file() and path.stat().st_size <= _LONGEST_README:
        text = path.read_text("utf-8", errors="replace")
    front = _FRONT.match(text)
    if front is None:
        return "LicenseRef-unknown", ()
    licence = _LICENCE.search(front[1])
    languages = _LANGUAGES.search(front[1])
    found = re.findall(r"[A-Za-z]{2,3}(?:-[A-Za-z]+)?", languages[1]) if languages else []
    return licence[1] if licence else "LicenseRef-unknown", tuple(found)
