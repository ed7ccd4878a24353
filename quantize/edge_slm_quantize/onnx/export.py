"""A Hugging Face folder as fp32 ONNX graphs, once for all recipes of a job.

    chat        model.onnx: logits, and keys and values that the next call takes as past
    embed       model.onnx: the last hidden states; pooling is the caller's
    speech      encoder_model.onnx, decoder_model_merged.onnx (with and without past)
    translate   the same

optimum traces the model with torch. It needs five to six times the memory of the weights in fp32:
2.9 GB for the 135M parameters of SmolLM2 (peak of the process, measured).
"""

import shutil
from pathlib import Path
from typing import Any

from edge_slm.errors import EdgeSlmError, IntegrityError, UsageError
from edge_slm.i18n import t
from edge_slm_quantize.extra import need
from edge_slm_quantize.onnx import graph
from edge_slm_quantize.onnx.quiet import quiet
from edge_slm_quantize.recipe import Task
from edge_slm_quantize.records import Source
from edge_slm_quantize.sources.once import made_once

# The newest that torch's exporter by tracing writes without a warning (torch 2.13). From 18 on,
# axes of reductions are inputs, which quantisers that raise the opset to 21 rely on.
OPSET = 20
_TASKS: dict[Task, str] = {
    "chat": "text-generation-with-past",
    "embed": "feature-extraction",
    "speech": "automatic-speech-recognition-with-past",
    "translate": "text2text-generation-with-past",
}
_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.txt", "vocab.json", "source.spm")
_WEIGHTS = (
    *(".safetensors", ".safetensors.index.json", ".bin", ".pt", ".pth", ".ckpt", ".pkl", ".h5"),
    *(".msgpack", ".ot", ".gguf", ".onnx", ".onnx_data"),
)
# What optimum, transformers and torch raise on a model that they cannot take.
_FAILURES = (ValueError, KeyError, TypeError, AttributeError, RuntimeError, OSError)
# Of seq2seq models: what merging two decoders into one leaves behind.
_UNMERGED = ("decoder_model.onnx", "decoder_with_past_model.onnx")
_MERGED = "decoder_model_merged.onnx"


def export(source: Source, hf_folder: Path, shared: Path) -> Path:
    """Return the folder of fp32 graphs; it is made when it is not in `shared` yet.

    Args:
        source: what is exported.
        hf_folder: config.json, safetensors, the tokenizer's files.
        shared: the job's folder for what several recipes need.
    Raises:
        UsageError: the folder lacks its configuration or its tokenizer, or is of a kind that
            optimum does not export.
        MissingError: a package of the extra is not installed.
        IntegrityError: weights do not fit the configuration.
    """

    _check(hf_folder)

    def fill(folder: Path) -> None:
        _export(source, hf_folder, folder)
        for path in graphs_of(folder):
            _tie(path)
        companions(hf_folder, folder)

    return made_once(shared / f"onnx-fp32-opset{OPSET}-{source.sha256[:16]}", fill)


def graphs_of(folder: Path) -> list[Path]:
    """Return the ONNX files of a folder, sorted by name."""
    return sorted(folder.glob("*.onnx"))


def companions(source: Path, folder: Path) -> None:
    """Copy all that a model needs beside its weights: configuration, tokenizer, template."""
    for path in sorted(source.rglob("*")):
        name = path.relative_to(source)
        hidden = any(part.startswith(".") for part in name.parts)
        if path.is_file() and not hidden and not path.name.endswith(_WEIGHTS):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / name)


def versions() -> dict[str, Any]:
    """Return the versions of what makes a graph."""
    from importlib.metadata import version

    names = ("onnx", "onnxruntime", "optimum", "optimum-onnx", "transformers", "torch")
    return {"opset": OPSET, **{name: version(name) for name in names}}


def _check(folder: Path) -> None:
    if not (folder / "config.json").is_file():
        raise UsageError(
            t(
                "{folder} holds no config.json: give the folder of a Hugging Face model.",
                "{folder} ne contient pas de config.json : donnez le dossier d'un modèle "
                "Hugging Face.",
                folder=folder,
            )
        )
    if not any(folder.glob("*.safetensors")):  # transformers would take a pickle instead
        raise UsageError(
            t(
                "{folder} holds no weights as safetensors.",
                "{folder} ne contient pas de poids en safetensors.",
                folder=folder,
            )
        )
    if not any((folder / name).is_file() for name in _TOKENIZERS):
        raise UsageError(
            t(
                "{folder} holds no tokenizer, without which its ONNX model is no use to anybody: "
                "add tokenizer.json.",
                "{folder} ne contient pas de tokenizer, sans lequel son modèle ONNX ne sert à "
                "personne : ajoutez tokenizer.json.",
                folder=folder,
            )
        )


def _export(source: Source, hf_folder: Path, folder: Path) -> None:
    errors = need("safetensors")
    with quiet():
        main_export = need("optimum.exporters.onnx").main_export
        try:
            main_export(
                str(hf_folder),
                str(folder),
                task=_TASKS[source.task],
                opset=OPSET,
                device="cpu",
                do_validation=False,  # compared by this program's own measures
                local_files_only=True,
                library_name="transformers",
            )
        except errors.SafetensorError as error:
            raise IntegrityError(_unreadable(source, error)) from error
        except _FAILURES as error:
            raise UsageError(_unexportable(source, error)) from error
    if not graphs_of(folder):
        raise EdgeSlmError(_unexportable(source, RuntimeError("no graph was written")))
    if (folder / _MERGED).is_file():
        for name in _UNMERGED:
            (folder / name).unlink(missing_ok=True)


def _tie(path: Path) -> None:
    model = graph.load(path)
    if graph.tie(model):
        for beside in path.parent.glob(f"{path.name}_data"):
            beside.unlink()
        graph.save(model, path)


def _unexportable(source: Source, error: Exception) -> str:
    return t(
        "{name} ({architecture}) cannot be exported to ONNX: {error}",
        "{name} ({architecture}) ne s'exporte pas en ONNX : {error}",
        name=source.name,
        architecture=source.architecture,
        error=_first_line(error),
    )


def _unreadable(source: Source, error: Exception) -> str:
    return t(
        "The weights of {name} cannot be read: {error}",
        "Les poids de {name} ne sont pas lisibles : {error}",
        name=source.name,
        error=_first_line(error),
    )


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]
