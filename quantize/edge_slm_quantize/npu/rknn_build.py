"""An encoder built for a Rockchip NPU: the graph, the calibration, the toolkit's process.

The graph lies in the job's shared folder, for whoever makes or judges it. The simulator runs only
what was built in its own process, so that judging builds again.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from edge_slm.errors import CrashError, EdgeSlmError, UsageError
from edge_slm.files import replacing
from edge_slm.i18n import t
from edge_slm_quantize.npu import feeds, rknn_home, rknn_table, static_encoder
from edge_slm_quantize.npu.feeds import Feed, Floats
from edge_slm_quantize.records import Npu, Order
from edge_slm_quantize.sources import tokenizers
from edge_slm_quantize.sources.pooling import Pooling, pooling_of
from edge_slm_quantize.sources.to_hf import to_hf
from edge_slm_quantize.workspace import key_of

TEXTS = 96  # of calibration; what QNN's graphs are calibrated with, too
_QUANTISED = {"rknn-fp16": None, "rknn-w8a8": "w8a8"}
_TAIL = 2000  # characters of the toolkit's log that a failure shows


class About(msgspec.Struct, frozen=True):
    """What is known of a graph: the difference from transformers', and how it is pooled."""

    difference: float
    pooling: Pooling


class Graph(NamedTuple):
    """An encoder's fp32 graph."""

    path: Path
    about: About


class Built(msgspec.Struct, frozen=True):
    """What the toolkit did: its version, seconds of building and of simulating, and layers.

    outputs: the hidden states [1, S, H] that the simulator gave for each text.
    """

    version: str
    build_seconds: float
    simulate_seconds: float
    layers: list[rknn_table.Layer]
    outputs: list[Floats]


def npu_of(order: Order) -> Npu:
    """Return the chip of an order.

    Raises:
        UsageError: its target has none that rknn-toolkit2 builds for, or the source is no encoder.
    """
    npu = order.target.npu
    if npu is None or npu.backend != "rknn" or not npu.platform:
        raise UsageError(
            t(
                "{recipe} is for Rockchip's NPUs, and the target {target} has none.",
                "{recipe} est pour les NPU de Rockchip, et la cible {target} n'en a pas.",
                recipe=order.recipe,
                target=order.target.id,
            )
        )
    if order.source.task == "chat":
        raise UsageError(
            t(
                "Chat models run on this NPU through Rockchip's RKLLM toolkit only, which is not "
                "published as a package: take a GGUF recipe, or an embedding model.",
                "Les modèles de conversation ne tournent sur ce NPU que par l'outil RKLLM de "
                "Rockchip, qui n'est pas publié comme paquet : prenez une recette GGUF, ou un "
                "modèle d'embedding.",
            )
        )
    if order.source.task != "embed":
        raise UsageError(
            t(
                "{recipe} is for embedding models only.",
                "{recipe} n'est que pour les modèles d'embedding.",
                recipe=order.recipe,
            )
        )
    return npu


def graph(order: Order) -> Graph:
    """Return the order's fp32 graph, made unless it is there; raises as `export_encoder` does."""
    sequence = npu_of(order).sequence
    key = key_of(order.source.sha256, sequence)
    folder = Path(order.folder) / "shared" / f"rknn-{key}"
    path, about = folder / "encoder.onnx", folder / "about.json"
    if about.is_file():
        return Graph(path, msgspec.json.decode(about.read_bytes(), type=About))
    folder.mkdir(parents=True, exist_ok=True)
    source = to_hf(order.source, Path(order.folder))
    pooling = pooling_of(source)
    made = static_encoder.export_encoder(source, sequence, path)
    found = About(made.difference, pooling)
    with replacing(about) as part:  # last: what it speaks of is whole
        part.write_bytes(msgspec.json.encode(found))
    return Graph(path, found)


def inputs(order: Order, texts: Sequence[str]) -> list[Feed]:
    """Return the graph's inputs for texts, with the passage's prefix of the source."""
    prefix = order.source.embed.passage_prefix if order.source.embed else ""
    words = tokenizers.load(to_hf(order.source, Path(order.folder)) / tokenizers.FILE)
    return feeds.encoder_feeds(words, [prefix + text for text in texts], npu_of(order).sequence)


def build(order: Order, file: Path | None, simulated: Sequence[Feed] = ()) -> Built:
    """Build an order's graph in the toolkit's own process.

    Args:
        order: recipe rknn-fp16 or rknn-w8a8.
        file: where the .rknn goes; None keeps none.
        simulated: inputs that the simulator is to run.

    Raises:
        MissingError: the toolkit's environment is not here.
        UsageError: not for this order (`npu_of`).
        EdgeSlmError: the toolkit fails; its last words go to standard error.
    """
    npu, python = npu_of(order), rknn_home.require()
    with tempfile.TemporaryDirectory(prefix="edge-slm-rknn-") as name:
        scratch = Path(name)
        quantised = _QUANTISED[order.recipe]
        task = {
            "graph": str(graph(order).path.absolute()),
            "platform": npu.platform,
            "quantised": quantised,
            "calibration": _calibration(order, scratch) if quantised else None,
            "file": str(file.absolute()) if file else None,
            "feeds": _saved(simulated, scratch, "simulated"),
            "outputs": str(scratch),
            "log": str(scratch / "log"),
        }
        said = run(python, task, scratch)
        return Built(
            said["version"],
            said["build_seconds"],
            said["simulate_seconds"],
            rknn_table.read((scratch / "log").read_text("utf-8", "replace")),
            [np.load(scratch / f"{n}.npy", allow_pickle=False) for n in range(len(simulated))],
        )


def _calibration(order: Order, scratch: Path) -> str:
    rows = _saved(inputs(order, order.texts.calibration[:TEXTS]), scratch, "calibration")
    listed = scratch / "calibration.txt"
    listed.write_text("".join(" ".join(row) + "\n" for row in rows), "utf-8")
    return str(listed)


def _saved(feeds_: Sequence[Feed], scratch: Path, name: str) -> list[list[str]]:
    rows = []
    for number, feed in enumerate(feeds_):
        row = [str(scratch / f"{name}-{number}-{key}.npy") for key in feed]
        for path, array in zip(row, feed.values(), strict=True):
            np.save(path, array)
        rows.append(row)
    return rows


def run(python: Path, task: dict[str, Any], scratch: Path) -> dict[str, Any]:
    """Give the toolkit's process its order and return its answer.

    Args:
        python: of the environment. task: see rknn_apart. scratch: a folder to work in.

    Raises:
        EdgeSlmError: it failed, or died.
    """
    # It writes files such as check*.onnx where it stands.
    command = [str(python), "-I", str(Path(__file__).with_name("rknn_apart.py"))]
    with subprocess.Popen(
        command,
        bufsize=0,  # nothing is left to be flushed to a process that died
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=scratch,
    ) as child:
        assert child.stdin and child.stdout
        try:
            child.stdin.write(json.dumps(task).encode() + b"\n")
            answer = child.stdout.read()
        except BrokenPipeError:
            answer = b""
        finally:
            child.kill()
    try:
        said = json.loads(answer)
    except ValueError:
        said = None
    if not isinstance(said, dict) or "error" in said:
        _show(Path(task["log"]))
        raise _failed(said)
    return said


def _show(log: Path) -> None:
    if log.is_file():
        tail = log.read_bytes()[-_TAIL:].decode("utf-8", "replace")
        print(tail, file=sys.stderr)  # noqa: T201


def _failed(said: Any) -> EdgeSlmError:
    if not isinstance(said, dict):
        return CrashError(
            t(
                "rknn-toolkit2 stopped without an answer; what it wrote last is above.",
                "rknn-toolkit2 s'est arrêté sans réponse ; ses dernières lignes sont ci-dessus.",
            )
        )
    return EdgeSlmError(
        t(
            "rknn-toolkit2 cannot build this model ({error}); what it wrote last is above.",
            "rknn-toolkit2 ne peut pas construire ce modèle ({error}) ; ses dernières lignes sont "
            "ci-dessus.",
            # What the toolkit raises holds a whole traceback.
            error=str(said["error"]).strip().splitlines()[-1][-200:],
        )
    )
