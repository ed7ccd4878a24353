"""The manifest of an NPU's artefact, and what is said of few calibration texts."""

from pathlib import Path
from typing import Any

import msgspec

from edge_slm.files import sha256_of
from edge_slm.i18n import t
from edge_slm_quantize.records import Order

FILE = "artefact.json"  # manifest.json is the name of the store's own


def write(order: Order, kind: str, folder: Path, details: dict[str, Any]) -> None:
    """Write what an artefact is and the hashes of its files, last.

    Args:
        order: what was made.
        kind: of the artefact, “qnn” or “rknn”.
        folder: the artefact's, with all its other files.
        details: of the compilation, plain JSON.
    """
    manifest = {
        "format": kind,
        "recipe": order.recipe,
        "source": {"name": order.source.name, "sha256": order.source.sha256},
        "target": order.target.id,
        "calibration": {"sha256": order.texts.sha256, "origin": order.texts.origin},
        **details,
        "files": {
            one.name: {"bytes": one.stat().st_size, "sha256": sha256_of(one)}
            for one in sorted(folder.iterdir())
        },
    }
    (folder / FILE).write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=2))


def few_texts(order: Order, few: int) -> tuple[str, ...]:
    """Return a sentence where there are fewer than `few` texts to calibrate on."""
    number = len(order.texts.calibration)
    if number >= few:
        return ()
    return (
        t(
            "Calibrated on {n} texts only: give more with --text.",
            "Calibré sur {n} textes seulement : donnez-en plus avec --text.",
            n=number,
        ),
    )
