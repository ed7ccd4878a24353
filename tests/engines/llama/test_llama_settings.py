"""What autotune chose for a model: remembered, and forgotten when it makes no sense."""

import json
from pathlib import Path

import pytest

from edge_slm import machine
from edge_slm.engines import settings
from edge_slm.engines.settings import Settings

SHA = "ab" * 32
TUNED = Settings(threads=3, batch=256, flash_attention=False, kv_type="q8_0")


def _write(content: bytes) -> Path:
    path = settings.tuning_file()
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return path


def test_what_was_tuned_is_used() -> None:
    settings.remember(SHA, TUNED)
    assert Settings.for_model(SHA) == TUNED


def test_another_model_keeps_the_defaults() -> None:
    settings.remember(SHA, TUNED)
    assert Settings.for_model("cd" * 32) == Settings()


def test_two_models_are_remembered() -> None:
    settings.remember(SHA, TUNED)
    settings.remember("cd" * 32, Settings(threads=1))
    assert Settings.for_model(SHA) == TUNED
    assert Settings.for_model("cd" * 32) == Settings(threads=1)


def test_another_processor_is_tuned_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    settings.remember(SHA, TUNED)
    monkeypatch.setattr(settings, "cpu_name", lambda: "another")
    assert Settings.for_model(SHA) == Settings()


def test_no_file_means_the_defaults() -> None:
    assert Settings.for_model(SHA) == Settings()
    assert not settings.tuning_file().exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"\xff\xfe",
        b'{"a": 1}',
        b'{"a": {"context": "many"}}',
        b"\0" * 99,
    ],
)
def test_a_damaged_file_means_the_defaults_and_is_made_anew(content: bytes) -> None:
    path = _write(content)
    assert Settings.for_model(SHA) == Settings()
    settings.remember(SHA, TUNED)
    assert Settings.for_model(SHA) == TUNED
    assert json.loads(path.read_bytes()).keys() == {f"{SHA} {machine.cpu_name()}"}


def test_keys_of_a_later_version_are_passed_over() -> None:
    key = f"{SHA} {machine.cpu_name()}"
    _write(json.dumps({key: {"threads": 3, "warp": True}, "x": {}}).encode())
    assert Settings.for_model(SHA) == Settings(threads=3)


@pytest.mark.parametrize(
    "row",
    [
        {"context": 0},
        {"context": -1},
        {"context": 1 << 40},
        {"batch": 0},
        {"batch": 4},
        {"batch": 1 << 30},
        {"threads": -1},
        {"threads": 1 << 30},
        {"conversations": -1},
    ],
)
def test_numbers_that_would_end_the_process_are_not_used(row: dict[str, int]) -> None:
    key = f"{SHA} {machine.cpu_name()}"
    other = f"{'cd' * 32} {machine.cpu_name()}"
    _write(json.dumps({key: row, other: {"threads": 3}}).encode())
    assert Settings.for_model(SHA) == Settings()
    assert Settings.for_model("cd" * 32) == Settings(threads=3)


@pytest.mark.parametrize("row", [{"kv_type": "q2_k"}, {"batch": 1.5}, {"flash_attention": "yes"}])
def test_values_of_another_kind_are_not_used(row: dict[str, object]) -> None:
    _write(json.dumps({f"{SHA} {machine.cpu_name()}": row}).encode())
    assert Settings.for_model(SHA) == Settings()


def test_all_can_be_forgotten() -> None:
    assert not settings.forget()
    settings.remember(SHA, TUNED)
    assert settings.forget()
    assert Settings.for_model(SHA) == Settings()
    assert not settings.forget()


def test_no_thread_count_means_one_for_each_core() -> None:
    assert Settings().thread_count == machine.compute_threads()
    assert Settings(threads=5).thread_count == 5
