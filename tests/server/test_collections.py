"""Collections, documents, chunks and search in Albert's shapes."""

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from edge_slm.kb.base import KnowledgeBase, base_path
from edge_slm.server.app import Server, build
from edge_slm.server.site import Site
from tests.fakes import DIMENSIONS
from tests.kb.samples import LEAVE, MEALS, REMOTE

from .conftest import LOCAL
from .fakes import EMBED, FakeEngines

COLLECTIONS, DOCUMENTS = "/v1/collections", "/v1/documents"
NOTE = b"# Badge\n\nLe badge se retire au poste de garde.\n"


def rows(client: TestClient, url: str) -> list[dict[str, Any]]:
    """Return the rows of a listing."""
    answer = client.get(url)
    assert answer.status_code == 200, answer.text
    assert answer.json()["object"] == "list"
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


def failed(answer: Any, status: int) -> str:
    """Check that a request failed in the shape of all errors, and return the sentence."""
    assert answer.status_code == status, answer.text
    return str(answer.json()["error"]["message"])


def test_a_base_is_a_collection_under_a_number_that_stays(client: TestClient, base: str) -> None:
    (row,) = rows(client, COLLECTIONS)
    assert (row["name"], row["documents"]) == (base, 2)
    assert row["id"] == 6886606258666
    assert client.get(f"{COLLECTIONS}/{row['id']}").json() == row
    assert client.get(f"{COLLECTIONS}/{base}").json() == row


def test_a_collection_is_made_filled_and_removed(client: TestClient, home: Path) -> None:
    made = client.post(COLLECTIONS, json={"name": "acces", "description": "unused"})
    assert made.status_code == 201
    # The card of the real embedder says 384 numbers; the fake one makes fewer.
    (home / "kb" / "acces.db").unlink()
    KnowledgeBase.create(home / "kb" / "acces.db", EMBED, DIMENSIONS).close()
    number = made.json()["id"]
    files = {"file": ("badge.md", NOTE)}
    added = client.post(DOCUMENTS, files=files, data={"collection": str(number)})
    assert added.status_code == 201, added.text
    (row,) = rows(client, f"{DOCUMENTS}?collection={number}")
    assert row["id"] == added.json()["id"]
    assert (row["name"], row["title"], row["chunks"]) == ("badge.md", "Badge", 1)
    with KnowledgeBase.open(base_path("acces")) as opened:
        assert opened.documents()[0].origin == ""  # not the path of a temporary file
    assert client.delete(f"{COLLECTIONS}/{number}").status_code == 204
    assert rows(client, COLLECTIONS) == []
    assert not (home / "kb" / "acces.db").exists()


def test_adding_the_same_file_twice_changes_nothing(client: TestClient, base: str) -> None:
    first, second = (
        client.post(DOCUMENTS, files={"file": ("badge.md", NOTE)}, data={"collection": base})
        for _ in range(2)
    )
    assert first.json() == second.json()
    assert len(rows(client, DOCUMENTS)) == 3


def test_json_lines_hold_several_documents(client: TestClient, base: str) -> None:
    lines = (
        b'{"id": "a", "title": "A", "text": "Un."}\n{"id": "b", "title": "B", "text": "Deux."}\n'
    )
    added = client.post(DOCUMENTS, files={"file": ("x.jsonl", lines)}, data={"collection": base})
    assert len(added.json()["ids"]) == 2
    assert {row["name"] for row in rows(client, DOCUMENTS)} >= {"a", "b"}


def test_a_document_is_shown_with_its_chunks_and_removed(client: TestClient, base: str) -> None:
    row = next(row for row in rows(client, DOCUMENTS) if row["name"] == "conges.md")
    assert client.get(f"{DOCUMENTS}/{row['id']}").json() == row
    chunks = rows(client, f"/v1/chunks/{row['id']}")
    assert [chunk["content"] for chunk in chunks] == [LEAVE, REMOTE]
    assert chunks[1]["metadata"] == {
        "document": "conges.md",
        "title": "Congés",
        "page": 2,
        "section": "",
        "collection": base,
    }
    one = client.get(f"/v1/chunks/{row['id']}/{chunks[1]['id']}")
    assert one.json() == chunks[1]
    assert client.delete(f"{DOCUMENTS}/{row['id']}").status_code == 204
    assert [row["name"] for row in rows(client, DOCUMENTS)] == ["cantine.md"]
    failed(client.get(f"{DOCUMENTS}/{row['id']}"), 404)
    failed(client.get(f"/v1/chunks/{row['id']}"), 404)


def test_listings_come_by_pages(client: TestClient, base: str) -> None:
    assert [row["name"] for row in rows(client, f"{DOCUMENTS}?limit=1")] == ["cantine.md"]
    assert [row["name"] for row in rows(client, f"{DOCUMENTS}?offset=1")] == ["conges.md"]
    document = rows(client, DOCUMENTS)[1]["id"]
    (chunk,) = rows(client, f"/v1/chunks/{document}?limit=1&offset=1")
    assert chunk["content"] == REMOTE
    for query in ("limit=-1", "limit=x", "limit=101", "offset=99999999999", "limit=²"):
        failed(client.get(f"{DOCUMENTS}?{query}"), 400)


@pytest.mark.usefixtures("base")
@pytest.mark.parametrize(
    "name",
    [
        "",
        "a/b",
        "../rh",
        "/etc/passwd",
        "..",
        ".hidden",
        "a b",
        "x\n",
        "x" * 65,
        "a\\b",
        "C:x",
        "é\0",
    ],
)
def test_a_name_that_is_no_name_is_refused(client: TestClient, home: Path, name: str) -> None:
    before = sorted(home.parent.rglob("*.db"))
    failed(client.post(COLLECTIONS, json={"name": name}), 400)
    assert sorted(home.parent.rglob("*.db")) == before


def test_a_collection_that_exists_is_not_made_again(client: TestClient, base: str) -> None:
    failed(client.post(COLLECTIONS, json={"name": base}), 409)
    assert len(rows(client, DOCUMENTS)) == 2


@pytest.mark.usefixtures("base")
@pytest.mark.parametrize("name", ["absent", "0", "..%2Frh", "%2E%2E", "1" * 5000])
def test_what_is_not_there_is_not_found(client: TestClient, home: Path, name: str) -> None:
    failed(client.get(f"{COLLECTIONS}/{name}"), 404)
    failed(client.delete(f"{COLLECTIONS}/{name}"), 404)
    failed(client.get(f"{DOCUMENTS}/{name}"), 404)
    failed(client.delete(f"{DOCUMENTS}/{name}"), 404)
    failed(client.get(f"/v1/chunks/{name}/1"), 404)
    assert (home / "kb" / "rh.db").is_file()


@pytest.mark.parametrize(
    ("name", "data", "status"),
    [
        ("a.exe", b"MZ", 400),
        ("a.pdf", b"%PDF-1.7 cut", 400),
        ("a.md", b"", 400),
        ("a.md", b"\0\1\2", 400),
        ("a.docx", b"PK\x03\x04", 400),
        ("a.jsonl", b"no json", 400),
        ("noname", b"x", 400),
    ],
)
def test_a_bad_file_changes_nothing(
    client: TestClient, base: str, name: str, data: bytes, status: int
) -> None:
    failed(client.post(DOCUMENTS, files={"file": (name, data)}, data={"collection": base}), status)
    assert len(rows(client, DOCUMENTS)) == 2


def test_a_file_needs_a_collection(client: TestClient) -> None:
    failed(client.post(DOCUMENTS, files={"file": ("badge.md", NOTE)}), 400)
    answer = client.post(DOCUMENTS, files={"file": ("b.md", NOTE)}, data={"collection": "absent"})
    failed(answer, 404)


def test_a_server_of_named_bases_shows_no_other(
    engines: FakeEngines, base: str, home: Path
) -> None:
    KnowledgeBase.create(home / "kb" / "secret.db", EMBED, DIMENSIONS).close()
    with TestClient(build(Server(Site(engines, [base]))), base_url=LOCAL) as client:
        assert [row["name"] for row in rows(client, COLLECTIONS)] == [base]
        failed(client.get(f"{COLLECTIONS}/secret"), 404)
        failed(client.post(COLLECTIONS, json={"name": "new"}), 403)
        failed(client.delete(f"{COLLECTIONS}/{base}"), 403)
        answer = client.post("/v1/search", json={"prompt": "x", "collections": ["secret"]})
        failed(answer, 404)


def search(client: TestClient, **fields: Any) -> list[dict[str, Any]]:
    """Search, and return the rows."""
    answer = client.post("/v1/search", json=fields)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


@pytest.mark.parametrize("method", ["hybrid", "semantic", "lexical"])
def test_a_search_finds_the_nearest_passage(client: TestClient, base: str, method: str) -> None:
    found = search(client, prompt="repas de la cantine", collections=[base], method=method)
    assert found[0]["chunk"]["content"] == MEALS
    assert found[0]["method"] == method
    scores = [row["score"] for row in found]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)


def test_by_words_alone_a_passage_without_any_is_no_result(client: TestClient, base: str) -> None:
    assert len(search(client, prompt="repas", collections=[base], method="lexical")) == 1
    assert len(search(client, prompt="repas", collections=[base], method="semantic")) == 3


def test_limit_offset_and_threshold_cut_the_results(client: TestClient, base: str) -> None:
    whole = search(client, prompt="repas de la cantine", collections=[base])
    assert search(client, prompt="repas de la cantine", limit=1) == whole[:1]
    assert search(client, prompt="repas de la cantine", offset=1) == whole[1:]
    assert search(client, prompt="repas de la cantine", score_threshold=0.9) == whole[:1]


def test_of_several_collections_the_surest_comes_first(
    client: TestClient, base: str, home: Path
) -> None:
    with KnowledgeBase.create(home / "kb" / "autre.db", EMBED, DIMENSIONS):
        pass
    files = {"file": ("jardin.md", b"# Jardin\n\nLes rosiers se taillent en mars.\n")}
    assert client.post(DOCUMENTS, files=files, data={"collection": "autre"}).status_code == 201
    found = search(client, prompt="repas chauds à midi à la cantine du siège")
    assert found[0]["chunk"]["metadata"]["collection"] == base
    assert {row["chunk"]["metadata"]["collection"] for row in found} == {base, "autre"}


@pytest.mark.usefixtures("base")
@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"prompt": ""}, 400),
        ({}, 400),
        ({"prompt": "x", "limit": 201}, 400),
        ({"prompt": "x", "limit": 0}, 400),
        ({"prompt": "x", "offset": -1}, 400),
        ({"prompt": "x", "method": "magic"}, 400),
        ({"prompt": "x", "collections": [3]}, 404),
        ({"prompt": "x", "collections": [None]}, 400),
        ({"prompt": "x" * 10_001}, 400),
    ],
)
def test_a_bad_search_is_refused(client: TestClient, fields: Any, status: int) -> None:
    failed(client.post("/v1/search", json=fields), status)
