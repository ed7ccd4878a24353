"""Folders into a base: what can be read is added, the rest is said."""

import os
import sys
from pathlib import Path

import pytest

from edge_slm.errors import IntegrityError
from edge_slm.kb.base import KnowledgeBase
from edge_slm.kb.ingest import add_files, find_files, nothing_found
from tests.fakes import DIMENSIONS, FakeEmbedder
from tests.kb.samples import LEAVE, MEALS, REMOTE, check_whole


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two good files at two depths, among what is to be passed over."""
    folder = tmp_path / "docs"
    for name, text in {
        "b.md": f"# Congés\n\n{LEAVE}\n",
        "sub/a.txt": REMOTE,
        "rows.jsonl": '{"id": "1", "title": "T", "text": "Texte."}\n',
        ".hidden.md": MEALS,
        ".git/notes.md": MEALS,
        "sub/.cache/deep/notes.md": MEALS,
        "image.png": "not a document",
        "README": "no suffix",
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    (folder / "folder.md").mkdir()
    return folder


def test_a_folder_is_walked(folder: Path) -> None:
    assert find_files([folder]) == [folder / "b.md", folder / "sub" / "a.txt"]


def test_named_files_are_kept_whatever_they_are(folder: Path) -> None:
    named = [folder / name for name in ("rows.jsonl", ".hidden.md", "image.png", "absent.md")]
    assert find_files(named) == named


def test_a_file_named_twice_is_read_once(folder: Path) -> None:
    assert find_files([folder / "b.md", folder, folder / "b.md"]) == [
        folder / "b.md",
        folder / "sub" / "a.txt",
    ]


def test_a_hidden_folder_that_is_named_is_walked(folder: Path) -> None:
    assert find_files([folder / ".git"]) == [folder / ".git" / "notes.md"]


def test_an_empty_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "vide").mkdir()
    assert find_files([tmp_path / "vide"]) == []
    sentence = str(nothing_found([tmp_path / "vide"]))
    assert "vide" in sentence
    assert ".pdf" in sentence


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights")
def test_a_loop_of_links_ends(folder: Path) -> None:
    (folder / "sub" / "loop").symlink_to(folder)
    (folder / "dangling.md").symlink_to(folder / "nowhere")
    assert folder / "b.md" in find_files([folder])
    assert folder / "dangling.md" not in find_files([folder])


def test_the_report_counts(base: KnowledgeBase, embedder: FakeEmbedder, folder: Path) -> None:
    files = find_files([folder, folder / "rows.jsonl"])
    done: list[Path] = []
    report = add_files(base, embedder, files, access="interne", on_file=done.append)
    assert (report.added, report.unchanged, report.failed) == (["b.md", "a.txt", "1"], [], [])
    assert done == files
    assert {stored.access for stored in base.documents()} == {"interne"}
    again = add_files(base, embedder, files, access="interne")
    assert (again.added, again.unchanged) == ([], ["b.md", "a.txt", "1"])
    (folder / "b.md").write_text(f"# Congés\n\n{MEALS}\n", "utf-8")
    changed = add_files(base, embedder, files, access="interne")
    assert (changed.added, changed.unchanged) == (["b.md"], ["a.txt", "1"])


def test_what_cannot_be_read_is_said_and_the_rest_is_done(
    base: KnowledgeBase, embedder: FakeEmbedder, folder: Path
) -> None:
    (folder / "aa-empty.md").write_bytes(b"")
    (folder / "ab-broken.pdf").write_bytes(b"%PDF-1.7 broken")
    (folder / "ac-binary.txt").write_bytes(b"\0\1\2" * 100)
    (folder / "ad-broken.docx").write_bytes(b"PK\3\4 broken")
    files = [*find_files([folder]), folder / "image.png", folder / "absent.md"]
    said: list[str] = []
    report = add_files(base, embedder, files, on_error=said.append)
    assert report.added == ["b.md", "a.txt"]
    assert report.failed == said
    assert len(said) == 6
    for sentence, name in zip(
        said, ["empty.md", "broken.pdf", "binary.txt", "broken.docx", "png", "absent"], strict=True
    ):
        assert name in sentence
        assert "\n" not in sentence
    assert check_whole(base.path).keys() == {"b.md", "a.txt"}


def test_good_rows_before_a_bad_one_are_kept(
    base: KnowledgeBase, embedder: FakeEmbedder, tmp_path: Path
) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"id": "1", "title": "T", "text": "Texte."}\n{"id": \n', "utf-8")
    report = add_files(base, embedder, [rows])
    assert report.added == ["1"]
    assert len(report.failed) == 1
    assert "line 2" in report.failed[0]


def test_two_files_of_the_same_name_do_not_replace_each_other(
    base: KnowledgeBase, embedder: FakeEmbedder, tmp_path: Path
) -> None:
    for folder, text in (("paie", MEALS), ("rh", LEAVE)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "index.md").write_text(text, "utf-8")
    files = find_files([tmp_path / "paie", tmp_path / "rh"])
    for expected in ("added", "unchanged"):  # the second run finds what the first one left
        report = add_files(base, embedder, files)
        assert getattr(report, expected) == ["index.md"]
        assert len(report.failed) == 1
        assert "has the same name" in report.failed[0]
        assert base.page("index.md", 1) == MEALS


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_file_name_that_is_not_utf8(
    base: KnowledgeBase, embedder: FakeEmbedder, folder: Path
) -> None:
    Path(os.fsdecode(os.fsencode(folder) + b"/cong\xe9s.txt")).write_text(LEAVE, "utf-8")
    report = add_files(base, embedder, find_files([folder]))
    assert report.added == ["b.md", "a.txt"]
    assert report.failed == ["The name of cong?s.txt is not Unicode text: rename the file."]


def test_a_wrong_embedder_stops_at_once(base: KnowledgeBase, folder: Path) -> None:
    with pytest.raises(IntegrityError):
        add_files(base, FakeEmbedder(DIMENSIONS + 1), find_files([folder]))
    assert base.documents() == []
