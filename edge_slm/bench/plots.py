"""Draws the cases of a benchmark: what each costs, and what a right answer costs.

A measured figure and an estimate never look alike: estimates are hatched bars and hollow diamonds.
Colours are those of Okabe and Ito (“Color Universal Design”), which colour-blind people tell apart.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_slm.bench.record import Case
from edge_slm.bench.results import measured_by
from edge_slm.bench.tables import number
from edge_slm.files import replacing
from edge_slm.i18n import t
from edge_slm.plotting import without_window

_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9")
_LONGEST_LABEL = 44
_WIDE = 30  # dearest over cheapest, from which the cheap ones lie on one another
_TALLEST_INCHES = 60.0  # some hundred and fifty cases; more bars are thinner


@dataclass(frozen=True)
class _Figure:
    title: str
    value: Callable[[Case], float | None]
    bounds: Callable[[Case], tuple[float | None, float | None]]
    guessed: Callable[[Case], bool] = lambda _: False


def draw(cases: Sequence[Case], folder: Path) -> list[Path]:
    """Write SUITE-cost.png and .svg, and SUITE-quality.png and .svg where answers were judged.

    Returns:
        The files, each whole.
    Raises:
        MissingError: matplotlib is not installed.
        OSError: the folder cannot be written.
    """
    mpl = without_window()
    written = []
    # SVG text as text, so that it can be searched and read aloud; no date, so that files compare.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "edge-slm"}):
        for suite in dict.fromkeys(case.suite for case in cases):
            own = [case for case in cases if case.suite == suite]
            name = re.sub(r"[^\w-]+", "_", suite)[:60]
            written += _save(_costs(suite, own), folder / f"{name}-cost")
            if quality := _qualities(suite, own):
                written += _save(quality, folder / f"{name}-quality")
    return written


def _save(figure: Any, stem: Path) -> list[Path]:
    paths = [stem.with_name(f"{stem.name}.{kind}") for kind in ("png", "svg")]
    for path in paths:
        kind = path.suffix[1:]
        metadata = {"Date": None} if kind == "svg" else {}
        with replacing(path) as temporary:
            figure.savefig(temporary, format=kind, dpi=120, metadata=metadata)
    return paths


def _guessed(case: Case) -> bool:
    return case.joules_method == "estimate"


def _figures() -> list[_Figure]:
    return [
        _Figure(
            t("seconds", "secondes"),
            lambda case: case.seconds,
            lambda case: (case.seconds_low, case.seconds_high),
        ),
        _Figure(
            t("CPU-seconds", "secondes CPU"),
            lambda case: case.cpu_seconds,
            lambda case: (case.more.get("cpu_seconds_low"), case.more.get("cpu_seconds_high")),
        ),
        _Figure(
            t("joules", "joules"),
            lambda case: case.joules,
            lambda case: (case.joules_low, case.joules_high),
            _guessed,
        ),
    ]


def _costs(suite: str, cases: Sequence[Case]) -> Any:
    from matplotlib.figure import Figure

    shown = [f for f in _figures() if any(f.value(case) is not None for case in cases)]
    height = min(_TALLEST_INCHES, 1.9 + 0.38 * len(cases))
    figure = Figure(figsize=(2.2 + 3.2 * len(shown), height), layout="constrained")
    panels = figure.subplots(1, len(shown), sharey=True, squeeze=False)[0]
    for axes, what in zip(panels, shown, strict=True):
        for place, case in enumerate(cases):
            _bar(axes, place, case, what, cases)
        axes.set_xlabel(what.title)
        axes.margins(x=0.2)  # room for the figures beside the bars
        axes.set_xlim(left=0)
        axes.grid(axis="x", alpha=0.3)
    panels[0].set_yticks(range(len(cases)), [_label(case, cases) for case in cases])
    panels[0].set_ylim(len(cases) - 0.4, -0.6)  # the first on top
    figure.suptitle(
        t("{suite}: cost of a run", "{suite} : coût d'une exécution", suite=_plain(suite))
    )
    _legend(figure, cases)
    return figure


def _bar(axes: Any, place: int, case: Case, what: _Figure, cases: Sequence[Case]) -> None:
    value = what.value(case)
    if value is None:
        return
    guess = what.guessed(case)
    colour = _colour(case, cases)
    axes.barh(
        place,
        value,
        height=0.62,
        color="white" if guess else colour,
        edgecolor=colour,
        hatch="///" if guess else None,
    )
    low, high = what.bounds(case)
    end = max(value, high) if isinstance(high, int | float) else value
    axes.annotate(
        f"  {number(value)}", (end, place), va="center", fontsize="small", annotation_clip=False
    )
    if isinstance(low, int | float) and isinstance(high, int | float):
        around = [[max(0.0, value - low)], [max(0.0, high - value)]]
        axes.errorbar(value, place, xerr=around, color="black", capsize=3, linewidth=1.2)


def _legend(figure: Any, cases: Sequence[Case]) -> None:
    from matplotlib.patches import Patch

    by = dict.fromkeys(case.contender for case in cases)
    handles: list[Any] = []
    if len(by) > 1:
        handles = [
            Patch(color=_COLOURS[i % len(_COLOURS)], label=_plain(n)) for i, n in enumerate(by)
        ]
    for method, scope in dict.fromkeys((case.joules_method, case.joules_scope) for case in cases):
        if method:
            guess = method == "estimate"
            label = t("joules: {way}", "joules : {way}", way=measured_by(method, scope))
            face, hatch = ("white", "///") if guess else ("grey", None)
            patch = Patch(facecolor=face, hatch=hatch, edgecolor="grey", label=_plain(label))
            handles.append(patch)
    if handles:
        figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)


def _qualities(suite: str, cases: Sequence[Case]) -> Any | None:
    """Return quality against what a right answer costs; None where nothing was judged."""
    from matplotlib.figure import Figure

    judged = [case for case in cases if case.correct and _quality(case) is not None]
    by_joules = [case for case in judged if case.joules is not None]
    points = by_joules or judged
    if not points:
        return None
    names = list(dict.fromkeys(case.quality_name for case in points))
    figure = Figure(figsize=(2 + 5 * len(names), 4 + 0.2 * len(points)), layout="constrained")
    panels = figure.subplots(1, len(names), squeeze=False)[0]
    for place, case in enumerate(points):
        axes = panels[names.index(case.quality_name)]
        _point(axes, place, case, case.joules if by_joules else case.cpu_seconds)
    for axes, name in zip(panels, names, strict=True):
        axes.set_ylabel(_plain(name or t("share correct", "part de justes")))
        axes.set_xlabel(
            t("joules per correct answer", "joules par réponse juste")
            if by_joules
            else t("CPU-seconds per correct answer", "secondes CPU par réponse juste")
        )
        axes.margins(0.12)
        _scale(axes, [x for line in axes.get_lines() for x in line.get_xdata()])
        axes.grid(alpha=0.3)
    title = t(
        "{suite}: what a right answer costs", "{suite} : coût d'une réponse juste", suite=suite
    )
    figure.suptitle(_plain(title))
    figure.legend(loc="outside lower center", ncols=1, frameon=False, fontsize="small")
    return figure


def _scale(axes: Any, costs: Sequence[float]) -> None:
    if min(costs) > 0 and max(costs) > _WIDE * min(costs):
        axes.set_xscale("log")
    else:
        axes.set_xlim(left=0)


def _point(axes: Any, place: int, case: Case, cost: float | None) -> None:
    if cost is None or not case.correct:
        return
    colour = _COLOURS[place % len(_COLOURS)]
    measured = case.joules_method is not None and not _guessed(case)
    way = measured_by(case.joules_method, case.joules_scope) if case.joules_method else "CPU"
    at = (cost / case.correct, _quality(case))
    axes.plot(
        [at[0]],
        [at[1]],
        linestyle="none",
        marker="o" if measured else "D",
        markersize=9,
        markeredgewidth=2,
        color=colour,
        markerfacecolor=colour if measured else "none",
        label=_plain(f"{place + 1}: {_label(case, ())} [{way}]"),
    )
    axes.annotate(str(place + 1), at, xytext=(8, 8), textcoords="offset points")


def _quality(case: Case) -> float | None:
    if case.quality is not None or not case.answers or case.correct is None:
        return case.quality
    return case.correct / case.answers


def _label(case: Case, cases: Sequence[Case]) -> str:
    """Return a case's name, with contender and model where they differ among the cases."""
    by = []
    if not cases or len({other.contender for other in cases}) > 1:
        by.append(case.contender)
    if case.model and (not cases or len({other.model for other in cases}) > 1):
        by.append(case.model)
    lines = [case.case, ", ".join(by)] if by else [case.case]
    return _plain("\n".join(line[:_LONGEST_LABEL] for line in lines) if cases else ", ".join(lines))


def _colour(case: Case, cases: Sequence[Case]) -> str:
    names = list(dict.fromkeys(other.contender for other in cases))
    return _COLOURS[names.index(case.contender) % len(_COLOURS)]


def _plain(text: str) -> str:
    """Return text that matplotlib takes for no formula, without what no font can draw."""
    return "".join(c if c.isprintable() or c == "\n" else " " for c in text).replace("$", r"\$")
