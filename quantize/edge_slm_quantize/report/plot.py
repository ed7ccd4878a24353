"""Draws what quality costs as SVG that stands inside a page: text as text, the page's colours.

Colours are those of Okabe and Ito (“Color Universal Design”). matplotlib is an extra: without it
there is no plot, and the page says so.
"""

import html
import io
import math
import re
import textwrap
from typing import Any

from edge_slm.i18n import interface_language, t
from edge_slm.plotting import without_window
from edge_slm_quantize.metrics import METRICS
from edge_slm_quantize.report.pareto import Plane, Point

_INK = "#010203"  # stands for the page's colour of text, which only the page knows
_PASSED, _FAILED = "#009E73", "#D55E00"
_DECADES = 1.5  # of loss, from which a linear axis hides the small ones
_MARKS = 5  # on an axis: more would touch each other
_LONGEST = 40
_LONGEST_LINE = 36  # of an axis's title: what its height has room for
_METADATA = re.compile(r"<metadata>.*?</metadata>", re.DOTALL)


def svg(plane: Plane, number: int = 0) -> str:
    """Return a plot as one `svg` element; the front is a line, the chosen colours tell the gate.

    Args:
        plane: what to draw.
        number: of the plot in its page: ids of two plots must not meet.
    Raises:
        MissingError: matplotlib is not installed.
    """
    mpl = without_window()
    settings = {
        "svg.fonttype": "none",
        "svg.hashsalt": f"edge-slm-{number}",
        "font.family": "sans-serif",
        **dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor"), _INK),
        **dict.fromkeys(("xtick.color", "ytick.color"), _INK),
        # A recipe's name is no formula, whatever it holds.
        "text.parse_math": False,
        "axes.formatter.use_mathtext": False,
    }
    with mpl.rc_context(settings):
        out = io.StringIO()
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        _figure(plane).savefig(out, format="svg", transparent=True, metadata=nothing)
    text = _METADATA.sub("", out.getvalue())
    text = text[text.index("<svg") :].replace(_INK, "currentColor")
    # Two plots of a page must not share an id, nor find each other's shapes by one.
    text = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>p{number}-", text)
    label = _label(plane)
    return text.replace("<svg ", f'<svg role="img" aria-label="{html.escape(label)}" ', 1)


def _figure(plane: Plane) -> Any:
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    figure = Figure(figsize=(5.4, 4.0), layout="constrained")
    axes = figure.subplots()
    scale = 1e-6 if METRICS[plane.cost].unit == "bytes" else 1.0
    for passed, colour, marker in ((True, _PASSED, "o"), (False, _FAILED, "X")):
        own = [point for point in plane.points if point.passed is passed]
        name = t("passes the gate", "passe la condition")
        if not passed:
            name = t("does not pass", "ne passe pas")
        axes.plot(
            [scale * p.cost for p in own],
            [p.loss for p in own],
            linestyle="none",
            marker=marker,
            color=colour,
            markersize=8,
            label=name if own else None,
        )
    line = plane.front
    if len(line) > 1:
        axes.plot(
            [scale * p.cost for p in line],
            [p.loss for p in line],
            color=_INK,
            linewidth=1,
            linestyle="--",
            label=t("no other is better in both", "aucune autre n'est meilleure sur les deux"),
        )
    for point in plane.points:
        axes.annotate(
            point.recipe[:_LONGEST],
            (scale * point.cost, point.loss),
            xytext=(6, 4),
            textcoords="offset points",
            fontsize="small",
            color=_INK,
        )
    axes.set_xlabel(textwrap.fill(_axis(plane.cost), _LONGEST_LINE))
    axes.set_ylabel(textwrap.fill(_loss(plane.loss), _LONGEST_LINE))
    if _wide(plane.points):
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.yaxis.set_minor_formatter(NullFormatter())
    else:
        axes.yaxis.set_major_locator(MaxNLocator(_MARKS))
    axes.xaxis.set_major_locator(MaxNLocator(_MARKS))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: _mark(value)))
    axes.margins(x=0.18, y=0.12)
    axes.grid(alpha=0.25)
    axes.legend(fontsize="small", framealpha=0.0)
    return figure


def _mark(value: float) -> str:
    text = f"{value:.6g}"
    return text.replace(".", ",") if interface_language() == "fr" else text


def _wide(points: tuple[Point, ...]) -> bool:
    losses = [point.loss for point in points]
    return min(losses) > 0 and math.log10(max(losses) / min(losses)) > _DECADES


def _label(plane: Plane) -> str:
    return t(
        "{loss} against {cost}; the table has the figures",
        "{loss} selon {cost} ; le tableau donne les valeurs",
        loss=_loss(plane.loss),
        cost=_axis(plane.cost),
    )


def _name(metric: str) -> str:
    found = METRICS[metric]
    return found.french if interface_language() == "fr" else found.english


def _axis(metric: str) -> str:
    return t("size, MB", "taille, Mo") if metric == "size" else _name(metric)


def _loss(metric: str) -> str:
    if METRICS[metric].better == "less":
        return _name(metric)
    whole = "100" if metric == "chrf" else "1"
    return t("{whole} less: {name}", "{whole} moins : {name}", whole=whole, name=_name(metric))
