"""What is refused before a reader sees it, and in which words."""

import os
import re
from pathlib import Path

import pytest

from edge_slm.errors import UsageError
from edge_slm.kb.readers import SUPPORTED, read_documents, source

from .builders import read_one, texts, write


def test_the_supported_suffixes() -> None:
    expected = {".md", ".markdown", ".txt", ".html", ".htm", ".pdf", ".docx", ".odt", ".jsonl"}
    assert expected == SUPPORTED


def test_a_suffix_in_capitals_is_the_same_suffix(tmp_path: Path) -> None:
    assert texts(read_one(write(tmp_path, "NOTE.MD", "# T\n\nbonjour"))) == ["bonjour"]


@pytest.mark.parametrize("suffix", sorted(SUPPORTED))
def test_an_empty_file(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(UsageError, match=f"vide{suffix}.*is empty"):
        read_documents(write(tmp_path, f"vide{suffix}", b""))


@pytest.mark.parametrize("suffix", [".md", ".txt", ".html", ".jsonl"])
def test_blank_text(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(UsageError, match="no readable text"):
        list(read_documents(write(tmp_path, f"blanc{suffix}", " \n\n\t\n")))


@pytest.mark.parametrize("suffix", [".md", ".markdown", ".txt", ".htm", ".html", ".jsonl"])
def test_a_binary_file_under_a_text_suffix(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(UsageError, match="is not text"):
        list(read_documents(write(tmp_path, f"image{suffix}", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")))


def test_an_unknown_suffix_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read_documents(write(tmp_path, "tableau.xlsx", b"PK"))
    assert "tableau.xlsx" in str(caught.value)
    assert all(suffix in str(caught.value) for suffix in SUPPORTED)


def test_a_file_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"absent\.md.*does not exist"):
        read_documents(tmp_path / "absent.md")


def test_a_path_that_no_file_can_have(tmp_path: Path) -> None:
    for name in ("a\0b.md", "x" * 5000 + ".md"):
        with pytest.raises(UsageError, match="cannot be read"):
            read_documents(tmp_path / name)


def test_a_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a folder"):
        read_documents(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the platform has no named pipes")
def test_a_pipe_is_refused_rather_than_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "tube.md")
    with pytest.raises(UsageError, match="not a regular file"):
        read_documents(tmp_path / "tube.md")


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, "secret.md", "bonjour")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    # Permissions do not bind an administrator, who may run these tests.
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(UsageError, match=r"secret\.md.*may not be read"):
        read_documents(path)


def test_a_file_over_100_mb(tmp_path: Path) -> None:
    path = tmp_path / "gros.txt"
    with path.open("wb") as file:
        file.truncate(source.MAX_FILE_BYTES + 1)
    with pytest.raises(UsageError, match=re.escape("larger than 100.0 MB")):
        read_documents(path)


def test_a_file_that_grows_after_the_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, "grandit.txt", "0123456789")
    monkeypatch.setattr(source, "MAX_FILE_BYTES", 5)
    with pytest.raises(UsageError, match="larger than"):
        source.read_bytes(path)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("vide.md", b"", "« vide.md » est vide"),
        ("blanc.md", b"  ", "« blanc.md » ne contient aucun texte lisible"),
        ("x.rtf", b"x", "pas d'un format pris en charge"),
        ("x.md", b"\0", "n'est pas du texte"),
        ("x.pdf", b"%PDF-1.4\nx", "fichier PDF endommagé ou tronqué"),
        ("x.docx", b"x", "n'est pas un fichier DOCX"),
        ("x.odt", b"PK\x03\x04", "fichier ODT endommagé ou tronqué"),
        ("x.jsonl", b"{", "ligne 1 : ce n'est pas du JSON"),
    ],
)
def test_errors_in_french(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes, words: str
) -> None:
    monkeypatch.setenv("EDGE_SLM_LANG", "fr")
    with pytest.raises(UsageError, match=re.escape(words)):
        list(read_documents(write(tmp_path, name, content)))
