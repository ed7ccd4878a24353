"""Graphs of fixed shapes: from a PyTorch function to an ONNX file that an NPU's compiler reads.

Knows no architecture, no quantisation and no back end.
"""

import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edge_slm.files import replacing
from edge_slm_quantize.extra import need

# What a position that must not be looked at gets added to its score: exp(-100) is 0 in 16 bits,
# and, unlike the lowest float, -100 leaves a quantised scale its resolution.
BLOCKED = -100.0
# onnxruntime's quantiser raises it to 21 itself, which is right from 17 only.
OPSET = 17

Shape = tuple[int, ...]


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what the exporters say about themselves off standard error."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


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


def cpu_session(path: Path, threads: int = 0) -> Any:
    """Open a graph on the CPU.

    Args:
        path: an ONNX file.
        threads: to compute with; 0 lets onnxruntime choose.
    """
    onnxruntime = need("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(
        str(path), sess_options=options, providers=["CPUExecutionProvider"]
    )
