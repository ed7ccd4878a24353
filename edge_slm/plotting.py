"""matplotlib, which is an extra, for drawing into files."""

from typing import Any

from edge_slm.errors import MissingError
from edge_slm.i18n import t


def without_window() -> Any:
    """Return the module matplotlib, set to draw into files.

    Raises:
        MissingError: it is not installed.
    """
    try:
        import matplotlib as mpl
    except ImportError:
        raise MissingError(
            t(
                "Drawing needs matplotlib: install it with pip install 'edge-slm[plot]'.",
                "Il faut matplotlib pour dessiner : installez-le avec pip install "
                "'edge-slm[plot]'.",
            )
        ) from None
    mpl.use("agg")
    return mpl
