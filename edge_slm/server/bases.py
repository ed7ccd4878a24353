"""Knowledge bases as collections: their numbers, and how a client names one.

Albert's ids are whole numbers; ours come from names, so that they stay the same on every start and
every copy. 48 bits keep them exact in every client, and two names apart.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from edge_slm.i18n import t
from edge_slm.server.errors import Refused, not_found
from edge_slm.server.site import Site


def number_of(*names: str) -> int:
    """Return the number of a collection by its name, or of a document by collection and name."""
    return int.from_bytes(hashlib.sha256("\0".join(names).encode()).digest()[:6], "big")


def find(site: Site, asked: int | str) -> Path:
    """Return the file of the base with this number or name.

    Raises:
        Refused: there is none.
    """
    for path in site.bases():
        if path.stem == asked or str(number_of(path.stem)) == str(asked):
            return path
    raise not_found(
        t(
            "There is no collection {asked}: see /v1/collections.",
            "Il n'y a pas de collection {asked} : voir /v1/collections.",
            asked=asked,
        ),
        "collection_not_found",
        "collection",
    )


def chosen(site: Site, asked: Sequence[int | str] | None) -> list[Path]:
    """Return the files of the bases named, of all when none is.

    Raises:
        Refused: one of them is not there, or there is no base at all.
    """
    files = site.bases() if not asked else list(dict.fromkeys(find(site, one) for one in asked))
    if not files:
        raise Refused(
            t(
                "There is no collection yet: make one with POST /v1/collections.",
                "Il n'y a pas encore de collection : créez-en une par POST /v1/collections.",
            ),
            404,
            "collection_not_found",
        )
    return files
