"""How much disk a job takes at most, from headers and expected sizes. Makes nothing."""

from pathlib import Path

from edge_slm.gguf_layout import read_layout
from edge_slm_quantize.job import Job
from edge_slm_quantize.measure.reference import reference_bytes
from edge_slm_quantize.recipe import Format, parse
from edge_slm_quantize.records import Source

# Copies of the weights in 32 bits that recipes of a format share: the Hugging Face folder and the
# exported graph; for an NPU its two graphs, and both again in 8 bits, beside the folder.
_FLOATS: dict[Format, float] = {
    "gguf": 0.0,
    "onnx": 2.0,
    "ctranslate2": 1.0,
    "qnn": 3.5,
    "rknn": 2.0,
}
_F32 = 4  # bytes
# Gemma 3's, larger than that of any model in the catalogue: for models that do not tell it here.
_LARGEST_VOCABULARY = 262_144


def needed(job: Job) -> int:
    """Return the bytes that a job may take at most: its recipes, and what these share.

    The chosen model is counted twice: where it is made, and in the store.
    """
    sizes = [step.bytes_expected for step in job.plan.open]
    copies = max(_FLOATS[parse(step.recipe).format] for step in job.plan.open)
    if job.source.format == "safetensors":
        copies = max(copies, 0.5)  # as an F16 file, the reference
    scored = job.source.task == "chat"
    rows = reference_bytes(job.request.tokens, vocabulary(job.source)) if scored else 0
    return sum(sizes) + max(sizes) + int(copies * _F32 * job.source.parameters) + rows


def vocabulary(source: Source) -> int:
    """Return the pieces of a model's vocabulary; more than it can have where that is not told."""
    if source.format == "gguf":
        table = read_layout(Path(source.path)).tensors.get("token_embd.weight")
        if table and len(table.shape) == 2:
            return table.shape[1]
    return _LARGEST_VOCABULARY
