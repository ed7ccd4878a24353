"""onnxruntime's sessions, as everything here opens them: on the processor, quiet, few threads.

Threads do not spin while they wait: on a shared machine they starve the others, and their waiting
would be billed as work (`cpu_seconds_per_100`).
"""

from pathlib import Path
from typing import Any

from edge_slm.errors import EdgeSlmError
from edge_slm.i18n import t
from edge_slm.machine import compute_threads
from edge_slm_quantize.extra import need

_ERRORS_ONLY = 3  # onnxruntime's levels of severity: 0 verbose … 3 error, 4 fatal


def session(path: Path, threads: int = 0) -> Any:
    """Load a model.

    Args:
        path: an ONNX file.
        threads: 0 for this machine's physical cores.
    Raises:
        MissingError: onnxruntime is not installed.
        EdgeSlmError: it does not load, and so is no use to anybody.
    """
    runtime = need("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads or compute_threads()
    options.log_severity_level = _ERRORS_ONLY
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except _errors() as error:
        raise EdgeSlmError(
            t(
                "onnxruntime does not load {path}: {error}",
                "onnxruntime ne charge pas {path} : {error}",
                path=path.name,
                error=str(error).splitlines()[0] if str(error) else type(error).__name__,
            )
        ) from error


def _errors() -> tuple[type[Exception], ...]:
    """Return what onnxruntime raises on a model that it cannot take; it has no common class."""
    state = need("onnxruntime.capi.onnxruntime_pybind11_state")
    names = (
        *("EPFail", "Fail", "InvalidArgument", "InvalidGraph", "InvalidProtobuf", "NoModel"),
        *("NoSuchFile", "NotFound", "NotImplemented", "RuntimeException"),
    )
    return tuple(getattr(state, name) for name in names)
