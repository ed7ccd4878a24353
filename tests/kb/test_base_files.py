"""Files that are no bases, damaged bases, and disks that do not let a base be written."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from edge_slm.errors import EdgeSlmError, IntegrityError, UsageError
from edge_slm.kb import approvals
from edge_slm.kb.base import KnowledgeBase
from edge_slm.kb.search import search
from tests.fakes import DIMENSIONS, FakeEmbedder
from tests.kb.samples import LEAVE, check_whole, document, long_document


@pytest.mark.parametrize(
    "content",
    [b"", b"hello", b"\0" * 5000, b"SQLite format 3\0", b"SQLite format 3\0" + b"\xff" * 8000],
    ids=["empty", "text", "zeros", "header-only", "bad-header"],
)
def test_a_file_that_is_no_sqlite(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.db"
    path.write_bytes(content)
    with pytest.raises(IntegrityError, match="is not a knowledge base"):
        KnowledgeBase.open(path)
    assert path.read_bytes() == content


def test_a_folder_is_no_base(tmp_path: Path) -> None:
    (tmp_path / "x.db").mkdir()
    with pytest.raises(UsageError, match="There is no base"):
        KnowledgeBase.open(tmp_path / "x.db")


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE notes (text)",
        "CREATE TABLE meta (key, value)",
        "CREATE TABLE meta (one)",
        "CREATE TABLE meta (key, value, extra)",
    ],
)
def test_a_sqlite_file_of_another_kind(tmp_path: Path, statement: str) -> None:
    with closing(sqlite3.connect(tmp_path / "x.db")) as db:
        db.execute(statement)
    with pytest.raises(IntegrityError, match="is not a knowledge base"):
        KnowledgeBase.open(tmp_path / "x.db")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("version", "2"),
        ("version", ""),
        ("dimensions", "many"),
        ("dimensions", "0"),
        ("dimensions", "99999999999"),
    ],
)
def test_a_base_of_another_version_or_with_impossible_facts(
    base: KnowledgeBase, key: str, value: str
) -> None:
    with base.connection:
        base.connection.execute("UPDATE meta SET value = ? WHERE key = ?", (value, key))
    with pytest.raises(IntegrityError, match="is not a knowledge base"):
        KnowledgeBase.open(base.path)


@pytest.mark.parametrize("key", ["uuid", "embedder", "dimensions", "calibration"])
def test_a_base_with_a_missing_fact(base: KnowledgeBase, key: str) -> None:
    with base.connection:
        base.connection.execute("DELETE FROM meta WHERE key = ?", (key,))
    with pytest.raises(IntegrityError, match=key):
        KnowledgeBase.open(base.path)


@pytest.mark.parametrize("share", [0.02, 0.25, 0.5, 0.9, 0.999])
def test_a_truncated_base(base: KnowledgeBase, embedder: FakeEmbedder, share: float) -> None:
    base.add(long_document("a.md", "texte", 20), embedder)
    base.close()
    content = base.path.read_bytes()
    base.path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(IntegrityError, match="is not a knowledge base, or it is damaged"):
        KnowledgeBase.open(base.path)


def test_damage_inside_the_file_is_a_sentence(base: KnowledgeBase, embedder: FakeEmbedder) -> None:
    base.add(long_document("a.md", "texte", 30), embedder)
    base.close()
    content = bytearray(base.path.read_bytes())
    content[4096 * 8 :] = b"\xa5" * (len(content) - 4096 * 8)  # the first pages hold meta
    base.path.write_bytes(content)
    with KnowledgeBase.open(base.path) as opened:
        with pytest.raises(IntegrityError, match="damaged"):
            search(opened, embedder, "texte")
        with pytest.raises(IntegrityError, match="damaged"):
            opened.add(long_document("b.md", "autre", 3), embedder)


def test_vectors_of_another_length_inside_are_damage(
    base: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    base.add(document("a.md", LEAVE), embedder)
    with base.connection:
        base.connection.execute("UPDATE vectors SET vector = x'00112233'")
    with pytest.raises(IntegrityError, match="damaged"):
        search(base, embedder, "congés")


def test_a_read_only_base_can_be_searched_and_says_that_it_cannot_change(
    base: KnowledgeBase, embedder: FakeEmbedder
) -> None:
    base.add(document("a.md", LEAVE), embedder)
    connection = sqlite3.connect(f"{base.path.as_uri()}?mode=ro", uri=True)
    with KnowledgeBase(connection, base.path) as opened:
        assert search(opened, embedder, "congés").hits
        with pytest.raises(EdgeSlmError, match=r"cannot be used .*readonly"):
            opened.add(document("b.md", LEAVE), embedder)
        with pytest.raises(EdgeSlmError, match=r"cannot be used .*readonly"):
            opened.remove("a.md")
        with pytest.raises(EdgeSlmError, match=r"cannot be used .*readonly"):
            approvals.approve(opened, "Combien de congés ?", "25", None, "DRH")
        with pytest.raises(EdgeSlmError, match=r"cannot be used .*readonly"):
            approvals.withdraw(opened, 1)
    assert check_whole(base.path).keys() == {"a.md"}


def test_a_full_disk_leaves_the_base_as_it_was(base: KnowledgeBase, embedder: FakeEmbedder) -> None:
    base.add(long_document("a.md", "ancien", 2), embedder)
    (pages,) = base.connection.execute("PRAGMA page_count").fetchone()
    base.connection.execute(f"PRAGMA max_page_count = {pages + 1}")
    with pytest.raises(EdgeSlmError, match="The disk is full"):
        base.add(long_document("a.md", "nouveau", 50), embedder)
    assert check_whole(base.path) == {"a.md": {"ancien"}}


def test_a_locked_base_is_one_sentence(base: KnowledgeBase, embedder: FakeEmbedder) -> None:
    base.add(document("a.md", LEAVE), embedder)
    base.connection.execute("PRAGMA busy_timeout = 20")
    with closing(sqlite3.connect(base.path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(EdgeSlmError, match="Another program is changing the base"):
            base.add(document("b.md", LEAVE), embedder)
        with pytest.raises(EdgeSlmError, match="Another program is changing the base"):
            base.documents()
        with pytest.raises(EdgeSlmError, match="Another program is changing the base"):
            search(base, embedder, "congés")
        other.execute("ROLLBACK")
    assert base.add(document("b.md", LEAVE), embedder) is True


def test_a_base_locked_at_opening_is_not_called_damaged(
    base: KnowledgeBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_slm.kb.base.WAIT_SECONDS", 0.02)
    with closing(sqlite3.connect(base.path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(EdgeSlmError, match="Another program is changing the base"):
            KnowledgeBase.open(base.path)


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EdgeSlmError, match="cannot be used"):
        KnowledgeBase.create(tmp_path / "file" / "rh.db", "fake", DIMENSIONS)


def test_a_failed_creation_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: object) -> None:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    monkeypatch.setattr("edge_slm.kb.schema._tables", full)
    with pytest.raises(EdgeSlmError, match="The disk is full"):
        KnowledgeBase.create(tmp_path / "new" / "rh.db", "fake", DIMENSIONS)
    assert list((tmp_path / "new").iterdir()) == []


_AS_NOBODY = """
import os, sys
from pathlib import Path
from edge_slm.errors import EdgeSlmError
from edge_slm.kb.base import KnowledgeBase
from tests.fakes import DIMENSIONS, FakeEmbedder
from tests.kb.samples import document
folder, own = Path(sys.argv[1]), Path(sys.argv[2])
# All imports first: nobody may not be allowed to read the interpreter's own files.
with KnowledgeBase.create(own / "rh.db", "fake", DIMENSIONS) as base:
    base.add(document("a.md", "texte"), FakeEmbedder())
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)

def said(do):
    try:
        do()
    except EdgeSlmError as error:
        print(error)

said(lambda: KnowledgeBase.create(folder / "new.db", "fake", DIMENSIONS))
said(lambda: KnowledgeBase.open(folder / "secret.db"))
with KnowledgeBase.open(folder / "rh.db") as base:
    print(len(base.documents()))
    said(lambda: base.add(document("b.md", "texte"), FakeEmbedder()))
"""


@pytest.mark.skipif(os.name == "nt", reason="folders have no permission bits")
def test_a_folder_without_rights(
    base: KnowledgeBase, embedder: FakeEmbedder, tmp_path: Path
) -> None:
    base.add(document("a.md", LEAVE), embedder)
    folder = base.path.parent
    (folder / "secret.db").write_bytes(base.path.read_bytes())
    (folder / "secret.db").chmod(0)
    base.path.chmod(0o444)
    # The way there must be open to the user that the child becomes.
    opened = {parent: parent.stat().st_mode for parent in folder.parents}
    closed = [p for p, mode in opened.items() if not mode & 0o001 and os.access(p, os.W_OK)]
    for parent in closed:
        parent.chmod(opened[parent] | 0o011)
    folder.chmod(0o555)
    try:
        done = subprocess.run(
            [sys.executable, "-c", _AS_NOBODY, str(folder), str(tmp_path)],
            capture_output=True,
            text=True,
            cwd=Path(__file__).parents[2],
        )
    finally:
        folder.chmod(0o755)
        for parent in closed:
            parent.chmod(opened[parent])
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    assert len(lines) == 4
    assert "cannot be used" in lines[0]
    assert "Permission denied" in lines[0]
    assert "unable to open" in lines[1]
    assert lines[2] == "1"
    assert "readonly" in lines[3]
