"""Plain text: encodings, pages, title, lists, and the cleaning that every format shares."""

import codecs
import unicodedata
from pathlib import Path

import pytest

from edge_slm.kb.readers.cleaning import clean, iso_date

from .builders import read_one, texts, write

FRENCH = "Règlement\n\nL'été, les congés sont posés avant Noël : 25 €.\n"


@pytest.mark.parametrize(
    "data",
    [
        FRENCH.encode(),
        codecs.BOM_UTF8 + FRENCH.encode(),
        FRENCH.encode("utf-16"),
        codecs.BOM_UTF16_BE + FRENCH.encode("utf-16-be"),
        FRENCH.encode("cp1252"),
        FRENCH.replace("\n", "\r\n").encode(),
        FRENCH.replace("\n", "\r").encode(),
    ],
    ids=["utf-8", "bom", "utf-16-le", "utf-16-be", "cp1252", "crlf", "cr"],
)
def test_encodings(tmp_path: Path, data: bytes) -> None:
    document = read_one(write(tmp_path, "note.txt", data))
    assert document.title == "Règlement"
    assert texts(document) == ["L'été, les congés sont posés avant Noël : 25 €."]


def test_utf_8_cut_within_a_character_stays_utf_8(tmp_path: Path) -> None:
    document = read_one(write(tmp_path, "coupé.txt", "Congés payés à Évry, été".encode()[:-1]))
    assert texts(document) == ["Congés payés à Évry, ét"]


def test_a_form_feed_starts_a_page(tmp_path: Path) -> None:
    document = read_one(write(tmp_path, "note.txt", "Titre\n\nun\n\fdeux\n\n\f\ftrois"))
    assert [(block.text, block.page) for block in document.blocks] == [
        ("un", 1),
        ("deux", 2),
        ("trois", 4),
    ]


def test_a_long_first_line_is_no_title(tmp_path: Path) -> None:
    document = read_one(write(tmp_path, "note.txt", "mot " * 50))
    assert document.title == "note.txt"
    assert len(document.blocks) == 1


def test_a_text_of_one_line_is_title_and_text(tmp_path: Path) -> None:
    document = read_one(write(tmp_path, "note.txt", "Fermé le 14 juillet"))
    assert document.title == "Fermé le 14 juillet"
    assert texts(document) == ["Fermé le 14 juillet"]


def test_lines_are_joined_and_lists_kept(tmp_path: Path) -> None:
    text = "T\n\nLe dossier\ncomprend :\n- une carte\n  d'identité\n- un RIB\n\nFin.\n"
    document = read_one(write(tmp_path, "note.txt", text))
    assert texts(document) == ["Le dossier comprend :", "- une carte d'identité\n- un RIB", "Fin."]


def test_numbered_headings_are_sections(tmp_path: Path) -> None:
    text = "T\n\n1. Congés\n\n1.1 Durée\n\n25 jours.\n\n2. Paie\n\nLe 28.\n\n3. Fin\n"
    document = read_one(write(tmp_path, "note.txt", text))
    assert [(block.section, block.text) for block in document.blocks] == [
        ("1. Congés > 1.1 Durée", "25 jours."),
        ("2. Paie", "Le 28."),
        ("2. Paie", "3. Fin"),
    ]


def test_numbered_items_in_a_row_are_no_sections(tmp_path: Path) -> None:
    text = "T\n\n1. Remplir\n\n2. Signer\n\n3. Envoyer\n\nPuis attendre.\n"
    document = read_one(write(tmp_path, "note.txt", text))
    assert texts(document) == ["1. Remplir", "2. Signer", "3. Envoyer", "Puis attendre."]
    assert {block.section for block in document.blocks} == {""}


def test_clean() -> None:
    assert clean("a\u00a0b\u202fc  d\t\ne") == "a b c d e"
    assert clean("con\u00adgé\u200b") == "congé"
    assert clean("e\u0301te\u0301") == "été"
    assert clean("a\ud800b\x07c") == "abc"
    assert clean("ﬁn") == "fin"


def test_cleaning_twice_changes_nothing_and_gives_nfc() -> None:
    text = "e\u00ad\u0301 \u1e9b\u0323 ﬁ\u0301\u00a0Å"
    assert clean(clean(text)) == clean(text)
    assert unicodedata.is_normalized("NFC", clean(text))


def test_stacked_combining_marks_are_cut_before_they_cost_quadratic_time() -> None:
    assert len(clean("a" + "\u0315\u0300" * 1_000_000)) <= 102


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-03-01T10:00:00Z", "2024-03-01"),
        ("mis à jour le 1/3/2024", "2024-03-01"),
        ("31.12.2023", "2023-12-31"),
        ("2024-02-30", ""),
        ("0000-01-01", ""),
        ("hier", ""),
    ],
)
def test_iso_date(text: str, expected: str) -> None:
    assert iso_date(text) == expected
