"""A step in a process of its own: its answer, its errors, its death, and what it prints."""

from pathlib import Path

import msgspec
import pytest

from edge_slm.errors import CrashError, EdgeSlmError, UsageError
from edge_slm_quantize import apart
from edge_slm_quantize.records import Measured, Order
from tests.quantize.orders import SOURCE, an_order
from tests.quantize.tiny import tiny_gguf


@pytest.fixture
def order(tmp_path: Path) -> Order:
    path = tiny_gguf(tmp_path / "tiny.gguf")
    (tmp_path / "shared").mkdir()
    return an_order(tmp_path, source=msgspec.structs.replace(SOURCE, path=str(path)))


def test_a_step_makes_a_file_and_says_what_it_took(
    order: Order, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "made"
    folder.mkdir()
    made = apart.make(order, folder)
    assert (folder / made.artefact.path).stat().st_size == made.artefact.bytes > 0
    assert made.peak_bytes > 10_000_000 and made.cpu_seconds > 0
    assert made.artefact.call_seconds is not None and made.artefact.call_seconds <= made.seconds
    assert capfd.readouterr() == ("", "")  # libraries are talkative


def test_an_error_comes_back_as_what_it_was(order: Order, tmp_path: Path) -> None:
    source = msgspec.structs.replace(order.source, format="ctranslate2")
    with pytest.raises(UsageError, match="CTranslate2"):
        apart.make(msgspec.structs.replace(order, source=source), tmp_path)


def test_a_folder_that_is_gone_is_a_sentence(order: Order, tmp_path: Path) -> None:
    with pytest.raises(EdgeSlmError) as caught:
        apart.make(order, tmp_path / "gone")
    assert "Traceback" not in str(caught.value)


@pytest.mark.parametrize(("code", "said"), [(-9, "memory"), (-11, "-11")])
def test_a_death_is_a_sentence_that_says_how(
    order: Order, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, said: str
) -> None:
    monkeypatch.setattr(apart, "_wait", lambda *_: code)
    with pytest.raises(CrashError, match=said):
        apart.make(order, tmp_path)


def test_nothing_is_measured_of_a_source_that_no_engine_runs(order: Order) -> None:
    source = msgspec.structs.replace(order.source, format="gguf", task="speech")
    asked = msgspec.structs.replace(order, source=source, metrics=("wer",))
    assert apart.measure_source(asked) == Measured(values={})
