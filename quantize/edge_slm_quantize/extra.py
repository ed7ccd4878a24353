"""Packages of the extra `quantize`: imported where used, and named when they are absent."""

import importlib
from typing import Any

from edge_slm.errors import MissingError
from edge_slm.i18n import t


def need(module: str) -> Any:
    """Import a module of the extra and return it.

    Raises:
        MissingError: its package is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        # A package that is there but lacks one of its own parts is a fault, and shows as one.
        if error.name is None or error.name.split(".")[0] != module.split(".")[0]:
            raise
        raise MissingError(
            t(
                "This recipe needs {package}: install edge-slm[quantize].",
                "Cette recette a besoin de {package} : installez edge-slm[quantize].",
                package=module.split(".")[0],
            )
        ) from error
