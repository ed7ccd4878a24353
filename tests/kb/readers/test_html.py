"""HTML: what is kept, what is dropped, encodings, hostile depth."""

from pathlib import Path

import pytest

from edge_slm.errors import UsageError

from .builders import read_one, texts, write

PAGE = """<!doctype html><html><head><title>Congés - Ville</title>
<meta name="dcterms.modified" content="2024-05-06">
<link rel="canonical" href="https://exemple.fr/conges">
<link rel="license" href="https://exemple.fr/licence"></head>
<body><header>Bandeau <nav>Menu</nav></header>
<h1>Congés <em>annuels</em></h1><p>25&nbsp;jours
par an.<br>Sans report.</p>texte nu <b>gras</b>
<h2>Calcul</h2><div>Par <span>quotité</span></div>
<table><caption>Barème</caption><thead><tr><th>Quotité<th>Jours</tr></thead>
<tr><td>100 %<td><p>25</p></table>
<ul><li>un<ul><li>deux</li></ul><li>trois</ul><ol><li>quatre</ol>
<pre>a  b
 c</pre><script>secret()</script><style>secret</style><!-- secret -->
<aside>secret</aside><h3>Fin</h3><p>Voilà.</p><footer>secret</footer></body></html>"""


def test_a_whole_page(tmp_path: Path) -> None:
    document = read_one(write(tmp_path, "conges.html", PAGE))
    assert document.title == "Congés annuels"
    assert (document.date, document.origin) == ("2024-05-06", "https://exemple.fr/conges")
    assert document.licence == "https://exemple.fr/licence"
    assert [(block.section, block.text) for block in document.blocks] == [
        ("", "25 jours par an. Sans report."),
        ("", "texte nu gras"),
        ("Calcul", "Par quotité"),
        ("Calcul", "Barème"),
        ("Calcul", "Quotité | Jours\n100 % | 25"),
        ("Calcul", "- un\n- deux\n- trois"),
        ("Calcul", "- quatre"),
        ("Calcul", "a  b\n c"),
        ("Calcul > Fin", "Voilà."),
    ]


def test_the_title_element_when_there_is_no_h1(tmp_path: Path) -> None:
    document = read_one(write(tmp_path, "a.htm", "<title>Paie</title><p>Le 28."))
    assert (document.title, texts(document)) == ("Paie", ["Le 28."])
    assert read_one(write(tmp_path, "b.htm", "<p>Le 28.")).title == "b.htm"


@pytest.mark.parametrize(
    ("head", "encoding"),
    [
        ('<meta charset="utf-8">', "utf-8"),
        ('<meta charset="iso-8859-1">', "cp1252"),
        ('<meta http-equiv="Content-Type" content="text/html; charset=ISO-8859-15">', "iso8859-15"),
        ("", "utf-16"),
        ("", "utf-8-sig"),
        ("", "cp1252"),
        ('<meta charset="utf-8">', "cp1252"),
        ('<meta charset="utf_7">', "utf-8"),
    ],
)
def test_charsets(tmp_path: Path, head: str, encoding: str) -> None:
    data = f"<html><head>{head}</head><p>L'été coûte 3 €.".encode(encoding)
    assert texts(read_one(write(tmp_path, "a.html", data))) == ["L'été coûte 3 €."]


def test_a_table_that_lays_out_a_page_is_read_as_blocks(tmp_path: Path) -> None:
    page = "<table><tr><td><h2>A</h2><p>un</td><td><table><tr><td>x<td>y</table></td></table>"
    document = read_one(write(tmp_path, "a.html", page))
    assert [(block.section, block.text) for block in document.blocks] == [
        ("A", "un"),
        ("A", "x | y"),
    ]


def test_a_page_that_is_only_navigation_has_no_text(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no readable text"):
        read_one(write(tmp_path, "a.html", "<nav>Menu</nav><script>x</script>"))


def test_hostile_depth_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"a\.html.*too deeply"):
        read_one(write(tmp_path, "a.html", "<div>" * 200_000 + "x"))


def test_depth_below_the_bound_is_read(tmp_path: Path) -> None:
    for tag in ("div", "ul><li", "b", "blockquote"):
        assert (
            texts(read_one(write(tmp_path, "a.html", f"<{tag}>" * 900 + "fond")))[-1][-4:] == "fond"
        )


def test_hostile_html_within_markdown_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="too deeply"):
        read_one(write(tmp_path, "a.md", "<div>" * 20_000))
