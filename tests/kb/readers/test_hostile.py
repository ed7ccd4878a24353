"""Whatever the bytes, a reader yields documents or raises UsageError, and nothing else."""

import tempfile
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_slm.errors import UsageError
from edge_slm.kb.readers import SUPPORTED, read_documents

from .builders import docx, odt, p, pdf

GOOD = {
    ".pdf": pdf([["Titre", "", "un texte", "sur deux lignes"], ["deux"]], "/Title (T)"),
    ".docx": docx(p("Titre", "Titre1") + p("un texte") + p("deux")),
    ".odt": odt('<text:h text:outline-level="1">Titre</text:h><text:p>un texte</text:p>'),
    ".html": b"<h1>Titre</h1><p>un <b>texte</b><ul><li>a</ul><table><tr><td>b</table>",
    ".md": b"---\ntitle: T\n---\n# Titre\n\n- un\n- deux\n\n|a|\n|-|\n|b|\n\n<p>x</p>",
    ".jsonl": b'{"id": "a", "title": "T", "text": "un *mot*"}\n{"id": 2, "title": "U"}',
    ".txt": "Titre\n\nun été\n\f- a\n- b\n".encode(),
}


def read_or_refuse(data: bytes, suffix: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a{suffix}"
        path.write_bytes(data)
        try:
            documents = list(read_documents(path))
        except UsageError as error:
            assert f"a{suffix}" in str(error)
            return
    for document in documents:
        assert document.name and document.title and document.blocks
        for block in document.blocks:
            assert block.text.strip() and block.page >= 1
            assert unicodedata.is_normalized("NFC", block.text)
            block.text.encode()


@pytest.mark.parametrize("suffix", sorted(SUPPORTED))
@given(data=st.binary(max_size=400))
def test_random_bytes(suffix: str, data: bytes) -> None:
    read_or_refuse(data, suffix)


@pytest.mark.parametrize("suffix", [".md", ".html", ".txt"])
@given(text=st.text(max_size=300))
def test_random_text(suffix: str, text: str) -> None:
    read_or_refuse(text.encode("utf-8", errors="surrogatepass"), suffix)


@pytest.mark.parametrize("suffix", [".md", ".html"])
@given(pieces=st.lists(st.sampled_from(
    ["# ", "- ", "> ", "|", "\n", "---", "a", "**", "`", "<p>", "<table>", "<td>", "<li>", "<ul>",
     "</ul>", "<h2>", "</", "<!--", "[", "](", "&#0;", "&nbsp;", "  ", "1. ", "```", "<b>"]
), max_size=60))  # fmt: skip
def test_random_markup(suffix: str, pieces: list[str]) -> None:
    read_or_refuse("".join(pieces).encode(), suffix)


@pytest.mark.parametrize("suffix", sorted(GOOD))
@given(data=st.data())
def test_good_files_with_bytes_changed_or_cut(suffix: str, data: st.DataObject) -> None:
    content = bytearray(GOOD[suffix])
    changes = st.tuples(st.integers(0, len(content) - 1), st.integers(0, 255))
    for place, value in data.draw(st.lists(changes, max_size=6)):
        content[place] = value
    cut = data.draw(st.just(len(content)) | st.integers(0, len(content)))
    read_or_refuse(bytes(content[:cut]), suffix)
