"""/v1/documents and /v1/chunks: what the collections hold, and files added to them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from edge_slm.i18n import t
from edge_slm.kb.base import KnowledgeBase, StoredDocument
from edge_slm.kb.readers import read_documents
from edge_slm.kb.search import passages_of
from edge_slm.server.bases import find, number_of
from edge_slm.server.errors import Refused, not_found
from edge_slm.server.exchange import Call, Reply, as_json, nothing, number
from edge_slm.server.search import chunk_of
from edge_slm.server.site import Site
from edge_slm.server.uploads import saved, upload_of

MOST = 100  # documents or chunks of one page of a listing
LAST = 10**9


def listing(site: Site, call: Call) -> Reply:
    """List the documents of one collection, or of all."""
    limit, offset = number(call, "limit", 10, MOST), number(call, "offset", 0, LAST)
    asked = call.query.get("collection")
    with site.opened(None if asked is None else [find(site, asked)]) as bases:
        data = [_told(base, item) for base in bases for item in base.documents()]
    return as_json({"object": "list", "data": data[offset : offset + limit], "total": len(data)})


def one(site: Site, call: Call) -> Reply:
    """Show one document."""
    with site.opened() as bases:
        return as_json(_told(*_document(bases, call)))


def remove(site: Site, call: Call) -> Reply:
    """Remove a document from its collection."""
    with site.opened() as bases:
        base, item = _document(bases, call)
        base.remove(item.name)
    return nothing()


def chunks(site: Site, call: Call) -> Reply:
    """List the passages of a document, in its order."""
    limit, offset = number(call, "limit", 10, MOST), number(call, "offset", 0, LAST)
    with site.opened() as bases:
        base, item = _document(bases, call)
        hits = passages_of(base, item.name)
    data = [chunk_of(hit) for hit in hits[offset : offset + limit]]
    return as_json({"object": "list", "data": data, "total": len(hits)})


def chunk(site: Site, call: Call) -> Reply:
    """Show one passage of a document."""
    with site.opened() as bases:
        base, item = _document(bases, call)
        for hit in passages_of(base, item.name):
            if str(hit.passage) == call.path["chunk"]:
                return as_json(chunk_of(hit))
    raise not_found(
        t("There is no such chunk in this document.", "Ce document n'a pas ce morceau.")
    )


def add(site: Site, call: Call) -> Reply:
    """Read a file and add what it holds to a collection, in the place of what had its name.

    JSON lines hold several documents: `id` is the first one's, `ids` are all.
    """
    upload = upload_of(call)
    asked = call.fields.get("collection") or call.fields.get("collection_id")
    if not asked:
        raise Refused(
            t(
                "Say which collection, in the field “collection” of the form.",
                "Dites quelle collection, dans le champ « collection » du formulaire.",
            ),
            param="collection",
        )
    with KnowledgeBase.open(find(site, asked)) as base, saved(upload) as path:
        ids = list(_ingest(site, base, path))
    return as_json({"id": ids[0], "ids": ids}, 201)


def _ingest(site: Site, base: KnowledgeBase, path: Path) -> Iterator[int]:
    embedder = site.engines.embedder(base.meta["embedder"])
    for document in read_documents(path):
        # The temporary file is gone by the time that anybody looks at where it came from.
        origin = "" if document.origin == str(path) else document.origin
        base.add(replace(document, origin=origin), embedder)
        yield number_of(base.name, document.name)


def _document(bases: list[KnowledgeBase], call: Call) -> tuple[KnowledgeBase, StoredDocument]:
    asked = call.path["document"]
    for base in bases:
        for item in base.documents():
            if str(number_of(base.name, item.name)) == asked:
                return base, item
    raise not_found(
        t(
            "There is no document {asked}: see /v1/documents.",
            "Il n'y a pas de document {asked} : voir /v1/documents.",
            asked=asked[:100],
        ),
        "document_not_found",
        "document",
    )


def _told(base: KnowledgeBase, item: StoredDocument) -> dict[str, object]:
    return {
        "object": "document",
        "id": number_of(base.name, item.name),
        "name": item.name,
        "title": item.title,
        "collection_id": number_of(base.name),
        "created_at": int(datetime.fromisoformat(item.added).timestamp()),
        "chunks": item.passages,
        "pages": item.pages,
    }
