"""Help pages in the user's language: the words that the command line library puts in itself."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import click

from edge_slm.i18n import t


class Formatter(click.HelpFormatter):
    """Writes the library's own words in French where the interface is."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """Write the first line."""
        super().write_usage(prog, args, prefix or t("Usage: ", "Utilisation : "))

    @contextmanager
    def section(self, name: str) -> Iterator[None]:
        """Open a section."""
        with super().section(t(name, {"Commands": "Commandes"}.get(name, name))):
            yield

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        """Write names and what they mean."""
        super().write_dl([(name, _ours(text)) for name, text in rows], col_max, col_spacing)


def _ours(text: str) -> str:
    french = text.replace("Show this message and exit.", "Afficher cette aide.")
    return t("{x}", "{y}", x=text, y=french.replace("[default: ", "[par défaut : "))
