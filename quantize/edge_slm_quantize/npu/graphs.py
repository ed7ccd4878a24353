"""Graphs of fixed shapes: a model opened in PyTorch, and its functions as ONNX files for an NPU.

Knows no architecture, no quantisation and no back end.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from edge_slm.files import replacing
from edge_slm_quantize.extra import need
from edge_slm_quantize.onnx.quiet import quiet

# What a position that must not be looked at gets added to its score: exp(-100) is 0 in 16 bits,
# and, unlike the lowest float, -100 leaves a quantised scale its resolution.
BLOCKED = -100.0
# onnxruntime's quantiser raises it to 21 itself, which is right from 17 only.
OPSET = 17

Shape = tuple[int, ...]


def open_model(kind: str, folder: Path) -> Any:
    """Load the model in a Hugging Face folder, in float32, its attention in plain operations.

    Args:
        kind: the class of transformers, such as “AutoModel”.
        folder: with config.json and model.safetensors.
    """
    torch, transformers = need("torch"), need("transformers")
    return (
        getattr(transformers, kind)
        .from_pretrained(
            folder,
            dtype=torch.float32,
            use_safetensors=True,
            local_files_only=True,
            attn_implementation="eager",
        )
        .eval()
    )


def as_module(forward: Callable[..., Any], parts: Sequence[Any]) -> Any:
    """Return a function of tensors as a module, so that it can be exported.

    Args:
        forward: takes and gives tensors.
        parts: modules whose weights it uses; they become the graph's initialisers.
    """
    torch = need("torch")

    def call(_: Any, *tensors: Any) -> Any:
        return forward(*tensors)

    module = type("Static", (torch.nn.Module,), {"forward": call})()
    module.parts = torch.nn.ModuleList(parts)
    return module.eval()


def export(
    module: Any, inputs: dict[str, Any], outputs: Sequence[str], path: Path
) -> dict[str, Shape]:
    """Write a module as an ONNX graph of the very shapes of `inputs`, simplified.

    Args:
        module: what `as_module` gives.
        inputs: by name, tensors of the shapes that the graph will take.
        outputs: names of what it gives.
        path: the file to write; it appears whole or not at all.

    Returns:
        The shape of each input.
    """
    torch, onnx, onnxslim = need("torch"), need("onnx"), need("onnxslim")
    with replacing(path) as part, quiet(), torch.no_grad():
        torch.onnx.export(
            module,
            tuple(inputs.values()),
            str(part),
            input_names=list(inputs),
            output_names=list(outputs),
            opset_version=OPSET,
            dynamo=False,
        )
        onnx.save(onnxslim.slim(str(part)), str(part))
    return {name: tuple(tensor.shape) for name, tensor in inputs.items()}
