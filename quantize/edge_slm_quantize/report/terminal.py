"""The report on a terminal: the verdict, the table, what must be known, what to do next."""

import shutil
from pathlib import Path

from edge_slm.bench.tables import aligned
from edge_slm.cards import RUNNABLE
from edge_slm.i18n import t
from edge_slm_quantize.report import tables
from edge_slm_quantize.report.result import Result

# The whole list is in the report: a terminal has room for what the eye needs first.
_COLUMNS = (
    "size",
    "bits_per_weight",
    "kld",
    "top1_agreement",
    "perplexity",
    "cosine",
    "neighbours",
    "recall_at_5",
    "wer",
    "chrf",
    "faq_accuracy",
    "refusals",
    "delegated",
    "simulated_kld",
    "simulated_cosine",
    "prefill_tokens_per_second",
    "tokens_per_second",
    "seconds_per_item",
    "cpu_seconds_per_100",
    "joules_per_100",
    "ram",
)
# What a narrow terminal goes without, the first first.
_SPARE = (
    *("joules_per_100", "prefill_tokens_per_second", "perplexity", "bits_per_weight"),
    *("cpu_seconds_per_100", "ram", "neighbours", "delegated"),
)
_ENDLESS = 10_000  # columns of a pipe or a file
_SHORT = {
    "size": t("size", "taille"),
    "perplexity": t("perplexity", "perplexité"),
    "cosine": t("cosine", "cosinus"),
    "neighbours": t("neighbours", "voisins"),
    "ram": t("memory", "mémoire"),
    "bits_per_weight": t("bits/weight", "bits/poids"),
    "top1_agreement": "top-1",
    "prefill_tokens_per_second": t("read/s", "lus/s"),
    "tokens_per_second": t("written/s", "écrits/s"),
    "cpu_seconds_per_100": t("CPU-s/100", "s-CPU/100"),
    "joules_per_100": "J/100",
    "seconds_per_item": t("s each", "s chacun"),
}


def text(result: Result, folder: Path) -> str:
    """Return a result as lines.

    Args:
        result: of the job.
        folder: where its report is.
    """
    lines = [tables.verdict(result), "", _table(result), ""]
    lines += [f"- {remark}" for remark in tables.remarks(result)]
    if result.path:
        lines.append(t("Model: {path}", "Modèle : {path}", path=result.path))
    lines.append(t("Report: {path}", "Rapport : {path}", path=folder / "report.html"))
    return "\n".join([*lines, *_next(result)])


def _table(result: Result) -> str:
    """Return the recipes that were tried, in the columns for which the terminal has room."""
    head, rows = tables.figures(result)
    untried = {one.recipe for one in result.recipes if one.made is None and one.error is None}
    rows = [row for row in rows if row[0] not in untried]
    known = [name for name in _COLUMNS if name in head]
    room = shutil.get_terminal_size((_ENDLESS, 24)).columns
    for spare in ("", *_SPARE):
        known = [name for name in known if name != spare]
        keep = [0, 1, *(head.index(name) for name in known)]
        table = aligned(
            [_SHORT.get(head[at], head[at]) for at in keep],
            [[row[at] for at in keep] for row in rows],
        )
        if max(map(len, table.splitlines())) <= room:
            break
    return table


def _next(result: Result) -> list[str]:
    if not result.card:
        return []
    outcome = result.chosen_outcome
    runs = outcome and outcome.artefact and outcome.artefact.format in RUNNABLE
    if runs and result.source.task == "chat":
        return [f"edge-slm ask --model {result.card} …"]
    return [f"edge-slm models show {result.card}"]
