"""DOCX: styles, lists, tables, pages, title."""

from pathlib import Path

import pytest

from .builders import docx, p, read_one, texts, write

STYLES = """
<w:style w:styleId="Titre1"><w:name w:val="heading 1"/></w:style>
<w:style w:styleId="Titre2"><w:name w:val="heading 2"/></w:style>
<w:style w:styleId="Chapitre"><w:name w:val="Chapitre maison"/><w:basedOn w:val="Titre1"/>
<w:pPr><w:pageBreakBefore/></w:pPr></w:style>
<w:style w:styleId="Plan"><w:name w:val="Plan"/><w:pPr><w:outlineLvl w:val="1"/></w:pPr></w:style>
<w:style w:styleId="Titre"><w:name w:val="Title"/></w:style>
<w:style w:styleId="TM1"><w:name w:val="toc 1"/></w:style>
<w:style w:styleId="Puce"><w:name w:val="Puce"/><w:pPr><w:numPr><w:numId w:val="3"/></w:numPr>
</w:pPr></w:style>"""
ITEM = '<w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr>'
BREAK = '<w:p><w:r><w:br w:type="page"/></w:r></w:p>'
LAID_OUT = "<w:lastRenderedPageBreak/>"


def cell(*paragraphs: str) -> str:
    return "<w:tc>" + "".join(p(text) for text in paragraphs) + "</w:tc>"


def test_structure(tmp_path: Path) -> None:
    body = (
        p("Le règlement", "Titre")
        + p("Sommaire.....3", "TM1")
        + p("Préambule.")
        + p("Congés", "Titre1")
        + p("Durée", "Titre2")
        + p("un", properties=ITEM)
        + p("deux", "Puce")
        + f"<w:tbl><w:tr>{cell('Quotité')}{cell('Jours', 'ouvrés')}</w:tr>"
        f"<w:tr>{cell('100 %')}{cell('25')}</w:tr></w:tbl>"
        + p("Paie", "Chapitre")
        + p("Prime", "Plan")
        + p("Le 28.")
        + p("pas une puce", properties='<w:numPr><w:numId w:val="0"/></w:numPr>')
    )
    core = (
        "<dc:title>Règlement 2024</dc:title>"
        "<dcterms:modified>2024-05-06T07:00:00Z</dcterms:modified>"
    )
    document = read_one(write(tmp_path, "a.docx", docx(body, STYLES, core)))
    assert (document.title, document.date) == ("Règlement 2024", "2024-05-06")
    assert [(block.page, block.section, block.text) for block in document.blocks] == [
        (1, "", "Préambule."),
        (1, "Congés > Durée", "- un\n- deux"),
        (1, "Congés > Durée", "Quotité | Jours ouvrés\n100 % | 25"),
        (2, "Paie > Prime", "Le 28."),
        (2, "Paie > Prime", "pas une puce"),
    ]


@pytest.mark.parametrize("style", ["Titre1", "Heading1", "heading 1", "Titre 1"])
def test_heading_styles_without_a_styles_part(tmp_path: Path, style: str) -> None:
    body = p("Congés", style) + p("25") + p("Paie", style) + p("28")
    document = read_one(write(tmp_path, "a.docx", docx(body)))
    assert [block.section for block in document.blocks] == ["Congés", "Paie"]
    assert document.title == "a.docx"


def test_the_only_first_heading_1_is_the_title(tmp_path: Path) -> None:
    body = p("Congés", "Titre1") + p("25") + p("Report", "Titre2") + p("Non")
    document = read_one(write(tmp_path, "a.docx", docx(body)))
    assert document.title == "Congés"
    assert [block.section for block in document.blocks] == ["", "Report"]


@pytest.mark.parametrize(
    ("between", "page"),
    [
        (BREAK, 2),
        (BREAK + BREAK, 3),
        (f"<w:p><w:r>{LAID_OUT}</w:r></w:p>", 2),
        (BREAK + f"<w:p><w:r>{LAID_OUT}</w:r></w:p>", 2),
        ("<w:p><w:pPr><w:sectPr/></w:pPr></w:p>", 2),
        ('<w:p><w:pPr><w:sectPr><w:type w:val="continuous"/></w:sectPr></w:pPr></w:p>', 1),
        (p(" ", properties="<w:pageBreakBefore/>"), 2),
        (p(" ", properties='<w:pageBreakBefore w:val="0"/>'), 1),
        (f"<w:p><w:r>{LAID_OUT}<w:drawing/>{LAID_OUT}</w:r></w:p>", 3),
    ],
    ids=["typed", "two", "laid out", "typed then laid out", "section", "continuous", "before",
         "not before", "picture page"],
)  # fmt: skip
def test_pages(tmp_path: Path, between: str, page: int) -> None:
    document = read_one(write(tmp_path, "a.docx", docx(p("un") + between + p("deux"))))
    assert [(block.text, block.page) for block in document.blocks] == [("un", 1), ("deux", page)]


def test_a_paragraph_is_on_the_page_where_it_begins(tmp_path: Path) -> None:
    run = f"<w:p><w:r><w:t>un </w:t>{LAID_OUT}<w:t>deux</w:t></w:r></w:p>"
    document = read_one(write(tmp_path, "a.docx", docx(run + p("trois"))))
    assert [(block.text, block.page) for block in document.blocks] == [("un deux", 1), ("trois", 2)]


def test_a_table_over_two_pages(tmp_path: Path) -> None:
    second = f"<w:tc><w:p><w:r>{LAID_OUT}<w:t>b</w:t></w:r></w:p></w:tc>"
    table = f"<w:tbl><w:tr>{cell('a')}</w:tr><w:tr>{second}</w:tr></w:tbl>"
    document = read_one(write(tmp_path, "a.docx", docx(table)))
    assert [(block.text, block.page) for block in document.blocks] == [("a", 1), ("b", 2)]


def test_runs_tabs_revisions_and_text_boxes(tmp_path: Path) -> None:
    body = (
        "<w:p><w:pPr><w:tabs><w:tab/></w:tabs></w:pPr><w:r><w:t>con</w:t></w:r>"
        "<w:r><w:t>gé</w:t><w:tab/><w:t>an</w:t><w:noBreakHyphen/><w:t>nuel</w:t><w:br/></w:r>"
        "<w:ins><w:r><w:t>ajouté</w:t></w:r></w:ins>"
        "<w:del><w:r><w:delText>retiré</w:delText><w:t>retiré</w:t></w:r></w:del>"
        "<w:r><w:instrText>PAGE</w:instrText></w:r><w:hyperlink><w:r><w:t> lien</w:t></w:r>"
        "</w:hyperlink></w:p><w:sdt><w:sdtPr/><w:sdtContent>"
        + p("champ")
        + "</w:sdtContent></w:sdt>"
        '<w:p><w:r><m:AlternateContent xmlns:m="m"><m:Choice><w:txbxContent>'
        + p("boîte")
        + p("deux")
        + "</w:txbxContent></m:Choice><m:Fallback>"
        + p("boîte")
        + "</m:Fallback></m:AlternateContent></w:r></w:p>"
    )
    document = read_one(write(tmp_path, "a.docx", docx(body)))
    assert texts(document) == ["congé an-nuel ajouté lien", "champ", "boîte deux"]


def test_the_main_part_is_found_by_its_relation(tmp_path: Path) -> None:
    parts = {
        "_rels/.rels": '<r><a Type="http://x/officeDocument" Target="/word/d2.xml"/></r>',
        "word/d2.xml": '<d xmlns:w="w"><w:body>' + p("ici") + "</w:body></d>",
    }
    assert texts(read_one(write(tmp_path, "a.docx", docx(p("pas là"), **parts)))) == ["ici"]
