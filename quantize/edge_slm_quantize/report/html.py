"""A job's report as one web page: no request, no script, light or dark as the reader's.

All that comes from models, texts and commands is escaped; a policy in the page forbids the rest.
"""

import html
from collections.abc import Sequence

from edge_slm.errors import MissingError
from edge_slm.i18n import interface_language, t
from edge_slm_quantize.report import plot, tables
from edge_slm_quantize.report.pareto import planes
from edge_slm_quantize.report.result import Result

_STYLE = """
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem;
  color: #1a1a1a; background: #fff; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
h1, p, li { overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding: .3rem 0; }
th, td { text-align: left; padding: .3rem .7rem; border-bottom: 1px solid #bbb;
  vertical-align: top; }
td { overflow-wrap: anywhere; min-width: 8rem; } th { font-weight: 600; }
.figures td, .figures th { white-space: nowrap; min-width: 0; }
.figures th:first-child { position: sticky; left: 0; background: #fff; }
tr.chosen { font-weight: 600; }
tr.chosen td, .figures tr.chosen th { background: #dff3ec; }
.plots { display: flex; flex-wrap: wrap; gap: 1rem; } .plots svg { max-width: 100%; height: auto; }
@media (prefers-color-scheme: dark) { body, .figures th:first-child { background: #16181b; }
  body { color: #e8e8e8; } th, td { border-color: #555; }
  tr.chosen td, .figures tr.chosen th { background: #12352b; } }
"""


def page(result: Result) -> str:
    """Return the report as one HTML document."""
    head, rows = tables.figures(result)
    caption = t("Recipes, as measured", "Recettes, telles que mesurées")
    sections = [
        f"<h1>{_text(tables.title(result))}</h1>",
        f"<p><strong>{_text(tables.verdict(result))}</strong></p>",
        _table(caption, head, rows, result.chosen),
        _plots(result),
        _list(t("To be known", "À savoir"), tables.remarks(result)),
        _titled(t("What was made", "Ce qui a été fait"), tables.types_head(), tables.types(result)),
        _titled(tables.delegation_title(), tables.delegation_head(), tables.delegation(result)),
        _titled(tables.changed_title(), tables.changed_head(), tables.changed(result)),
        _titled(
            t("Metrics", "Mesures"),
            (t("metric", "mesure"), t("meaning", "sens")),
            tables.metrics_used(result),
        ),
        _titled(
            t("How it was measured", "Comment cela fut mesuré"),
            (t("fact", "fait"), t("value", "valeur")),
            tables.facts(result),
        ),
    ]
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return "\n".join(
        [
            "<!doctype html>",
            f'<html lang="{interface_language()}">',
            '<head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{_text(tables.title(result))}</title>",
            f"<style>{_STYLE}</style></head>",
            "<body><main>",
            *[section for section in sections if section],
            "</main></body></html>",
            "",
        ]
    )


def _text(text: str) -> str:
    # A lone surrogate or a control character has no place in a document.
    clean = "".join(c if c.isprintable() else " " for c in text)
    return html.escape(clean, quote=True)


def _titled(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return f"<h2>{_text(title)}</h2>\n{_table('', head, rows)}" if rows else ""


def _table(
    caption: str, head: Sequence[str], rows: Sequence[Sequence[str]], chosen: str | None = None
) -> str:
    # What is wider than the page is scrolled, with the keyboard too.
    lines = ['<div class="wide" tabindex="0">']
    lines.append('<table class="figures">' if caption else "<table>")
    if caption:
        lines.append(f"<caption>{_text(caption)}</caption>")
    heads = "".join(f'<th scope="col">{_text(cell)}</th>' for cell in head)
    lines.append(f"<thead><tr>{heads}</tr></thead><tbody>")
    for first, *rest in rows:
        mark = ' class="chosen"' if first == chosen else ""
        cells = "".join(f"<td>{_text(cell)}</td>" for cell in rest)
        lines.append(f'<tr{mark}><th scope="row">{_text(first)}</th>{cells}</tr>')
    lines.append("</tbody></table></div>")
    return "\n".join(lines)


def _list(title: str, items: Sequence[str]) -> str:
    if not items:
        return ""
    rows = "\n".join(f"<li>{_text(item)}</li>" for item in items)
    return f"<h2>{_text(title)}</h2>\n<ul>\n{rows}\n</ul>"


def _plots(result: Result) -> str:
    title = f"<h2>{_text(t('What quality costs', 'Ce que coûte la qualité'))}</h2>"
    found = planes(result)
    if not found:
        return f"{title}\n<p>{_text(_no_figures())}</p>"
    try:
        drawn = [plot.svg(plane, number) for number, plane in enumerate(found)]
    except MissingError as error:
        return f"{title}\n<p>{_text(str(error))}</p>"
    return "\n".join([title, '<div class="plots">', *drawn, "</div>"])


def _no_figures() -> str:
    return t(
        "There is nothing to draw: no recipe has both its quality and its cost measured.",
        "Il n'y a rien à tracer : aucune recette n'a de mesure de sa qualité et de son coût.",
    )
