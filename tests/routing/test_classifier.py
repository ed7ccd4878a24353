"""The classifier's table: shipped, read, damaged."""

import hashlib
import re
from pathlib import Path

import numpy as np
import pytest

from edge_slm.errors import IntegrityError
from edge_slm.routing import classifier
from edge_slm.routing.classifier import WEIGHTS, Classifier, read, shipped, write
from edge_slm.routing.features import BUCKETS
from edge_slm.routing.request import LEARNT

COUNT = len(LEARNT)


@pytest.fixture
def made() -> Classifier:
    """A table of zeros but for the bias."""
    table = np.zeros((BUCKETS, COUNT), np.int8)
    return Classifier(table, np.ones(COUNT, np.float32), np.arange(COUNT, dtype=np.float32))


def test_the_shipped_weights_are_those_that_their_note_tells_of() -> None:
    note = WEIGHTS.with_name("WEIGHTS.md").read_text("utf-8")
    told = re.search(r"\b[0-9a-f]{64}\b", note)
    assert told
    assert hashlib.sha256(WEIGHTS.read_bytes()).hexdigest() == told[0]
    assert WEIGHTS.stat().st_size < 1_000_000


@pytest.mark.parametrize("text", ["", "Combien de jours de congé ?", "\ud800", "x" * 4000])
def test_probabilities_sum_to_one(text: str) -> None:
    weighing = shipped()
    assert weighing
    found = weighing.probabilities(text)
    assert tuple(found) == LEARNT
    assert sum(found.values()) == pytest.approx(1)
    assert min(found.values()) >= 0


def test_what_is_written_is_read_again(made: Classifier, tmp_path: Path) -> None:
    path = tmp_path / "w.npz"
    write(made, path)
    again = read(path)
    assert again.probabilities("bonjour") == made.probabilities("bonjour")
    first = path.read_bytes()
    write(again, path)
    assert path.read_bytes() == first


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\0" * 999, b"\x93NUMPY", b"texte"])
def test_another_file_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "w.npz"
    path.write_bytes(content)
    with pytest.raises(IntegrityError, match="install edge-slm again"):
        read(path)


def test_an_absent_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.npz", tmp_path):
        with pytest.raises(IntegrityError):
            read(path)


def test_a_file_cut_or_changed_anywhere_is_refused(made: Classifier, tmp_path: Path) -> None:
    path = tmp_path / "w.npz"
    write(made, path)
    whole = path.read_bytes()
    for length in (1, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(IntegrityError):
            read(path)
    changed = bytearray(whole)
    changed[len(whole) // 2] ^= 0xFF
    path.write_bytes(bytes(changed))
    with pytest.raises(IntegrityError):
        read(path)


@pytest.mark.parametrize(
    "parts",
    [
        {"table": np.zeros((BUCKETS, COUNT + 1), np.int8)},
        {"table": np.zeros((BUCKETS, COUNT), np.float32)},
        {"scale": np.full(COUNT, np.nan, np.float32)},
        {"bias": np.array(["a"] * COUNT)},
        {"bias": np.float32(0)},
    ],
)
def test_a_table_of_another_shape_or_kind_is_refused(
    parts: dict[str, object], made: Classifier, tmp_path: Path
) -> None:
    path = tmp_path / "w.npz"
    held = {"table": made.table, "scale": made.scale, "bias": made.bias, **parts}
    np.savez(path, **held)  # type: ignore[arg-type]
    with pytest.raises(IntegrityError):
        read(path)


def test_damaged_weights_are_none_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classifier, "WEIGHTS", tmp_path / "absent.npz")
    classifier.shipped.cache_clear()
    assert shipped() is None
    monkeypatch.undo()
    classifier.shipped.cache_clear()
