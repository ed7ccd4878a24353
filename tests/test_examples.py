"""The sample base: its counts, its front matter, and that each answer stands where it is said to.

No model is needed. DOCX and ODT pages are read here with a few lines of their own, so that a
mistake of the product's readers cannot hide a mistake of the samples.
"""

import json
import re
import zipfile
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from edge_slm.kb.calibration import Calibration, decoded

EXAMPLES = Path(__file__).parent.parent / "examples"
RH = EXAMPLES / "rh"
WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
FO = "{urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0}"
ODF = "{urn:oasis:names:tc:opendocument:xmlns:%s:1.0}"
FRONT_MATTER = re.compile(
    r'---\ntitle: "[^"\n]+"\ndate: 2025-\d\d-\d\d\nservice: \S.*\nlicence: CC0-1\.0\n---\n\n# \S'
)

QUESTIONS: list[dict[str, Any]] = [
    json.loads(line) for line in (RH / "questions.jsonl").read_text(encoding="utf-8").splitlines()
]
ANSWERABLE = [row for row in QUESTIONS if row["answerable"]]
FICHES = sorted(RH.glob("*.md"))


def pdf_pages(path: Path) -> list[str]:
    from pypdf import PdfReader

    return [page.extract_text() for page in PdfReader(path).pages]


def docx_pages(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        root = ElementTree.fromstring(archive.read("word/document.xml"))
    pages = [""]
    for node in root.iter():
        if node.tag == f"{WORD}br" and node.get(f"{WORD}type") == "page":
            pages.append("")
        elif node.tag == f"{WORD}p":
            pages[-1] += "\n"
        elif node.tag == f"{WORD}t":
            pages[-1] += node.text or ""
    return pages


def odt_pages(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        root = ElementTree.fromstring(archive.read("content.xml"))
    breaking = {
        style.get(f"{ODF % 'style'}name")
        for style in root.iter(f"{ODF % 'style'}style")
        for properties in style
        if properties.get(f"{FO}break-before") == "page"
    }
    pages = [""]
    for node in root.iter():
        if node.tag in (f"{ODF % 'text'}p", f"{ODF % 'text'}h"):
            if node.get(f"{ODF % 'text'}style-name") in breaking:
                pages.append("")
            pages[-1] += "".join(node.itertext()) + "\n"
    return pages


READERS = {".pdf": pdf_pages, ".docx": docx_pages, ".odt": odt_pages}


@cache
def pages_of(name: str) -> tuple[str, ...]:
    path = RH / name
    if path.suffix == ".md":
        return (path.read_text(encoding="utf-8"),)
    return tuple(READERS[path.suffix](path))


def test_base_has_its_documents() -> None:
    assert len(FICHES) >= 31
    assert len(pages_of("guide-accueil-agent.pdf")) >= 6
    assert len(pages_of("reglement-teletravail.docx")) >= 2
    assert len(pages_of("charte-deplacements.odt")) >= 2


@pytest.mark.parametrize("path", FICHES, ids=lambda path: path.stem)
def test_fiche_has_front_matter_sections_and_a_fair_length(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert FRONT_MATTER.match(text)
    assert len(re.findall(r"^## ", text, re.MULTILINE)) >= 3
    body = text.split("---\n", 2)[2]
    assert 200 <= len(body.split()) <= 600


def test_questions_are_eighty_with_twenty_five_unanswerable() -> None:
    assert len(QUESTIONS) == 80
    assert len(ANSWERABLE) == 55
    assert len({row["id"] for row in QUESTIONS}) == 80
    assert len({row["question"] for row in QUESTIONS}) == 80


def test_every_document_is_asked_about() -> None:
    asked = {row["document"] for row in ANSWERABLE}
    beside = {"questions.jsonl", "follow_ups.jsonl", "approved.jsonl", "calibration.json"}
    assert asked == {path.name for path in RH.iterdir()} - beside


def test_the_calibration_of_the_sample_base_can_be_read() -> None:
    kept = decoded((RH / "calibration.json").read_text("utf-8"))
    assert kept != Calibration()
    assert kept.weights["cosine"] > 0


def test_questions_about_pdf_spread_over_pages() -> None:
    pages = {row["page"] for row in ANSWERABLE if row["document"].endswith(".pdf")}
    assert len(pages) >= 6


@pytest.mark.parametrize("row", ANSWERABLE, ids=lambda row: row["id"])
def test_answer_stands_on_its_page(row: dict[str, Any]) -> None:
    page = pages_of(row["document"])[row["page"] - 1]
    assert 1 <= len(row["must_appear"]) <= 3
    for words in row["must_appear"]:
        # Not within a longer number: "5" is not found in "25" nor in "5,40".
        found = re.search(rf"(?<![\w,]){re.escape(words)}(?!\w|,\d)", page)
        assert found, f"{words!r} is not on page {row['page']} of {row['document']}"


@pytest.mark.parametrize(
    "row", [row for row in QUESTIONS if not row["answerable"]], ids=lambda row: row["id"]
)
def test_unanswerable_question_names_no_document(row: dict[str, Any]) -> None:
    assert row.keys() == {"id", "question", "answerable"}


@pytest.mark.parametrize("name", sorted(p.name for p in RH.iterdir() if p.suffix in READERS))
def test_binary_document_holds_every_word_of_its_source(name: str) -> None:
    source = (EXAMPLES / "sources" / name).with_suffix(".md").read_text(encoding="utf-8")
    pages = source.split("---\n", 2)[2].split("<!-- page -->")
    assert len(pages) == len(pages_of(name))
    for expected, actual in zip(pages, pages_of(name), strict=True):
        missing = set(re.findall(r"\w+", expected)) - set(re.findall(r"\w+", actual))
        assert not missing


def test_only_the_paternity_fiche_answers_for_twins() -> None:
    others = [path for path in FICHES if path.stem != "conge-paternite"]
    texts = [path.read_text(encoding="utf-8") for path in others]
    texts += [
        page for path in RH.iterdir() if path.suffix in READERS for page in pages_of(path.name)
    ]
    assert not [text for text in texts if re.search(r"\b32 jours\b", text)]


@pytest.mark.parametrize("name", ["message", "question"])
def test_recording_is_flac_16_khz_mono(name: str) -> None:
    header = (EXAMPLES / "audio" / f"{name}.flac").read_bytes()[:42]
    assert header[:4] == b"fLaC"
    # STREAMINFO: 20 bits of rate, 3 of channels less one, 5 of depth less one, 36 of samples.
    packed = int.from_bytes(header[18:26], "big")
    assert packed >> 44 == 16_000
    assert (packed >> 41) & 7 == 0
    assert (EXAMPLES / "audio" / f"{name}.txt").read_text(encoding="utf-8").strip()
