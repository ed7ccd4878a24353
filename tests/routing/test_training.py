"""The script that makes the weights, on the utterances of our own writing."""

import importlib.util
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from edge_slm.routing.classifier import read, write
from edge_slm.routing.request import LEARNT
from tests.core.source_tree import ROOT

DATA = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="module")
def train() -> Iterator[ModuleType]:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("train", ROOT / "packaging/router/train.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(importlib.import_module("sys").modules, "train", module)
        spec.loader.exec_module(module)
        yield module


def test_our_utterances_have_every_label_in_both_languages(train: ModuleType) -> None:
    counts = Counter((row.label, row.lang) for row in train.own())
    assert set(counts) == {(label, lang) for label in LEARNT for lang in ("fr", "en")}
    assert min(counts.values()) >= 40
    assert not [row.text for row in train.own() if "{langue" in row.text or "\t" in row.text]


def test_the_same_rows_give_the_same_bytes(
    train: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train, "STEPS", 12)
    rows = list(train.own())[::9]
    for name in ("a", "b"):
        write(train.fit(rows), tmp_path / name)
    first, second = (tmp_path / f"{name}.npz" for name in ("a", "b"))
    assert first.read_bytes() == second.read_bytes()
    made = read(first)
    right = sum(
        max(p, key=lambda k: p[k]) == row.label
        for row in rows
        if (p := made.probabilities(row.text))
    )
    assert right > 0.8 * len(rows)


def test_no_sentence_of_others_is_among_our_utterances(train: ModuleType) -> None:
    if not DATA.is_dir():
        pytest.skip(f"the shared data is not beside this checkout: {DATA.name}")
    texts = {row.text for row in train.shared(DATA)}
    for path in (DATA / "safety").glob("*.jsonl"):
        texts |= {json.loads(line)["text"] for line in path.read_text("utf-8").splitlines()}
    others = {" ".join(text.lower().split()).strip(" .?!") for text in texts}
    ours = {" ".join(row.text.lower().split()).strip(" .?!") for row in train.own()}
    assert {text for text in ours & others if " " in text} == set()
