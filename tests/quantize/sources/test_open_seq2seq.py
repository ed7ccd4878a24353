"""Folders of Whisper and translation models, opened as the command does."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from edge_slm.cli import run
from edge_slm.errors import IntegrityError, UsageError
from edge_slm_quantize.sources.opening import open_source
from tests.quantize.ct2 import tiny_models

pytest.importorskip("ctranslate2", reason="the extra quantize is not installed")


@pytest.fixture(scope="module")
def whisper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.whisper(tmp_path_factory.mktemp("models") / "whisper-mini")


@pytest.fixture(scope="module")
def marian(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.marian(tmp_path_factory.mktemp("models") / "marian-mini")


def test_a_folder_says_what_it_is_for(whisper: Path, marian: Path) -> None:
    heard, written = open_source(str(whisper)), open_source(str(marian))
    assert (heard.task, heard.architecture, heard.context) == ("speech", "whisper", 64)
    assert (written.task, written.architecture) == ("translate", "marian")
    for source in (heard, written):
        assert source.format == "safetensors" and source.quantisation is None
        assert source.parameters > 10_000 and len(source.sha256) == 64


def test_another_tokenizer_is_another_source(marian: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(marian, tmp_path / marian.name)
    assert open_source(str(copy)).sha256 == open_source(str(marian)).sha256
    (copy / "source.spm").write_bytes((copy / "source.spm").read_bytes() + b"x")
    assert open_source(str(copy)).sha256 != open_source(str(marian)).sha256


def test_weights_that_are_no_numbers_or_cut_are_refused(whisper: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(whisper, tmp_path / "w")
    weights = copy / "model.safetensors"
    raw = weights.read_bytes()
    weights.write_bytes(raw[:-4] + np.float32("nan").tobytes())
    with pytest.raises(IntegrityError):
        open_source(str(copy))
    weights.write_bytes(raw[: len(raw) // 2])
    with pytest.raises(IntegrityError):
        open_source(str(copy))


def test_weights_that_are_quantised_already_are_refused(whisper: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(whisper, tmp_path / "w")
    header = json.dumps({"w": {"dtype": "I8", "shape": [4], "data_offsets": [0, 4]}}).encode()
    raw = len(header).to_bytes(8, "little") + header + b"\0" * 4
    (copy / "model.safetensors").write_bytes(raw)
    with pytest.raises(UsageError, match="no matrix of floats"):
        open_source(str(copy))


def test_only_pickles_are_refused(whisper: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(whisper, tmp_path / "w")
    (copy / "model.safetensors").rename(copy / "pytorch_model.bin")
    with pytest.raises(UsageError, match="can run code"):
        open_source(str(copy))


def test_a_translation_model_goes_through_the_whole_command(
    marian: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    arguments = ["--recipes", "ct2-int8,ct2-float16", "--gate", "chrf>=ref-50", "--sample", "2"]
    code = run(["quantize", str(marian), *arguments, "-o", str(out), "--json"])
    found = json.loads(capsys.readouterr().out)
    assert code == 0 and found["chosen"] == "ct2-int8"
    assert (out / "marian-mini-ct2-int8" / "model.bin").is_file()
    rows = {row["recipe"]: row for row in found["recipes"]}
    assert rows["ct2-int8"]["bytes"] < rows["ct2-float16"]["bytes"]
    assert "chrf" in found["reference"]["values"]
