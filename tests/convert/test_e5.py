"""The E5 container becomes a GGUF file without a changed byte, or a sentence."""

import hashlib
import struct
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_slm.convert.e5 import convert
from edge_slm.errors import IntegrityError

HIDDEN, LAYERS, HEADS, FEED_FORWARD, POSITIONS, TYPES = 64, 2, 4, 96, 8, 2
SPARE_ROWS = 3
PIECES = ("<s>", "<pad>", "</s>", "<unk>", "▁", "é", "▁congé", "jour", "s", "<mask>")
SCORES = (0.0, 0.0, 0.0, 0.0, -3.5, -4.0, -5.25, -6.0, -7.5, 0.0)
FLOAT32, Q4_0 = 0, 1


@dataclass
class Tiny:
    """A small valid container; a test spoils one field, then calls `build`."""

    magic: bytes = b"E5S1"
    version: int = 1
    hidden: int = HIDDEN
    layers: int = LAYERS
    heads: int = HEADS
    feed_forward: int = FEED_FORWARD
    vocabulary: int = len(PIECES) + SPARE_ROWS
    positions: int = POSITIONS
    token_types: int = TYPES
    epsilon: float = 1e-12
    block: int = 32
    pieces: tuple[bytes, ...] = tuple(piece.encode() for piece in PIECES)
    scores: tuple[float, ...] = SCORES
    specials: tuple[int, int, int, int] = (0, 2, 1, 3)
    count: int | None = None
    rename: dict[str, str] = field(default_factory=dict)
    move: dict[str, int] = field(default_factory=dict)
    trailing: bytes = b""

    def build(self) -> bytes:
        """Return the bytes of the container."""
        head = self._head()
        tensors = tiny_tensors()
        directory_bytes = 4 + sum(23 + len(self.rename.get(name, name)) for name in tensors)
        directory = bytearray(struct.pack("<i", self.count or len(tensors)))
        body = bytearray()
        start = len(head) + directory_bytes
        body += bytes(-start % 64)
        for name, (kind, weights, raw) in tensors.items():
            stored = self.rename.get(name, name).encode()
            offset = start + len(body) + self.move.get(name, 0)
            directory += struct.pack("<H", len(stored)) + stored
            directory += struct.pack("<BIQQ", kind, weights, offset, len(raw))
            body += raw
            body += bytes(-(start + len(body)) % 64)
        last = -len(raw) % 64
        return head + bytes(directory) + bytes(body[: len(body) - last]) + self.trailing

    def _head(self) -> bytes:
        sizes = struct.pack(
            "<7ifi",
            *(self.hidden, self.layers, self.heads, self.feed_forward),
            *(self.vocabulary, self.positions, self.token_types, self.epsilon, self.block),
        )
        blob = b"".join(self.pieces)
        ends = np.cumsum([0, *map(len, self.pieces)]).astype("<u4")
        tokenizer = struct.pack("<5iQ", len(self.pieces), *self.specials, len(blob))
        scores = np.array(self.scores, "<f4").tobytes()
        character_map = struct.pack("<iIIBI", 1, 9, 0xA0, 1, 0x20)
        version = struct.pack("<I", self.version)
        return (
            self.magic
            + version
            + sizes
            + tokenizer
            + ends.tobytes()
            + scores
            + blob
            + character_map
        )


def tiny_tensors() -> dict[str, tuple[int, int, bytes]]:
    """Return type, number of weights and bytes of each tensor, by the container's names."""
    random = np.random.default_rng(7)
    h, f = HIDDEN, FEED_FORWARD
    shapes: dict[str, tuple[int, ...]] = {
        "emb.word": (len(PIECES) + SPARE_ROWS, h),
        "emb.pos": (POSITIONS, h),
        "emb.type": (TYPES, h),
        "emb.ln.w": (h,),
        "emb.ln.b": (h,),
    }
    matrices = {"q": (h, h), "k": (h, h), "v": (h, h), "ao": (h, h), "fi": (f, h), "fo": (h, f)}
    for layer in range(LAYERS):
        for name, (rows, columns) in matrices.items():
            shapes[f"l{layer}.{name}.w"] = (rows, columns)
            shapes[f"l{layer}.{name}.b"] = (rows,)
        for name in ("aln", "oln"):
            shapes[f"l{layer}.{name}.w"] = shapes[f"l{layer}.{name}.b"] = (h,)

    tensors = {}
    for name, shape in shapes.items():
        weights = int(np.prod(shape))
        if len(shape) == 2 and name not in ("emb.pos", "emb.type"):
            raw = random.integers(0, 256, weights // 32 * 18, dtype=np.uint8).tobytes()
            tensors[name] = (Q4_0, weights, raw)
        else:
            raw = random.standard_normal(weights).astype("<f4").tobytes()
            tensors[name] = (FLOAT32, weights, raw)
    return tensors


NAMES = {
    "emb.word": "token_embd.weight",
    "emb.pos": "position_embd.weight",
    "emb.ln.b": "token_embd_norm.bias",
    "l0.q.w": "blk.0.attn_q.weight",
    "l0.ao.w": "blk.0.attn_output.weight",
    "l0.aln.w": "blk.0.attn_output_norm.weight",
    "l1.fi.w": "blk.1.ffn_up.weight",
    "l1.fo.b": "blk.1.ffn_down.bias",
    "l1.oln.b": "blk.1.layer_output_norm.bias",
}


def refusal(folder: Path, data: bytes) -> str:
    """Convert `data`, which must be refused and leave no file; return the sentence."""
    source, target = folder / "e5.bin", folder / "out" / "e5.gguf"
    source.write_bytes(data)
    with pytest.raises(IntegrityError) as caught:
        convert(source, target)
    assert not target.parent.exists() or not list(target.parent.iterdir())
    return str(caught.value)


def converted(folder: Path, data: bytes) -> Path:
    source, target = folder / "e5.bin", folder / "e5.gguf"
    source.write_bytes(data)
    convert(source, target)
    return target


def test_every_tensor_is_carried_as_it_is(tmp_path: Path) -> None:
    from gguf import GGUFReader

    written = {x.name: x for x in GGUFReader(converted(tmp_path, Tiny().build())).tensors}
    expected = tiny_tensors()
    assert len(written) == len(expected)
    for name, (kind, weights, raw) in expected.items():
        if name in NAMES:
            tensor = written[NAMES[name]]
            assert tensor.data.tobytes() == raw
            assert tensor.tensor_type.name == ("Q4_0" if kind else "F32")
            assert tensor.n_elements == weights


def test_no_tensor_is_lost_or_carried_twice(tmp_path: Path) -> None:
    from gguf import GGUFReader

    written = [x.data.tobytes() for x in GGUFReader(converted(tmp_path, Tiny().build())).tensors]
    assert sorted(written) == sorted(raw for _, _, raw in tiny_tensors().values())


def test_the_header_says_how_to_run_it(tmp_path: Path) -> None:
    from gguf import GGUFReader

    fields = GGUFReader(converted(tmp_path, Tiny().build())).fields
    values = {name: value.contents() for name, value in fields.items()}
    assert values["general.architecture"] == "bert"
    assert values["bert.context_length"] == 8
    assert values["bert.block_count"] == 2
    assert values["bert.pooling_type"] == 1
    assert values["bert.attention.causal"] is False
    assert values["bert.attention.layer_norm_epsilon"] == pytest.approx(1e-12)
    assert values["tokenizer.ggml.model"] == "t5"
    assert values["tokenizer.ggml.tokens"] == [*PIECES, "[PAD10]", "[PAD11]", "[PAD12]"]
    assert values["tokenizer.ggml.scores"] == [*SCORES, *[-10000.0] * SPARE_ROWS]
    assert values["tokenizer.ggml.token_type"] == [3, 3, 3, 2, 1, 1, 1, 1, 1, 3, 5, 5, 5]
    specials = [
        values[f"tokenizer.ggml.{x}_token_id"] for x in ("bos", "eos", "padding", "unknown")
    ]
    assert specials == [0, 2, 1, 3]


def test_same_container_same_bytes(tmp_path: Path) -> None:
    data = Tiny().build()
    hashes = set()
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        hashes.add(hashlib.sha256(converted(tmp_path / name, data).read_bytes()).hexdigest())
    # The model card records a hash: a new release of gguf that writes other bytes shows up here.
    assert hashes == {"0e40ef846f62ebd486d596a999e5f1d00fb83f7afe55a04ffba9962180aa3a56"}


def test_cut_short_anywhere_is_refused(tmp_path: Path) -> None:
    data = Tiny().build()
    for length in [*range(0, 700, 7), len(data) // 2, len(data) - 65, len(data) - 1]:
        assert "e5.bin" in refusal(tmp_path, data[:length])


def test_bytes_after_the_end_are_refused(tmp_path: Path) -> None:
    assert "follow" in refusal(tmp_path, Tiny(trailing=b"\0").build())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("magic", b"GGUF"),
        ("version", 2),
        ("hidden", 0),
        ("hidden", 65),
        ("hidden", 128),
        ("layers", -1),
        ("layers", 2**31 - 1),
        ("heads", 5),
        ("feed_forward", 2**31 - 32),
        ("vocabulary", 2**31 - 1),
        ("vocabulary", 4),
        ("positions", 0),
        ("epsilon", float("nan")),
        ("block", 64),
        ("specials", (0, 2, 1, 99)),
        ("specials", (-1, 2, 1, 3)),
        ("scores", (float("nan"), *SCORES[1:])),
        ("pieces", (b"\xff\xfe", *Tiny.pieces[1:])),
        ("pieces", (b"", *Tiny.pieces[1:])),
        ("count", 5),
        ("count", -1),
        ("count", 2**31 - 1),
        ("rename", {"l1.q.w": "l1.q.x"}),
        ("rename", {"l1.q.b": "l1.k.b"}),
        ("move", {"l0.v.w": 2**62}),
        ("move", {"l0.v.w": 64}),
        ("move", {"emb.word": -64}),
    ],
)
def test_impossible_headers_are_refused(tmp_path: Path, name: str, value: Any) -> None:
    refusal(tmp_path, replace(Tiny(), **{name: value}).build())


def test_piece_bytes_larger_than_memory_are_refused(tmp_path: Path) -> None:
    data = bytearray(Tiny().build())
    struct.pack_into("<Q", data, 64, 2**63)
    refusal(tmp_path, bytes(data))


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    source = tmp_path / "e5.bin"
    with source.open("wb") as file:
        file.write(Tiny().build())
        file.truncate((1 << 30) + 1)
    with pytest.raises(IntegrityError):
        convert(source, tmp_path / "e5.gguf")


@given(data=st.binary(max_size=600), promising=st.booleans())
def test_random_bytes_are_refused(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, promising: bool
) -> None:
    beginning = Tiny().build()[:44] if promising else b""
    refusal(tmp_path_factory.mktemp("random"), beginning + data)


@given(data=st.data())
def test_a_changed_header_byte_is_refused_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("changed")
    spoiled = bytearray(Tiny().build())
    position = data.draw(st.integers(0, 2000))
    spoiled[position] = data.draw(st.integers(0, 255))
    source = folder / "e5.bin"
    source.write_bytes(bytes(spoiled))
    try:
        convert(source, folder / "e5.gguf")
    except IntegrityError:
        assert [x.name for x in folder.iterdir()] == ["e5.bin"]


def test_a_refused_container_leaves_the_former_model(tmp_path: Path) -> None:
    target = converted(tmp_path, Tiny().build())
    before = target.read_bytes()
    (tmp_path / "e5.bin").write_bytes(replace(Tiny(), trailing=b"x").build())
    with pytest.raises(IntegrityError):
        convert(tmp_path / "e5.bin", target)
    assert target.read_bytes() == before


def test_the_refusal_speaks_french(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_SLM_LANG", "fr")
    assert "s’arrête trop tôt" in refusal(tmp_path, b"E5S1")
