"""ODT: outline levels, lists, tables, pages, title."""

from pathlib import Path

import pytest

from .builders import odt, read_one, texts, write

BREAKS = """
<style:style style:name="P1" style:family="paragraph" style:parent-style-name="Standard">
<style:paragraph-properties fo:break-before="page"/></style:style>
<style:style style:name="P2" style:family="paragraph">
<style:paragraph-properties fo:break-after="page"/></style:style>
<style:style style:name="P3" style:family="paragraph" style:parent-style-name="Saut"/>
<style:style style:name="P4" style:family="paragraph" style:master-page-name="Paysage"/>
<style:style style:name="T1" style:family="paragraph" style:parent-style-name="Title"/>"""
COMMON = """<style:style style:name="Saut">
<style:paragraph-properties fo:break-before="page"/></style:style>
<style:style style:name="Title"/>"""


def h(level: int, text: str) -> str:
    return f'<text:h text:outline-level="{level}">{text}</text:h>'


def p(text: str, style: str = "Standard") -> str:
    return f'<text:p text:style-name="{style}">{text}</text:p>'


def item(*content: str) -> str:
    return f"<text:list-item>{''.join(content)}</text:list-item>"


def cell(text: str) -> str:
    return (
        f'<table:table-cell table:number-columns-repeated="999999999">{p(text)}</table:table-cell>'
    )


def test_structure(tmp_path: Path) -> None:
    inner = f"<text:list>{item(p('un bis'))}</text:list>"
    body = (
        "<text:tracked-changes><text:p>retiré</text:p></text:tracked-changes>"
        + p("La charte", "T1")
        + "<text:table-of-content><text:p>Congés...3</text:p></text:table-of-content>"
        + p("Pré<text:span>am</text:span>bule<text:s/>et<text:tab/>suite<text:line-break/>fin.")
        + f"<text:section>{h(1, 'Congés')}{h(2, 'Durée')}</text:section>"
        + f"<text:list>{item(p('un'), p('suite'), inner)}{item(p('deux'))}</text:list>"
        + "<table:table><table:table-header-rows><table:table-row>"
        + cell("Quotité")
        + cell("Jours")
        + "</table:table-row></table:table-header-rows><table:table-row>"
        + cell("100 %")
        + cell("25")
        + "<table:covered-table-cell><text:p>caché</text:p></table:covered-table-cell>"
        + "</table:table-row></table:table>"
        + f"<text:list>{item(h(1, 'Paie'))}</text:list>"
        + p(
            "Le 28<text:note><text:note-citation>1</text:note-citation><text:note-body>"
            "<text:p>note</text:p></text:note-body></text:note>."
            "<draw:frame><svg:title>secret</svg:title></draw:frame><text:title>champ</text:title>"
        )
    )
    meta = "<dc:title>Charte 2024</dc:title><dc:date>2024-05-06T01:02:03</dc:date>"
    document = read_one(write(tmp_path, "a.odt", odt(body, BREAKS, COMMON, meta)))
    assert (document.title, document.date) == ("Charte 2024", "2024-05-06")
    assert [(block.section, block.text) for block in document.blocks] == [
        ("", "Préambule et suite fin."),
        ("Congés > Durée", "- un suite\n- un bis\n- deux"),
        ("Congés > Durée", "Quotité | Jours\n100 % | 25"),
        ("Paie", "Le 28.champ"),
    ]


def test_titles(tmp_path: Path) -> None:
    created = "<meta:creation-date>2023-01-02T00:00:00</meta:creation-date>"
    shown = read_one(
        write(tmp_path, "a.odt", odt(p("Charte", "T1") + p("x"), BREAKS, COMMON, created))
    )
    assert (shown.title, shown.date, texts(shown)) == ("Charte", "2023-01-02", ["x"])
    heading = read_one(write(tmp_path, "b.odt", odt(h(1, "Charte") + p("x"))))
    assert (heading.title, heading.blocks[0].section) == ("Charte", "")
    none = read_one(write(tmp_path, "c.odt", odt(h(1, "A") + p("x") + h(1, "B") + p("y"))))
    assert (none.title, [block.section for block in none.blocks]) == ("c.odt", ["A", "B"])


@pytest.mark.parametrize(
    ("second", "page"),
    [
        (p("deux", "P1"), 2),
        (p("deux", "P3"), 2),
        (p("deux", "P4"), 2),
        ("<text:soft-page-break/>" + p("deux"), 2),
        ("<text:soft-page-break/>" + p("deux", "P1"), 2),
        (p("<text:soft-page-break/>deux"), 2),
        (p("", "P2") + p("deux"), 2),
        (p("deux"), 1),
    ],
    ids=[
        "before",
        "inherited",
        "master page",
        "soft",
        "soft and before",
        "inside",
        "after",
        "none",
    ],
)
def test_pages(tmp_path: Path, second: str, page: int) -> None:
    document = read_one(write(tmp_path, "a.odt", odt(p("un", "P1") + second, BREAKS, COMMON)))
    assert [(block.text, block.page) for block in document.blocks] == [("un", 1), ("deux", page)]


def test_lists_and_tables_over_two_pages(tmp_path: Path) -> None:
    body = (
        f"<text:list>{item(p('un'))}{item(p('<text:soft-page-break/>deux'))}</text:list>"
        f"<table:table><table:table-row>{cell('a')}</table:table-row><text:soft-page-break/>"
        f"<table:table-row>{cell('b')}</table:table-row></table:table>"
    )
    document = read_one(write(tmp_path, "a.odt", odt(body)))
    assert [(block.text, block.page) for block in document.blocks] == [
        ("- un\n- deux", 1),
        ("a", 2),
        ("b", 3),
    ]
