"""Sessions of onnxruntime's QNN provider: on x86-64 Linux they compile for Hexagon and simulate it.

The simulator computes what the chip would; its time says nothing of the chip's. Without
`session.disable_cpu_ep_fallback`, onnxruntime runs on the CPU whatever QNN refuses, and says
nothing: here a session is strict unless asked.
"""

import platform
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

from edge_slm.errors import IntegrityError, MissingError, UsageError
from edge_slm.i18n import t
from edge_slm_quantize.extra import need
from edge_slm_quantize.records import Npu

PROVIDER = "QNNExecutionProvider"
# 3: the compiler's longest search for a fast graph (QNN provider's documentation).
_FINALIZATION = "3"


class Compiled(NamedTuple):
    """A session, how long it took to open (s), and whether all of the graph is on the NPU."""

    session: Any
    seconds: float
    strict: bool


def versions() -> dict[str, str]:
    """Return the versions that a context binary depends on: QAIRT's, onnxruntime's, the wheel's."""
    qnn = need("onnxruntime_qnn")
    return {
        "qairt": str(qnn.build_and_package_info.qnn_version),
        "onnxruntime": str(need("onnxruntime").__version__),
        "onnxruntime-qnn": str(qnn.__version__),
    }


def require() -> None:
    """Check that this machine compiles and simulates.

    Raises:
        MissingError: it is not x86-64 Linux, or a package is absent.
    """
    if sys.platform != "linux" or platform.machine() != "x86_64":
        raise MissingError(
            t(
                "Compiling for Hexagon and simulating it need Linux on x86-64: make this recipe "
                "there.",
                "Compiler pour Hexagon et le simuler demandent Linux sur x86-64 : faites cette "
                "recette là.",
            )
        )
    need("onnxruntime")
    need("onnxruntime_qnn")


def compile_graph(graph: Path, npu: Npu, context: Path) -> Compiled:
    """Compile a graph and write it as `context`, an ONNX file with its binary beside it.

    What the NPU refuses is left to the CPU only when a strict session was refused first.

    Args:
        graph: static, fp32 or QDQ.
        npu: with soc_model and htp_arch.
        context: the ONNX file to write; the binary is named after it.
    """
    start = time.perf_counter()
    try:
        return Compiled(open_session(graph, npu, context), time.perf_counter() - start, True)
    except refusals():
        for left in context.parent.glob(f"{context.stem}*"):
            left.unlink()
    start = time.perf_counter()
    session = open_session(graph, npu, context, strict=False)
    return Compiled(session, time.perf_counter() - start, False)


def open_session(graph: Path, npu: Npu, context: Path | None = None, *, strict: bool = True) -> Any:
    """Open a graph, or a compiled one, on the NPU or its simulator.

    Args:
        graph: an ONNX file. npu: the chip.
        context: where to write what was compiled; None writes nothing.
        strict: whether a node that would run on the CPU is an error.

    Raises:
        MissingError: this machine cannot (`require`).
        UsageError: the target names no chip.
        one of `refusals()`: the graph is not taken.
    """
    require()
    if npu.soc_model is None or npu.htp_arch is None:
        raise UsageError(
            t(
                "The target names no chip: its npu needs soc_model and htp_arch.",
                "La cible ne nomme aucune puce : son npu demande soc_model et htp_arch.",
            )
        )
    onnxruntime, qnn = need("onnxruntime"), need("onnxruntime_qnn")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    entries = {"session.record_ep_graph_assignment_info": "1"}
    if strict:
        entries["session.disable_cpu_ep_fallback"] = "1"
    if context is not None:
        entries |= {
            "ep.context_enable": "1",
            "ep.context_file_path": str(context),
            "ep.context_embed_mode": "0",
        }
    for name, value in entries.items():
        options.add_session_config_entry(name, value)
    chip = {
        "backend_path": qnn.get_qnn_htp_path(),
        "soc_model": str(npu.soc_model),
        "htp_arch": str(npu.htp_arch),
        "htp_graph_finalization_optimization_mode": _FINALIZATION,
    }
    options.add_provider_for_devices(_device(), chip)
    return onnxruntime.InferenceSession(str(graph), sess_options=options)


def open_compiled(context: Path, npu: Npu) -> Any:
    """Open a compiled graph of an artefact in the simulator, with what the CPU runs of it.

    Raises:
        IntegrityError: a file is absent or damaged, or of another version of QAIRT.
    """
    try:
        return open_session(context, npu, strict=False)
    except refusals() as error:
        raise IntegrityError(
            t(
                "{file} cannot be loaded: it is damaged, or was compiled by another version of "
                "QAIRT; make it again.",
                "{file} ne peut pas être chargé : il est abîmé, ou compilé par une autre version "
                "de QAIRT ; refaites-le.",
                file=context.name,
            )
        ) from error


def refusals() -> tuple[type[Exception], ...]:
    """Return the errors by which onnxruntime says that it does not take a graph."""
    state = need("onnxruntime.capi.onnxruntime_pybind11_state")
    kinds = (
        "Fail",
        "InvalidArgument",
        "InvalidGraph",
        "NotImplemented",
        "EPFail",
        "RuntimeException",
    )
    return tuple(getattr(state, kind) for kind in kinds)


def _device() -> list[Any]:
    onnxruntime, qnn = need("onnxruntime"), need("onnxruntime_qnn")

    def found() -> list[Any]:
        return [one for one in onnxruntime.get_ep_devices() if one.ep_name == PROVIDER][:1]

    # Registering twice is an error, and a process can hold several sessions.
    if not found():
        onnxruntime.register_execution_provider_library(PROVIDER, qnn.get_library_path())
    return found()
