"""DOCX and ODT files that are broken, locked or hostile."""

import zipfile
from pathlib import Path

import pytest

from edge_slm.errors import UsageError
from edge_slm.kb.readers import archive

from .builders import ODT_TYPE, docx, odt, p, read_one, write, zipped

SUFFIXES = pytest.mark.parametrize("suffix", [".docx", ".odt"])
MAIN = {".docx": "word/document.xml", ".odt": "content.xml"}
GOOD = {".docx": docx(p("bonjour " * 500)), ".odt": odt("<text:p>bonjour</text:p>" * 500)}
BOMB = """<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbbbbbbbb">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><a>&c;</a>"""


@SUFFIXES
def test_not_an_archive(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(UsageError, match=rf"a\{suffix}.*is not a"):
        read_one(write(tmp_path, f"a{suffix}", b"bonjour"))


@SUFFIXES
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_truncated(tmp_path: Path, suffix: str, share: float) -> None:
    data = GOOD[suffix]
    with pytest.raises(UsageError, match="damaged or truncated"):
        read_one(write(tmp_path, f"a{suffix}", data[: int(len(data) * share)]))


@SUFFIXES
def test_a_byte_changed_within_a_part(tmp_path: Path, suffix: str) -> None:
    part = MAIN[suffix]
    data = bytearray(GOOD[suffix])
    at = data.index(part.encode()) + len(part) + 20
    data[at : at + 8] = b"\xff" * 8
    with pytest.raises(UsageError, match="damaged or truncated"):
        read_one(write(tmp_path, f"a{suffix}", bytes(data)))


@SUFFIXES
def test_an_archive_of_something_else(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(UsageError, match="is not a"):
        read_one(write(tmp_path, f"a{suffix}", zipped({"lisez-moi.txt": "bonjour"})))


def test_each_under_the_suffix_of_the_other_or_of_a_spreadsheet(tmp_path: Path) -> None:
    sheet = zipped({"mimetype": ODT_TYPE.replace("text", "spreadsheet"), "content.xml": "<a/>"})
    for name, data in (("a.docx", GOOD[".odt"]), ("a.odt", GOOD[".docx"]), ("b.odt", sheet)):
        with pytest.raises(UsageError, match="is not a"):
            read_one(write(tmp_path, name, data))


@SUFFIXES
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_doctype_is_refused(tmp_path: Path, suffix: str, encoding: str) -> None:
    data = zipped({MAIN[suffix]: BOMB.encode(encoding)})
    with pytest.raises(UsageError, match="document type declaration"):
        read_one(write(tmp_path, f"a{suffix}", data))


@SUFFIXES
@pytest.mark.parametrize(
    "xml", [b"", b"<a>", b"\xff\xfe", b"<?xml version='1.0' encoding='x'?><a/>"]
)
def test_a_part_that_is_not_xml(tmp_path: Path, suffix: str, xml: bytes) -> None:
    with pytest.raises(UsageError, match="damaged or truncated"):
        read_one(write(tmp_path, f"a{suffix}", zipped({MAIN[suffix]: xml})))


@SUFFIXES
@pytest.mark.parametrize("lies", [False, True], ids=["declared", "undeclared"])
def test_a_zip_bomb(
    tmp_path: Path, suffix: str, lies: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "MAX_PART_BYTES", 10**6)
    data = zipped({MAIN[suffix]: b" " * 5_000_000})
    if lies:
        data = data.replace((5_000_000).to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    with pytest.raises(UsageError, match=r"unpacks to more than|damaged"):
        read_one(write(tmp_path, f"a{suffix}", data))


@SUFFIXES
def test_a_compression_that_unpacks_without_bound(tmp_path: Path, suffix: str) -> None:
    data = zipped({MAIN[suffix]: "<a/>"}, zipfile.ZIP_LZMA)
    with pytest.raises(UsageError, match="damaged"):
        read_one(write(tmp_path, f"a{suffix}", data))


@SUFFIXES
def test_an_encrypted_part(tmp_path: Path, suffix: str) -> None:
    data = bytearray(zipped({MAIN[suffix]: "<a/>"}))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(UsageError, match="protected by a password"):
        read_one(write(tmp_path, f"a{suffix}", bytes(data)))


def test_encrypted_office_files(tmp_path: Path) -> None:
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600
    locked = ole + "EncryptedPackage".encode("utf-16-le")
    with pytest.raises(UsageError, match="protected by a password"):
        read_one(write(tmp_path, "a.docx", locked))
    with pytest.raises(UsageError, match="is not a DOCX file"):
        read_one(write(tmp_path, "ancien.docx", ole))


@pytest.mark.parametrize(
    "parts",
    [
        {"META-INF/manifest.xml": "<m><file-entry><encryption-data/></file-entry></m>"},
        {"encrypted-package": b"\x01\x02"},
    ],
)
def test_encrypted_odt(tmp_path: Path, parts: dict[str, str | bytes]) -> None:
    data = zipped({"mimetype": ODT_TYPE, "content.xml": b"\x93\x12", **parts})
    with pytest.raises(UsageError, match=r"a\.odt.*protected by a password"):
        read_one(write(tmp_path, "a.odt", data))


@SUFFIXES
def test_no_text(tmp_path: Path, suffix: str) -> None:
    data = docx("<w:p/>") if suffix == ".docx" else odt("<text:p/>")
    with pytest.raises(UsageError, match="no readable text"):
        read_one(write(tmp_path, f"a{suffix}", data))


def test_deep_nesting_is_read_without_recursion(tmp_path: Path) -> None:
    deep = 50_000
    body = "<w:sdt>" * deep + p("fond") + "</w:sdt>" * deep
    assert read_one(write(tmp_path, "a.docx", docx(body))).blocks[0].text == "fond"
    inside = "<text:span>" * deep + "fond" + "</text:span>" * deep
    for tag in ("section", "list"):
        outside = f"<text:{tag}>" * deep + f"<text:p>{inside}</text:p>" + f"</text:{tag}>" * deep
        assert "fond" in read_one(write(tmp_path, "a.odt", odt(outside))).blocks[0].text


def test_styles_based_on_each_other_in_a_circle(tmp_path: Path) -> None:
    styles = "".join(
        f'<w:style w:styleId="{a}"><w:name w:val="{a}"/><w:basedOn w:val="{b}"/></w:style>'
        for a, b in (("A", "B"), ("B", "A"))
    )
    assert read_one(write(tmp_path, "a.docx", docx(p("bonjour", "A"), styles))).blocks
    common = "".join(
        f'<style:style style:name="{a}" style:parent-style-name="{b}"/>'
        for a, b in (("A", "B"), ("B", "A"))
    )
    body = '<text:p text:style-name="A">bonjour</text:p>'
    assert read_one(write(tmp_path, "a.odt", odt(body, common=common))).blocks
