"""The curve as a picture: a PNG, whole or not at all."""

import sys
from pathlib import Path

import pytest

from edge_slm.errors import MissingError
from edge_slm.evaluation.calibrate import CalibrationScore, Point
from edge_slm.evaluation.plot import draw
from edge_slm.kb.calibration import Calibration

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CURVE = (
    Point(0.2, 0.9, 0.3, 1.0, 0.2),
    Point(0.5, 0.5, 0.02, 0.9, 0.9),
    Point(0.9, 0.0, 0.0, 0.0, 1.0),
)


def score(curve: tuple[Point, ...] = CURVE) -> CalibrationScore:
    """Return a calibration with a curve."""
    return CalibrationScore(Calibration(), 10, 10, 0.9, 0.9, 0.9, 0.5, 0.02, curve)


@pytest.mark.parametrize("curve", [CURVE, CURVE[:1], ()], ids=["curve", "point", "nothing"])
def test_a_curve_is_drawn_as_png(tmp_path: Path, curve: tuple[Point, ...]) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    path = tmp_path / "curve.png"
    draw(score(curve), path)
    content = path.read_bytes()
    assert content.startswith(SIGNATURE)
    assert content.endswith(b"IEND\xaeB`\x82")
    assert [entry.name for entry in tmp_path.iterdir()] == ["curve.png"]


def test_an_older_picture_is_replaced(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    path = tmp_path / "curve.png"
    path.write_bytes(b"old")
    draw(score(), path)
    assert path.read_bytes().startswith(SIGNATURE)


def test_without_matplotlib_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingError, match=r"pip install 'edge-slm\[plot\]'"):
        draw(score(), tmp_path / "curve.png")
    assert list(tmp_path.iterdir()) == []
