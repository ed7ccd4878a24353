"""The store: whole or absent, each file once, the hash decides."""

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest

from edge_slm import sources
from edge_slm.cards import Card, PathSource
from edge_slm.errors import EdgeSlmError, IntegrityError, MissingError, UsageError
from edge_slm.store import Store

Make = Callable[..., Card]


def blobs(store: Store) -> list[str]:
    return sorted(path.name for path in (store.root / "blobs").glob("*"))


def test_a_pulled_model_is_there_once_and_a_second_pull_does_nothing(
    store: Store, path_card: Make
) -> None:
    card = path_card("one", {"a.bin": b"abc"})
    assert not store.installed("one")
    assert store.pull(card) is True
    assert store.pull(card) is False
    assert store.path("one").read_bytes() == b"abc"
    assert store.path("one").samefile(store.root / "blobs" / card.files[0].sha256)
    assert store.size("one") == 3
    assert not store.staging("one").exists()


def test_a_model_of_several_files_is_a_folder(store: Store, path_card: Make) -> None:
    store.pull(path_card("many", {"a.bin": b"abc", "b.json": b"{}"}))
    assert store.path("many").is_dir()
    assert (store.path("many") / "b.json").read_bytes() == b"{}"


def test_two_models_share_a_blob_and_removing_one_keeps_it(store: Store, path_card: Make) -> None:
    store.pull(path_card("one", {"a.bin": b"shared"}))
    store.pull(path_card("two", {"b.bin": b"shared", "c.bin": b"own"}))
    assert len(blobs(store)) == 2
    assert store.remove("two") == len(b"own")
    assert store.path("one").read_bytes() == b"shared"
    assert store.remove("one") == len(b"shared")
    assert blobs(store) == []
    assert store.models() == []


def test_a_shared_file_is_not_fetched_again(store: Store, path_card: Make, make_card: Make) -> None:
    store.pull(path_card("one", {"a.bin": b"shared"}))
    gone = make_card("two", {"b.bin": b"shared"}, PathSource("/nowhere/at/all"))
    assert store.pull(gone) is True


def test_copies_stand_in_for_links_where_there_are_none(
    store: Store, path_card: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", no_links)
    store.pull(path_card("one", {"a.bin": b"abc"}))
    assert store.path("one").read_bytes() == b"abc"


def test_a_wrong_hash_is_refused_and_leaves_nothing(store: Store, path_card: Make) -> None:
    card = path_card("bad", {"a.bin": b"abc"}, {"a.bin": b"abd"})
    with pytest.raises(IntegrityError, match="SHA-256"):
        store.pull(card)
    assert not list((store.root / "models").glob("*"))
    assert blobs(store) == []
    assert not store.staging("bad").exists()
    with pytest.raises(MissingError, match="edge-slm models pull bad"):
        store.path("bad")


def test_a_file_that_is_empty_or_too_long_is_refused(store: Store, path_card: Make) -> None:
    for name, data in (("empty", b""), ("long", b"abcd")):
        with pytest.raises(IntegrityError):
            store.pull(path_card(name, {"a.bin": b"abc"}, {"a.bin": data}))


def test_the_next_source_serves_when_the_first_fails(
    store: Store, path_card: Make, capsys: pytest.CaptureFixture[str], make_card: Make
) -> None:
    good = path_card("good", {"a.bin": b"abc"})
    card = make_card("two", {"a.bin": b"abc"}, PathSource("/nowhere"), *good.sources)
    assert store.pull(card) is True
    assert capsys.readouterr().err.count("two: path: /nowhere") == 1


def test_no_source_at_all_says_what_to_do(store: Store, make_card: Make) -> None:
    card = make_card("none", {"a.bin": b"abc"}, PathSource("/nowhere"))
    with pytest.raises(MissingError, match="edge-slm models import"):
        store.pull(card)


def test_path_sees_a_file_that_was_cut(store: Store, path_card: Make) -> None:
    card = path_card("one", {"a.bin": b"abc"})
    store.pull(card)
    store.path("one").write_bytes(b"ab")
    with pytest.raises(IntegrityError, match="edge-slm models pull one"):
        store.path("one")
    assert store.pull(card) is True
    assert store.path("one").read_bytes() == b"abc"


def test_verify_removes_what_differs_and_a_pull_mends_it(store: Store, path_card: Make) -> None:
    card = path_card("one", {"a.bin": b"abc", "b.bin": b"same"})
    store.pull(card)
    assert {result.state for result in store.verify(["one"])} == {"good"}
    (store.path("one") / "a.bin").write_bytes(b"abX")
    states = {result.file: result.state for result in store.verify(["one"])}
    assert states == {"a.bin": "differs", "b.bin": "good"}
    assert not store.installed("one")
    assert store.pull(card) is True
    assert {result.state for result in store.verify(["one"])} == {"good"}


def test_verify_and_remove_of_what_is_not_here(store: Store, path_card: Make) -> None:
    path_card("one", {"a.bin": b"abc"})
    with pytest.raises(MissingError):
        store.verify(["one"])
    assert store.remove("one") == 0
    with pytest.raises(UsageError):
        store.remove("nothing-like-it")


@pytest.mark.parametrize("data", [b"", b"{", b'{"id": 3}', b"\xff\x00"])
def test_a_damaged_manifest_is_a_model_that_is_not_here(
    store: Store, path_card: Make, data: bytes
) -> None:
    card = path_card("one", {"a.bin": b"abc"})
    store.pull(card)
    (store.root / "models" / "one" / "manifest.json").write_bytes(data)
    with pytest.raises(MissingError):
        store.path("one")
    assert store.pull(card) is True


def test_a_disk_too_small_is_known_before_anything_is_written(
    store: Store, path_card: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = path_card("one", {"a.bin": b"abc"})
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9, 8, 1))
    with pytest.raises(EdgeSlmError, match=r"100\.0 MB needed, 1 B free"):
        store.pull(card)
    assert not store.staging("one").exists()


def test_a_disk_that_fills_up_leaves_no_half_file(
    store: Store, path_card: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = path_card("one", {"a.bin": b"abc"})

    def full(file: IO[bytes]) -> object:
        yield file.read(1)
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("edge_slm.sources.path.chunks", full)
        with pytest.raises(EdgeSlmError, match=r"disk .* is full"):
            store.pull(card)
        assert list(store.staging("one").glob("*")) == []
        with pytest.raises(MissingError):
            store.path("one")
    assert store.pull(card) is True


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_device_is_the_same_sentence(tmp_path: Path) -> None:
    with (
        pytest.raises(EdgeSlmError, match="is full"),
        sources.disk_full_is_a_sentence(tmp_path),
        open("/dev/full", "wb", buffering=0) as file,  # noqa: PTH123
    ):
        file.write(b"x")


def test_an_interrupted_copy_leaves_nothing_and_goes_on(
    store: Store, path_card: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = path_card("one", {"a.bin": b"abc"})

    def interrupted(file: IO[bytes]) -> object:
        yield file.read(1)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("edge_slm.sources.path.chunks", interrupted)
        with pytest.raises(KeyboardInterrupt):
            store.pull(card)
    assert not store.installed("one")
    assert store.pull(card) is True


PULL = """
import sys
from edge_slm.cards import get_card
from edge_slm.store import Store
print(Store().pull(get_card("one")))
"""


def test_two_pulls_at_once_fetch_once(store: Store, path_card: Make) -> None:
    card = path_card("one", {"a.bin": b"abc" * 1000})
    with store.locked("one"):
        other = subprocess.Popen(
            [sys.executable, "-c", PULL], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert other.stderr is not None
        assert "waiting" in other.stderr.readline()
        # The lock is held by this very process: what it does inside is one pull.
        files = sources.fetch(card, card.sources[0], card.files, store.staging("one"))
        store._commit(
            card, {f.name: g.path for f, g in zip(card.files, files, strict=True)}, "path"
        )
    out, _ = other.communicate()
    assert out.strip() == "False"
    assert store.installed("one")
