"""A job's report as Markdown."""

from edge_slm.bench.tables import escaped, markdown
from edge_slm.i18n import t
from edge_slm_quantize.report import tables
from edge_slm_quantize.report.result import Result


def page(result: Result) -> str:
    """Return the report; nothing of a model's name or of a text can leave its place."""
    head, rows = tables.figures(result)
    parts = [
        f"# {escaped(tables.title(result))}",
        escaped(tables.verdict(result)),
        markdown(head, rows),
    ]
    if remarks := tables.remarks(result):
        parts += [
            f"## {t('To be known', 'À savoir')}",
            "\n".join(f"- {escaped(text)}" for text in remarks),
        ]
    if types := tables.types(result):
        parts += [f"## {t('What was made', 'Ce qui a été fait')}"]
        parts += [markdown(tables.types_head(), types)]
    if delegated := tables.delegation(result):
        head = tables.delegation_head()
        parts += [f"## {tables.delegation_title()}", markdown(head, delegated)]
    if changed := tables.changed(result):
        parts += [f"## {tables.changed_title()}", markdown(tables.changed_head(), changed)]
    columns = (t("metric", "mesure"), t("meaning", "sens"))
    facts = (t("fact", "fait"), "")
    parts += [
        f"## {t('Metrics', 'Mesures')}",
        markdown(columns, tables.metrics_used(result)),
        f"## {t('How it was measured', 'Comment cela fut mesuré')}",
        markdown(facts, tables.facts(result)),
    ]
    return "\n\n".join(parts) + "\n"
