"""The GGUF file that a job quantises and measures against: the source, or made of it once."""

from pathlib import Path

from edge_slm.errors import UsageError
from edge_slm.files import replacing
from edge_slm.i18n import t
from edge_slm_quantize.records import Order


def source_gguf(order: Order) -> Path:
    """Return the source as a GGUF file; one of safetensors is converted once, in the job's folder.

    Raises:
        UsageError: the source is in a format that no GGUF is made of.
        EdgeSlmError: the conversion failed.
    """
    source = order.source
    if source.format == "gguf":
        return Path(source.path)
    if source.format != "safetensors":
        raise UsageError(
            t(
                "No GGUF file is made of {name}, a CTranslate2 model: give its safetensors folder.",
                "Aucun fichier GGUF ne se fait de {name}, un modèle CTranslate2 : donnez son "
                "dossier de safetensors.",
                name=source.name,
            )
        )
    path = Path(order.folder) / "shared" / f"source-{source.sha256[:16]}.gguf"
    if not path.is_file():
        from edge_slm_quantize.sources.to_gguf import to_gguf

        with replacing(path) as temporary:
            to_gguf(source, temporary)
    return path
