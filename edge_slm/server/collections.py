"""/v1/collections: knowledge bases in the shape of Albert's collections."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from edge_slm import paths
from edge_slm.cards import get_card
from edge_slm.engines.loaded import EMBEDDER
from edge_slm.i18n import t
from edge_slm.kb.base import KnowledgeBase
from edge_slm.server.bases import find, number_of
from edge_slm.server.errors import Refused
from edge_slm.server.exchange import Call, Reply, as_json, nothing, read
from edge_slm.server.site import Site


class CollectionBody(Struct, frozen=True, kw_only=True):
    """A collection to make; `language` and `contact` are ours, Albert's other fields are unused."""

    name: Annotated[str, Meta(min_length=1, max_length=64)]
    language: Literal["fr", "en"] = "fr"
    contact: Annotated[str, Meta(max_length=500)] = ""


def listing(site: Site, call: Call) -> Reply:
    """List the collections."""
    with site.opened() as bases:
        return as_json({"object": "list", "data": [_told(base) for base in bases]})


def one(site: Site, call: Call) -> Reply:
    """Show one collection."""
    with KnowledgeBase.open(find(site, call.path["collection"])) as base:
        return as_json(_told(base))


def create(site: Site, call: Call) -> Reply:
    """Make an empty collection, for the embedder of this version."""
    body = read(call.body, CollectionBody)
    _check_open(site)
    path = paths.bases_dir() / f"{body.name}.db"
    embed = get_card(EMBEDDER).embed
    assert embed
    if path.parent != paths.bases_dir() or path.exists():
        raise _bad_name(path)
    with KnowledgeBase.create(
        path, EMBEDDER, embed.dimensions, body.language, body.contact
    ) as base:
        return as_json(_told(base), 201)


def remove(site: Site, call: Call) -> Reply:
    """Remove a collection and its documents."""
    _check_open(site)
    find(site, call.path["collection"]).unlink()
    return nothing()


def _told(base: KnowledgeBase) -> dict[str, object]:
    created = int(datetime.fromisoformat(base.meta["created"]).timestamp())
    return {
        "object": "collection",
        "id": number_of(base.name),
        "name": base.name,
        "owner": "edge-slm",
        "description": None,
        "visibility": "private",
        "created_at": created,
        "updated_at": int(base.path.stat().st_mtime),
        "documents": len(base.documents()),
    }


def _check_open(site: Site) -> None:
    if site.kb is not None:
        raise Refused(
            t(
                "This server shows the bases named with --kb only: they are neither made nor "
                "removed here.",
                "Ce serveur ne montre que les bases nommées par --kb : on n'en crée et n'en "
                "retire pas ici.",
            ),
            403,
            "forbidden",
        )


def _bad_name(path: Path) -> Refused:
    if path.parent == paths.bases_dir():
        message = t(
            "The collection {name} exists already: add documents to it.",
            "La collection {name} existe déjà : ajoutez-y des documents.",
            name=path.stem,
        )
        return Refused(message, 409, "exists", "name")
    return Refused(
        t(
            "A collection's name holds letters, digits, “-”, “_” and “.” only.",
            "Le nom d'une collection n'a que des lettres, des chiffres, « - », « _ » et « . ».",
        ),
        param="name",
    )
