"""Compiles a graph for a Rockchip NPU and runs it in the x86 simulator; rknn-toolkit2 only.

    ENVIRONMENT/bin/python -I rknn_apart.py

The environment's own Python runs this file (rknn_home); Edge-SLM is not in it, so that only the
standard library, numpy and the toolkit are used. It reads an order, one line of JSON, from standard
input, answers with one on standard output, and ends at once when standard input does. The order:

    graph        path of an ONNX file with fixed shapes
    platform     the chip, as the toolkit names it: “rk3588”
    quantised    the toolkit's name of a type, such as “w8a8”; null for 16-bit floats
    calibration  path of a list: one line a text, the paths of its inputs as .npy; null for floats
    file         where the .rknn goes; null to keep none
    feeds        for each text, the paths of its inputs as .npy, in the graph's order
    outputs      a folder: the first output of each text goes there as 0.npy, 1.npy…
    log          a file: all that the toolkit says, its table of layers too

The answer: {"version", "build_seconds", "simulate_seconds"}, or {"error"}.
"""

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any


def main() -> None:
    """Answer one order."""
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    order = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    with Path(order["log"]).open("wb") as log:
        # The compiler is C++ and writes to the descriptors, whatever Python's streams are.
        for descriptor in (1, 2):
            os.dup2(log.fileno(), descriptor)
        try:
            said = _work(order)
        except Exception as error:  # noqa: BLE001  # outermost edge: the toolkit raises what it likes
            said = {"error": f"{type(error).__name__}: {error}"}
        sys.stdout.flush()
        json.dump(said, answer)
        answer.flush()
        # The toolkit's threads outlive it now and then; nothing is left to be done.
        os._exit(0)


def _end_with_the_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


def _work(order: dict[str, Any]) -> dict[str, Any]:
    from importlib.metadata import version

    from rknn.api import RKNN

    tool = RKNN(verbose=True)
    kind = {"quantized_dtype": order["quantised"]} if order["quantised"] else {}
    _check(tool.config(target_platform=order["platform"], **kind), "config")
    _check(tool.load_onnx(model=order["graph"]), "load_onnx")
    began = time.perf_counter()
    quantised = bool(order["quantised"])
    _check(tool.build(do_quantization=quantised, dataset=order["calibration"]), "build")
    seconds = time.perf_counter() - began
    if order["file"]:
        _check(tool.export_rknn(order["file"]), "export_rknn")
    began = time.perf_counter()
    if order["feeds"]:
        _simulate(tool, order["feeds"], Path(order["outputs"]))
    return {
        "version": version("rknn-toolkit2"),
        "build_seconds": seconds,
        "simulate_seconds": time.perf_counter() - began,
    }


def _simulate(tool: Any, feeds: list[list[str]], folder: Path) -> None:
    import numpy

    _check(tool.init_runtime(), "init_runtime")
    for number, paths in enumerate(feeds):
        inputs = [numpy.load(path, allow_pickle=False) for path in paths]
        numpy.save(folder / f"{number}.npy", tool.inference(inputs=inputs)[0])


def _check(code: int, step: str) -> None:
    if code:
        raise RuntimeError(f"{step}: {code}")


if __name__ == "__main__":
    main()
