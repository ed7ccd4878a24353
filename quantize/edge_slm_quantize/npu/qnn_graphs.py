"""The graphs of a QNN recipe, fp32 and A16W8: made once a job, for whoever compiles or judges them.

They lie in the job's shared folder, for what is compiled keeps neither. An encoder is one graph,
`encoder`; a chat model two: `read`, which takes a window of tokens after the sink, and `write`,
which takes one token after as many keys as fit the window.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from edge_slm.errors import EdgeSlmError, UsageError
from edge_slm.files import replacing
from edge_slm.i18n import size, t
from edge_slm.machine import available_ram
from edge_slm_quantize.npu import feeds, qdq, sink, static_decoder, static_encoder
from edge_slm_quantize.npu.feeds import Feed
from edge_slm_quantize.onnx.sessions import session
from edge_slm_quantize.records import Npu, Order
from edge_slm_quantize.sources import tokenizers
from edge_slm_quantize.sources.pooling import Pooling, pooling_of
from edge_slm_quantize.sources.to_hf import to_hf
from edge_slm_quantize.workspace import key_of

# Calibration texts of an encoder, windows of a chat model, and windows in which the graph of one
# token is calibrated at three places each. Fewer or more were not compared.
TEXTS = 96
WINDOWS = 16
WRITING_WINDOWS = 8
# Most memory of quantising SmolLM2-135M (a graph of 651 MB) over the bytes of the graph, measured.
_MEMORY = 13
_PROTOBUF = 2**31  # bytes that one ONNX file may hold


class About(msgspec.Struct, frozen=True):
    """What is known of an order's graphs.

    names: of the graphs. difference: the largest from transformers' own outputs, fp32.
    pooling: how a vector is made; None for a chat model.
    """

    names: tuple[str, ...]
    difference: float
    pooling: Pooling | None = None


def npu_of(order: Order) -> Npu:
    """Return the chip of an order.

    Raises:
        UsageError: its target has none that QNN compiles for, or the source is of another task.
    """
    npu = order.target.npu
    if npu is None or npu.backend != "qnn":
        raise UsageError(
            t(
                "{recipe} is for Qualcomm's Hexagon, and the target {target} has none.",
                "{recipe} est pour le Hexagon de Qualcomm, et la cible {target} n'en a pas.",
                recipe=order.recipe,
                target=order.target.id,
            )
        )
    if order.source.task not in ("chat", "embed"):
        raise UsageError(
            t(
                "{recipe} is for chat and embedding models only.",
                "{recipe} n'est que pour les modèles de conversation et d'embedding.",
                recipe=order.recipe,
            )
        )
    # A window's second half is scored, and one token must find room after the sink.
    if npu.sequence % 2 or not 0 <= npu.sink <= npu.sequence - 4:
        raise UsageError(
            t(
                "The target's sequence must be an even number of tokens, and its sink at least "
                "four fewer.",
                "La séquence de la cible doit être un nombre pair de jetons, et son amorce en "
                "compter au moins quatre de moins.",
            )
        )
    return npu


def hf_folder(order: Order) -> Path:
    """Return a Hugging Face folder of the order's source; a GGUF file becomes one, once a job."""
    return to_hf(order.source, Path(order.folder))


def folder_of(order: Order) -> Path:
    """Return the folder of an order's graphs."""
    npu = npu_of(order)
    key = key_of(order.source.sha256, order.texts.sha256, npu.sequence, npu.sink)
    return Path(order.folder) / "shared" / f"qnn-{key}"


def fp32(order: Order) -> About:
    """Write the fp32 graphs, `<name>.fp32.onnx`, and a chat model's sink, unless they are there.

    Raises:
        EdgeSlmError: the model is too large for one ONNX file.
    """
    folder = folder_of(order)
    about = folder / "about.json"
    if about.is_file():
        return msgspec.json.decode(about.read_bytes(), type=About)
    _refuse_large(order)
    folder.mkdir(parents=True, exist_ok=True)
    made = (_chat if order.source.task == "chat" else _encoder)(order, folder)
    with replacing(about) as part:  # last: what it speaks of is whole
        part.write_bytes(msgspec.json.encode(made))
    return made


def quantised(order: Order) -> None:
    """Write the A16W8 graphs, `<name>.a16w8.onnx`, unless they are there; after `fp32`."""
    folder = folder_of(order)
    for name in fp32(order).names:
        path = folder / f"{name}.a16w8.onnx"
        if not path.is_file():
            _refuse_memory(folder / f"{name}.fp32.onnx", order)
            qdq.quantise(folder / f"{name}.fp32.onnx", _CALIBRATION[name](order), path)


def graph(order: Order, name: str, kind: str) -> Path:
    """Return the file of a graph. kind: “fp32” or “a16w8”."""
    return folder_of(order) / f"{name}.{kind}.onnx"


def evaluation(order: Order, most: int) -> list[list[int]]:
    """Return at most `most` windows of a chat model's evaluation texts."""
    return _windows(order, order.texts.evaluation, most)


def texts_feeds(order: Order, texts: Sequence[str]) -> list[Feed]:
    """Return the encoder's inputs for texts, with the passage's prefix of the source."""
    prefix = order.source.embed.passage_prefix if order.source.embed else ""
    words = tokenizers.load(hf_folder(order) / tokenizers.FILE)
    return feeds.encoder_feeds(words, [prefix + text for text in texts], npu_of(order).sequence)


def _encoder(order: Order, folder: Path) -> About:
    source = hf_folder(order)
    pooling = pooling_of(source)
    raw = folder / "encoder.raw.onnx"
    made = static_encoder.export_encoder(source, npu_of(order).sequence, raw)
    qdq.prepare(raw, folder / "encoder.fp32.onnx")
    raw.unlink()
    return About(("encoder",), made.difference, pooling)


def _chat(order: Order, folder: Path) -> About:
    npu = npu_of(order)
    model = static_decoder.open_decoder(hf_folder(order))
    sink.write(sink.compute(model, npu.sink), folder / sink.FILE)
    room = npu.sequence - 1
    difference = max(
        static_decoder.difference(model, npu.sequence, npu.sink),
        static_decoder.difference(model, 1, room),
    )
    static_decoder.export_decoder(model, npu.sequence, npu.sink, folder / "read.fp32.onnx")
    static_decoder.export_decoder(model, 1, room, folder / "write.fp32.onnx")
    return About(("read", "write"), difference)


def _encoder_calibration(order: Order) -> list[Feed]:
    return texts_feeds(order, order.texts.calibration[:TEXTS])


def _windows(order: Order, texts: tuple[str, ...], most: int) -> list[list[int]]:
    words = tokenizers.load(hf_folder(order) / tokenizers.FILE)
    return feeds.windows(words, texts, npu_of(order).sequence, most)


def _read_calibration(order: Order) -> list[Feed]:
    first = sink.read(folder_of(order) / sink.FILE)
    windows = _windows(order, order.texts.calibration, WINDOWS)
    return [feeds.reading_feed(ids, first) for ids in windows]


def _write_calibration(order: Order) -> list[Feed]:
    return writing_feeds(order, _windows(order, order.texts.calibration, WRITING_WINDOWS))


def writing_feeds(order: Order, windows: list[list[int]]) -> list[Feed]:
    """Return inputs of the graph of one token, at some places of windows that fp32 has read."""
    npu = npu_of(order)
    first = sink.read(folder_of(order) / sink.FILE)
    opened = session(graph(order, "read", "fp32"), order.threads)
    names = [one.name for one in opened.get_outputs()][1:]
    found = []
    for ids in windows:
        new = dict(zip(names, opened.run(names, feeds.reading_feed(ids, first)), strict=True))
        found += [
            feeds.writing_feed(ids, at, new, first, npu.sequence - 1)
            for at in feeds.places(npu.sequence, npu.sink)
        ]
    return found


_CALIBRATION: dict[str, Callable[[Order], list[Feed]]] = {
    "encoder": _encoder_calibration,
    "read": _read_calibration,
    "write": _write_calibration,
}


def _refuse_large(order: Order) -> None:
    needed = 4 * order.source.parameters
    if needed >= _PROTOBUF:
        raise EdgeSlmError(
            t(
                "{name} takes {needed} in fp32, and a graph for this NPU must fit one file of "
                "{most}: take a smaller model.",
                "{name} prend {needed} en fp32, et un graphe pour ce NPU doit tenir dans un "
                "fichier de {most} : prenez un modèle plus petit.",
                name=order.source.name,
                needed=size(needed),
                most=size(_PROTOBUF),
            )
        )


def _refuse_memory(path: Path, order: Order) -> None:
    needed, free = _MEMORY * path.stat().st_size, available_ram()
    if needed > free:
        raise EdgeSlmError(
            t(
                "Quantising {name} for the NPU takes about {needed} of memory and {free} is free: "
                "close other programs, or make it on a larger machine.",
                "Quantifier {name} pour le NPU prend environ {needed} de mémoire et {free} est "
                "libre : fermez d'autres programmes, ou faites-le sur une machine plus grande.",
                name=order.source.name,
                needed=size(needed),
                free=size(free),
            )
        )
