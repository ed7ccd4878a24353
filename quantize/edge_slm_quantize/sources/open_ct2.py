"""A CTranslate2 folder as a source: Whisper, or a translation model."""

from functools import partial
from pathlib import Path

from edge_slm.errors import MissingError, UsageError
from edge_slm.i18n import t
from edge_slm_quantize.recipe import Task
from edge_slm_quantize.records import Source
from edge_slm_quantize.sources.finite import check_shards
from edge_slm_quantize.sources.json_files import read_json_if_there
from edge_slm_quantize.sources.model_bin import ModelBin, read_model_bin
from edge_slm_quantize.sources.opened import Opened
from edge_slm_quantize.sources.shards import FLOATS

# Names of specifications (CTranslate2, python/ctranslate2/specs/): its task, and what it is called.
_KNOWN: dict[str, tuple[Task, str]] = {
    "WhisperSpec": ("speech", "whisper"),
    "TransformerSpec": ("translate", "transformer"),
}
_VOCABULARIES = ("vocabulary", "shared_vocabulary", "source_vocabulary")
_POSITIONS = "decoder/position_encodings/encodings"
# Of Marian, whose positions may be computed and so not be in the file (MarianConfig).
_USUAL_CONTEXT = 512


def is_ct2(path: Path) -> bool:
    """Tell whether a folder is laid out as CTranslate2's."""
    if not path.is_dir() or not (path / "model.bin").is_file():
        return False
    return not any(path.glob("*.safetensors"))


def open_ct2(path: Path) -> Opened:
    """Open a CTranslate2 folder; weights are not read.

    Raises:
        UsageError: it is of another use, or no CTranslate2 model.
        MissingError: its vocabulary is absent.
        IntegrityError: a file is cut or damaged.
    """
    model = read_model_bin(path / "model.bin")
    if model.specification not in _KNOWN:
        raise UsageError(
            t(
                "{path} is a {name} of CTranslate2, which is not known here: give a model of "
                "speech or of translation.",
                "{path} est un {name} de CTranslate2, inconnu ici : donnez un modèle de parole ou "
                "de traduction.",
                path=path,
                name=model.specification[:80],
            )
        )
    task, architecture = _KNOWN[model.specification]
    read_json_if_there(path / "config.json")
    if not any((path / f"{n}.{kind}").is_file() for n in _VOCABULARIES for kind in ("json", "txt")):
        raise MissingError(
            t(
                "{path} lacks its vocabulary (vocabulary.json): copy the folder again.",
                "Il manque à {path} son vocabulaire (vocabulary.json) : recopiez le dossier.",
                path=path,
            )
        )
    source = Source(
        name=path.name,
        task=task,
        architecture=architecture,
        format="ctranslate2",
        path=str(path.absolute()),
        sha256="",
        quantisation=model.quantisation,
        parameters=sum(one.numbers for one in model.weights.values()),
        context=_context(model),
    )
    floats = [(name, one) for name, one in model.variables.items() if one.dtype in FLOATS]
    return Opened(source, partial(check_shards, floats))


def _context(model: ModelBin) -> int:
    positions = model.variables.get(_POSITIONS)
    return positions.shape[0] if positions and positions.shape else _USUAL_CONTEXT
