"""PDF: pages, titles, paragraphs, headers, hyphens, and files that are broken or locked."""

import io
import warnings
from pathlib import Path

import pytest
from pypdf import PdfReader, PdfWriter

from edge_slm.errors import UsageError
from edge_slm.kb.readers.pdf_headings import SizedLine, headings_by_size, sized_lines
from edge_slm.kb.readers.pdf_lines import hyphen_joiner, with_gaps, without_recurring

from .builders import pdf, read_one, texts, write

BODY = [f"Cette ligne numéro {n} porte assez de lettres pour compter comme du corps" for n in "abc"]


def test_pages_title_and_date(tmp_path: Path) -> None:
    info = "/Title (Le titre) /CreationDate (D:20240102030405Z)"
    document = read_one(write(tmp_path, "a.pdf", pdf([["un"], [], ["trois (3)"]], info)))
    assert (document.title, document.date) == ("Le titre", "2024-01-02")
    assert [(block.page, block.text) for block in document.blocks] == [(1, "un"), (3, "trois (3)")]


def test_the_first_line_is_the_title_without_metadata(tmp_path: Path) -> None:
    document = read_one(write(tmp_path, "a.pdf", pdf([["Règlement", "", "Les agents badgent."]])))
    assert document.title == "Règlement"
    assert texts(document) == ["Les agents badgent."]


def test_gaps_part_paragraphs_and_hyphens_are_joined(tmp_path: Path) -> None:
    page = ["T", "", "Le con-", "gé est peut-", "être accordé", "", "Autre chose"]
    document = read_one(write(tmp_path, "a.pdf", pdf([page])))
    assert texts(document) == ["Le congé est peut-être accordé", "Autre chose"]


def test_lists(tmp_path: Path) -> None:
    page = ["T", "", "Il faut une pièce :", "- une carte", "- un RIB"]
    document = read_one(write(tmp_path, "a.pdf", pdf([page])))
    assert texts(document) == ["Il faut une pièce :", "- une carte\n- un RIB"]


def test_larger_letters_make_title_and_sections(tmp_path: Path) -> None:
    pages: list[list[str | tuple[int, str]]] = [
        [(24, "Guide"), "", (16, "Horaires"), "", *BODY, "", (13, "Badge"), "", *BODY],
        [(16, "Repas"), "", *BODY],
    ]
    document = read_one(write(tmp_path, "a.pdf", pdf(pages, "/Title (Guide de la ville)")))
    assert document.title == "Guide de la ville"
    assert [(block.page, block.section) for block in document.blocks] == [
        (1, "Horaires"),
        (1, "Horaires > Badge"),
        (2, "Repas"),
    ]


def test_bookmarks_make_sections(tmp_path: Path) -> None:
    writer = PdfWriter(PdfReader(io.BytesIO(pdf([["T", "", "Paie", *BODY], ["Congés", *BODY]]))))
    parent = writer.add_outline_item(title="Paie", page_number=0)
    writer.add_outline_item(title="Congés", page_number=1, parent=parent)
    buffer = io.BytesIO()
    writer.write(buffer)
    document = read_one(write(tmp_path, "a.pdf", buffer.getvalue()))
    assert [block.section for block in document.blocks] == ["Paie", "Paie > Congés"]


def test_running_headers_and_page_numbers_are_dropped(tmp_path: Path) -> None:
    pages = [["Ville de Rivemont", "", f"texte {word}", "", f"Page {n} sur 4"]
             for n, word in enumerate(["un", "deux", "trois", "quatre"], start=1)]  # fmt: skip
    document = read_one(write(tmp_path, "a.pdf", pdf(pages)))
    assert texts(document) == ["texte un", "texte deux", "texte trois", "texte quatre"]


def test_what_recurs_stays_when_nothing_else_is_left() -> None:
    assert without_recurring([["Fermé"]] * 5) == [["Fermé"]] * 5


def test_two_pages_tell_no_header() -> None:
    assert without_recurring([["A", "b"], ["A", "c"]]) == [["A", "b"], ["A", "c"]]


@pytest.mark.parametrize(
    ("lines", "document", "expected"),
    [
        (["con-", "gé"], "", "congé"),
        (["peut-", "être"], "", "peut-être"),
        (["c'est-à-", "dire"], "", "c'est-à-dire"),
        (["Île-de-", "France"], "", "Île-de-France"),
        (["2024-", "2025"], "", "2024-2025"),
        (["porte-", "monnaie"], "un porte-monnaie", "porte-monnaie"),
        (["sous-", "traitance"], "la soustraitance", "soustraitance"),
        (["con\u00ad", "gé"], "", "congé"),
        (["un -", "deux"], "", "un - deux"),
        (["", "a", "", "b"], "", "a b"),
    ],
)
def test_hyphens(lines: list[str], document: str, expected: str) -> None:
    assert hyphen_joiner(document)(lines) == expected


def test_a_sentence_that_ends_before_the_margin_ends_its_paragraph() -> None:
    lines = ["x" * 40, "Fin.", "y" * 40, "suite"]
    assert with_gaps(lines, []) == ["x" * 40, "Fin.", "", "y" * 40, "suite"]


def test_sized_lines_join_pieces() -> None:
    assert sized_lines([("Ti", 18.0), ("tre\nle", 12.0), (" corps", 12.0)]) == [
        SizedLine("Titre", 18.0),
        SizedLine("le corps", 12.0),
    ]


def test_a_poster_has_no_headings_by_size() -> None:
    lines = [SizedLine("A", 40.0), SizedLine("B", 30.0), SizedLine("corps du texte", 10.0)]
    assert headings_by_size([lines]) == ("", {})
    assert headings_by_size([[], []]) == ("", {})


def locked(user: str, owner: str) -> bytes:
    writer = PdfWriter(PdfReader(io.BytesIO(pdf([["secret de polichinelle"]]))))
    writer.encrypt(user, owner, algorithm="RC4-128")
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def test_a_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, "a.pdf", locked("mot de passe", "maître"))
    with pytest.raises(UsageError, match=r"a\.pdf.*protected by a password"):
        read_one(path)
    monkeypatch.setenv("EDGE_SLM_LANG", "fr")
    with pytest.raises(UsageError, match="protégé par un mot de passe"):
        read_one(path)


def test_an_empty_password_opens(tmp_path: Path) -> None:
    assert texts(read_one(write(tmp_path, "a.pdf", locked("", "maître")))) == [
        "secret de polichinelle"
    ]


def test_a_scan_needs_ocr(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"a\.pdf.*without text.*OCR"):
        read_one(write(tmp_path, "a.pdf", pdf([[], []])))


@pytest.mark.parametrize("kept", [5, 20, 200, 600, -30, -8])
def test_a_truncated_file(tmp_path: Path, kept: int) -> None:
    whole = pdf([["un texte", "sur deux lignes"]])
    with pytest.raises(UsageError, match="damaged or truncated PDF"):
        read_one(write(tmp_path, "a.pdf", whole[:kept]))


def test_a_page_tree_that_is_a_circle(tmp_path: Path) -> None:
    data = pdf([["un"]]).replace(b"/Kids [4 0 R]", b"/Kids [2 0 R]")
    with pytest.raises(UsageError):
        read_one(write(tmp_path, "a.pdf", data))


def test_nothing_is_written_on_standard_error(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    odd = pdf([["un texte"]]).replace(b"0000000000 65535 f", b"0000000009 65535 f")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for data in (odd, odd.replace(b"startxref\n", b"startxref\n9")):
            try:
                read_one(write(tmp_path, "a.pdf", data))
            except UsageError:
                continue
    assert capfd.readouterr().err == ""
