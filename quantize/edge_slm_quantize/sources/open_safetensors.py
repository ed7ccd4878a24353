"""A folder of safetensors as a source; the licence and languages are those of its README."""

from functools import partial
from pathlib import Path

from edge_slm.cards import Embed
from edge_slm_quantize.records import Source
from edge_slm_quantize.sources.finite import check_shards
from edge_slm_quantize.sources.folder import open_folder
from edge_slm_quantize.sources.opened import Opened
from edge_slm_quantize.sources.readme import readme


def open_safetensors(path: Path) -> Opened:
    """Open a folder of safetensors; weights are not read.

    Raises:
        EdgeSlmError: what `folder.open_folder` raises.
    """
    folder = open_folder(path)
    network = folder.network
    licence, languages = readme(path / "README.md")
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
