"""Writes the PDF, the DOCX and the ODT of the sample base from their sources in examples/sources.

Run it as `python examples/make_documents.py` in an environment that has the `examples` dependency
group. The sources are a small Markdown: headings of two levels, paragraphs, lists, tables and
`<!-- page -->` between pages. Two runs give the same bytes: dates are those of the sources.
It knows nothing of the knowledge base that later reads these files.
"""

import io
import re
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
AUTHOR = "Ville de Rivemont-sur-Loue"
PAGE_BREAK = "<!-- page -->"
ITEM = re.compile(r"(-|\d+\.) (.*)")


@dataclass(frozen=True)
class Block:
    """One block of a page: `kind` is title, heading, text, bullet, number or table.

    `rows` holds the table (header row first); the other kinds have one row of one cell.
    A numbered item carries its number in its text.
    """

    kind: str
    rows: tuple[tuple[str, ...], ...]

    @property
    def text(self) -> str:
        return self.rows[0][0]


@dataclass(frozen=True)
class Source:
    title: str
    date: datetime
    pages: tuple[tuple[Block, ...], ...]


def read_source(path: Path) -> Source:
    """Parse one source. Raises ValueError when its front matter lacks a title or a date."""
    _, front, body = path.read_text(encoding="utf-8").split("---\n", 2)
    fields = dict(line.split(": ", 1) for line in front.strip().splitlines())
    if not {"title", "date"} <= fields.keys():
        raise ValueError(f"{path}: the front matter must give a title and a date")
    date = datetime.fromisoformat(fields["date"]).replace(hour=9, tzinfo=UTC)
    pages = tuple(tuple(read_blocks(page)) for page in body.split(PAGE_BREAK))
    return Source(fields["title"].strip('"'), date, pages)


def read_blocks(page: str) -> list[Block]:
    blocks: list[Block] = []
    for chunk in re.split(r"\n\s*\n", page.strip()):
        lines = chunk.splitlines()
        if lines[0].startswith("|"):
            cells = [tuple(c.strip() for c in line.strip("|").split("|")) for line in lines]
            blocks.append(Block("table", (cells[0], *cells[2:])))
        elif ITEM.match(lines[0]):
            blocks.extend(read_item(line) for line in lines)
        else:
            level = len(chunk) - len(chunk.lstrip("#"))
            kind = ("text", "title", "heading")[level]
            blocks.append(Block(kind, ((chunk.lstrip("# "),),)))
    return blocks


def read_item(line: str) -> Block:
    match = ITEM.match(line)
    if match is None:
        raise ValueError(f"not a list item: {line!r}")
    mark, text = match.groups()
    if mark == "-":
        return Block("bullet", ((text,),))
    return Block("number", ((f"{mark} {text}",),))


def make_pdf(source: Source) -> bytes:
    """Render one A4 page for each page of the source.

    Raises ValueError when a page of the source does not fit on one sheet.
    """
    from fpdf import FPDF

    pdf = FPDF(format="A4")
    # WinAnsi holds all of French; the Latin-1 default lacks ’, œ and €.
    pdf.core_fonts_encoding = "windows-1252"
    pdf.set_creation_date(source.date)
    pdf.set_title(source.title)
    pdf.set_author(AUTHOR)
    pdf.set_lang("fr-FR")
    pdf.set_margins(22, 18, 22)
    pdf.set_auto_page_break(True, margin=16)
    for number, blocks in enumerate(source.pages, 1):
        pdf.add_page()
        for block in blocks:
            write_pdf_block(pdf, block)
        if pdf.page != number:
            raise ValueError(f"{source.title}: page {number} does not fit on one sheet")
    return bytes(pdf.output())


def write_pdf_block(pdf: Any, block: Block) -> None:
    style, size, before, indent = {
        "title": ("B", 17, 0, 0),
        "heading": ("B", 12, 3, 0),
        "text": ("", 10.5, 1, 0),
        "bullet": ("", 10.5, 0, 5),
        "number": ("", 10.5, 0, 5),
        "table": ("", 9.5, 2, 0),
    }[block.kind]
    pdf.ln(before)
    pdf.set_font("helvetica", style, size)
    if block.kind == "table":
        with pdf.table(line_height=6, text_align="LEFT") as table:
            for cells in block.rows:
                table.row(cells)
        pdf.ln(2)
        return
    pdf.set_x(pdf.l_margin + indent)
    text = f"– {block.text}" if block.kind == "bullet" else block.text
    pdf.multi_cell(0, size * 0.5, text, align="L", new_x="LMARGIN", new_y="NEXT")
    pdf.ln(1)


def make_docx(source: Source) -> bytes:
    """Render a Word document with an explicit page break between the pages of the source."""
    from docx import Document
    from docx.shared import Cm, Pt

    document = Document()
    sheet, spacing = document.sections[0], document.styles["Normal"].paragraph_format
    sheet.page_width, sheet.page_height = Cm(21), Cm(29.7)
    sheet.top_margin = sheet.bottom_margin = sheet.left_margin = sheet.right_margin = Cm(2)
    spacing.space_after, spacing.line_spacing = Pt(4), 1.0
    properties = document.core_properties
    properties.title, properties.author = source.title, AUTHOR
    properties.last_modified_by, properties.language = AUTHOR, "fr-FR"
    properties.comments = ""
    properties.created = properties.modified = source.date.replace(tzinfo=None)
    for number, blocks in enumerate(source.pages):
        if number:
            document.add_page_break()
        for block in blocks:
            write_docx_block(document, block)
    stream = io.BytesIO()
    document.save(stream)
    return freeze_zip(stream.getvalue(), source.date)


def write_docx_block(document: Any, block: Block) -> None:
    if block.kind == "table":
        table = document.add_table(0, len(block.rows[0]), style="Table Grid")
        for cells in block.rows:
            for cell, text in zip(table.add_row().cells, cells, strict=True):
                cell.text = text
        document.add_paragraph()
    elif block.kind in ("title", "heading"):
        document.add_heading(block.text, 1 if block.kind == "title" else 2)
    else:
        style = {"text": "Normal", "bullet": "List Bullet", "number": "Normal"}[block.kind]
        document.add_paragraph(block.text, style=style)


def make_odt(source: Source) -> bytes:
    """Render an OpenDocument text whose pages begin with a heading of style `NewPage`."""
    from odfdo import Document, Style

    document = Document("text")
    document.body.clear()
    document.meta.title = source.title
    document.meta.language = "fr-FR"
    document.meta.creation_date = document.meta.date = source.date.replace(tzinfo=None)
    document.meta.creator = document.meta.initial_creator = AUTHOR
    document.insert_style(
        Style(
            "paragraph",
            name="NewPage",
            parent_style="Heading_20_1",
            area="paragraph",
            **{"fo:break-before": "page"},
        ),
        automatic=True,
    )
    for number, blocks in enumerate(source.pages):
        for index, block in enumerate(blocks):
            style = "NewPage" if number and index == 0 else None
            document.body.append(odt_element(block, style))
    stream = io.BytesIO()
    document.save(stream)
    return freeze_zip(stream.getvalue(), source.date)


def odt_element(block: Block, style: str | None) -> Any:
    from odfdo import List, Paragraph, Row, Table

    if block.kind == "title":
        return odt_heading(1, block.text, style or "Heading_20_1")
    if block.kind == "heading":
        return odt_heading(2, block.text, "Heading_20_2")
    if block.kind == "bullet":
        return List([block.text])
    if block.kind != "table":
        return Paragraph(block.text)
    table = Table("Tableau")
    for cells in block.rows:
        row = Row()
        row.set_values(list(cells))
        table.append_row(row)
    return table


def odt_heading(level: int, text: str, style: str) -> Any:
    from odfdo import Header

    header = Header(level, text)
    # odfdo 3.27 takes a `style` argument here and leaves it aside.
    header.set_attribute("text:style-name", style)
    return header


def freeze_zip(data: bytes, date: datetime) -> bytes:
    """Give every member of a ZIP archive the same date, so that two runs give the same bytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w") as new:
        for member in old.infolist():
            info = zipfile.ZipInfo(member.filename, date.timetuple()[:6])
            # OpenDocument wants its `mimetype` first and stored; the order of members is kept.
            info.compress_type = member.compress_type
            new.writestr(info, old.read(member))
    return stream.getvalue()


MAKERS: dict[str, Callable[[Source], bytes]] = {
    "guide-accueil-agent.pdf": make_pdf,
    "reglement-teletravail.docx": make_docx,
    "charte-deplacements.odt": make_odt,
}


def main() -> None:
    for name, make in MAKERS.items():
        target = HERE / "rh" / name
        source = read_source(HERE / "sources" / f"{target.stem}.md")
        target.write_bytes(make(source))
        sys.stdout.write(f"{target.relative_to(HERE)}: {len(source.pages)} pages\n")


if __name__ == "__main__":
    main()
