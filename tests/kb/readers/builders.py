"""Small real files for the tests of the readers, built by hand."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from edge_slm.kb.documents import Document
from edge_slm.kb.readers import read_documents

_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_ODF = "urn:oasis:names:tc:opendocument:xmlns"
_O = " ".join(
    f'xmlns:{prefix}="{_ODF}:{name}:1.0"'
    for prefix, name in (
        ("office", "office"),
        ("text", "text"),
        ("table", "table"),
        ("style", "style"),
        ("fo", "xsl-fo-compatible"),
        ("svg", "svg-compatible"),
        ("draw", "drawing"),
        ("meta", "meta"),
    )
)
ODT_TYPE = "application/vnd.oasis.opendocument.text"


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read_one(path: Path) -> Document:
    (document,) = read_documents(path)
    return document


def texts(document: Document) -> list[str]:
    return [block.text for block in document.blocks]


def zipped(parts: Mapping[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def docx(body: str, styles: str = "", core: str = "", **parts: str) -> bytes:
    """Return a DOCX file; `core` holds elements such as <dc:title>."""
    everything = {
        "word/document.xml": f"<w:document {_W}><w:body>{body}</w:body></w:document>",
        "word/styles.xml": f"<w:styles {_W}>{styles}</w:styles>",
        "docProps/core.xml": f'<c xmlns:dc="d" xmlns:dcterms="t">{core}</c>',
        **parts,
    }
    return zipped(everything)


def p(text: str, style: str = "", properties: str = "") -> str:
    """Return a DOCX paragraph."""
    name = f'<w:pStyle w:val="{style}"/>' if style else ""
    return f"<w:p><w:pPr>{name}{properties}</w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"


def odt(body: str, automatic: str = "", common: str = "", meta: str = "") -> bytes:
    """Return an ODT file; `automatic` and `common` hold styles."""
    return zipped(
        {
            "mimetype": ODT_TYPE,
            "content.xml": f"<office:document-content {_O}><office:automatic-styles>{automatic}"
            f"</office:automatic-styles><office:body><office:text>{body}</office:text>"
            "</office:body></office:document-content>",
            "styles.xml": f"<office:document-styles {_O}><office:styles>{common}"
            "</office:styles></office:document-styles>",
            "meta.xml": f'<office:document-meta {_O} xmlns:dc="dc"><office:meta>{meta}'
            "</office:meta></office:document-meta>",
        }
    )


def pdf(pages: Sequence[Sequence[str | tuple[int, str]]], info: str = "") -> bytes:
    r"""Return a PDF file.

    A line is a text in 11 points, or (points, text); "" leaves a gap. `info` holds entries of the
    information dictionary, as "/Title (A title)".
    """
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for number, page in enumerate(pages):
        stream = _page_stream(page)
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {5 + 2 * number} 0 R "
            "/Resources << /Font << /F1 3 0 R >> >> >>".encode()
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
    objects.append(f"<< {info} >>".encode("cp1252"))
    return _pdf_file(objects)


def _page_stream(lines: Sequence[str | tuple[int, str]]) -> bytes:
    parts = ["BT"]
    y = 780
    for line in lines:
        points, text = line if isinstance(line, tuple) else (11, line)
        escaped = text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
        if text:
            parts.append(f"/F1 {points} Tf 1 0 0 1 60 {y} Tm ({escaped}) Tj")
        y -= points + 3
    return "\n".join([*parts, "ET"]).encode("cp1252")


def _pdf_file(objects: Sequence[bytes]) -> bytes:
    data = b"%PDF-1.4\n"
    offsets = []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(data)
    data += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    data += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    trailer = f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R /Info {len(objects)} 0 R >>\n"
    return data + trailer.encode() + b"startxref\n%d\n%%%%EOF\n" % start
