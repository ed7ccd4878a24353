"""Files that are whole or absent."""

import hashlib
from pathlib import Path

import pytest

from edge_slm.files import CHUNK_BYTES, replacing, sha256_of


def test_a_file_takes_its_place_when_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "réponse.txt"
    with replacing(path) as temporary:
        assert temporary.parent == path.parent
        temporary.write_text("whole", encoding="utf-8")
        assert not path.exists()
    assert path.read_text(encoding="utf-8") == "whole"
    assert list(path.parent.iterdir()) == [path]


def test_an_error_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "kept.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError, match="halfway"), replacing(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError("halfway")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_interruption_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), replacing(tmp_path / "a.txt"):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_a_block_may_take_the_temporary_file_away(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), replacing(tmp_path / "a.txt") as temporary:
        temporary.unlink()
    assert list(tmp_path.iterdir()) == []


def test_a_file_where_a_folder_should_be_is_an_os_error(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("I am a file")
    with pytest.raises(OSError), replacing(blocked / "a.txt"):
        pytest.fail("the block must not run")
    assert blocked.read_text() == "I am a file"


def test_a_folder_in_the_place_of_the_file_stays(tmp_path: Path) -> None:
    folder = tmp_path / "taken"
    (folder / "inside").mkdir(parents=True)
    with pytest.raises(OSError), replacing(folder) as temporary:
        temporary.write_text("x")
    assert (folder / "inside").is_dir()
    assert list(tmp_path.iterdir()) == [folder]


@pytest.mark.parametrize("length", [0, 1, CHUNK_BYTES, CHUNK_BYTES + 1])
def test_sha256_is_that_of_the_bytes(length: int, tmp_path: Path) -> None:
    data = b"\xe9" * length
    path = tmp_path / "data"
    path.write_bytes(data)
    read: list[int] = []
    assert sha256_of(path, read.append) == hashlib.sha256(data).hexdigest() == sha256_of(path)
    assert sum(read) == length


def test_the_hash_of_no_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        sha256_of(tmp_path / "absent")
