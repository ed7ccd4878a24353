"""Draws the risk-coverage curve of a calibration as PNG."""

from pathlib import Path

from edge_slm.evaluation.calibrate import CalibrationScore
from edge_slm.files import replacing
from edge_slm.i18n import t
from edge_slm.plotting import without_window


def draw(score: CalibrationScore, path: Path) -> None:
    """Write the curve, with the point in use marked.

    Args:
        score: a calibration.
        path: PNG file, made or replaced whole.
    Raises:
        MissingError: matplotlib is not installed.
    """
    without_window()
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 5), layout="constrained")
    axes = figure.subplots()
    points = [point for point in score.curve if point.coverage]
    axes.plot(
        [p.coverage for p in points],
        [p.risk for p in points],
        marker=".",
        label=t("held out while fitting", "mis de côté pendant l'ajustement"),
    )
    axes.plot(
        [score.coverage],
        [score.risk],
        marker="o",
        linestyle="none",
        label=t("in use: threshold {t}", "choisi : seuil {t}", t=score.calibration.threshold),
    )
    axes.set(
        xlabel=t("coverage: share of the questions answered", "couverture : part des réponses"),
        ylabel=t("risk: share of the answers wrong", "risque : part des réponses fausses"),
        xlim=(0, 1),
    )
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.legend()
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=120)
