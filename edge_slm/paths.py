"""Where files live. Nothing here creates a folder."""

import os
from pathlib import Path

import platformdirs


def data_dir() -> Path:
    """Return the folder of models and bases: EDGE_SLM_HOME, or the platform's data folder."""
    home = os.environ.get("EDGE_SLM_HOME")
    return Path(home) if home else Path(platformdirs.user_data_dir("edge-slm", appauthor=False))


def cache_dir() -> Path:
    """Return the folder of what can be computed or downloaded again."""
    home = os.environ.get("EDGE_SLM_HOME")
    if home:
        return Path(home) / "cache"
    return Path(platformdirs.user_cache_dir("edge-slm", appauthor=False))


def shipped_cards_dir() -> Path:
    """Return the model cards that ship with the project: in the wheel, else in the checkout."""
    here = Path(__file__).parent
    return here / "models" if (here / "models").is_dir() else here.parent / "models"


def examples_dir() -> Path:
    """Return the sample documents and recordings: in the wheel, else in the checkout."""
    here = Path(__file__).parent
    return here / "examples" if (here / "examples").is_dir() else here.parent / "examples"


def permission_dir() -> Path:
    """Return what gives an account the right to read energy counters: in the wheel, else here."""
    here = Path(__file__).parent
    shipped = here / "permission"
    return shipped if shipped.is_dir() else here.parent / "packaging" / "energy"


def user_cards_dir() -> Path:
    """Return the cards that the user added; they win over shipped ones of the same id."""
    return data_dir() / "cards"


def store_dir() -> Path:
    """Return the model store."""
    return data_dir() / "store"


def bases_dir() -> Path:
    """Return the knowledge bases, one SQLite file each."""
    return data_dir() / "kb"
