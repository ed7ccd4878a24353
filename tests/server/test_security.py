"""Who may speak to the server."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from edge_slm.server.app import Server, build
from edge_slm.server.security import Rules
from edge_slm.server.site import Site

from .conftest import LOCAL
from .fakes import FakeEngines

TOKEN = "s3cret"


def get(rules: Rules, engines: FakeEngines, path: str = "/v1/models", **headers: str) -> Any:
    """Send a request under these rules."""
    with TestClient(build(Server(Site(engines), rules)), base_url=LOCAL) as client:
        return client.get(path, headers={k.replace("_", "-"): v for k, v in headers.items()})


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:8321", "localhost:9", "[::1]:8321", "LOCALHOST", "127.9.9.9"]
)
def test_the_names_of_this_machine_are_answered(engines: FakeEngines, host: str) -> None:
    assert get(Rules(), engines, host=host).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example:8321",
        "192.168.1.2",
        "",
        "[::2]",
        "[",
        "evil.example,127.0.0.1",
        "0x7f000001.example",
    ],
)
def test_any_other_name_is_refused(engines: FakeEngines, host: str) -> None:
    answer = get(Rules(), engines, host=host)
    assert answer.status_code == 403
    assert answer.json()["error"]["type"] == "permission_error"


def test_a_server_for_others_answers_to_any_name(engines: FakeEngines) -> None:
    assert get(Rules(local=False), engines, host="edge.town.example").status_code == 200


@pytest.mark.parametrize("local", [True, False])
@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost@evil.example", ""]
)
def test_pages_of_the_web_are_refused(engines: FakeEngines, origin: str, local: bool) -> None:
    assert get(Rules(local), engines, origin=origin).status_code == 403


@pytest.mark.parametrize("origin", ["http://localhost:3000", "http://127.0.0.1", "http://[::1]:80"])
def test_pages_of_this_machine_pass_without_leave_to_read(
    engines: FakeEngines, origin: str
) -> None:
    answer = get(Rules(), engines, origin=origin)
    assert answer.status_code == 200
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_an_image_in_a_page_of_the_web_is_refused(engines: FakeEngines) -> None:
    assert get(Rules(), engines, sec_fetch_site="cross-site").status_code == 403
    assert get(Rules(), engines, sec_fetch_site="none").status_code == 200


@pytest.mark.parametrize("given", [f"Bearer {TOKEN}", f"bearer {TOKEN}", f"Bearer  {TOKEN} "])
def test_the_token_opens(engines: FakeEngines, given: str) -> None:
    assert get(Rules(token=TOKEN), engines, authorization=given).status_code == 200


@pytest.mark.parametrize(
    "given",
    [
        "",
        "Bearer",
        "Bearer ",
        f"Basic {TOKEN}",
        TOKEN,
        "Bearer s3cre",
        f"Bearer {TOKEN}x",
        "Bearer \xe9",
    ],
)
@pytest.mark.parametrize("path", ["/v1/models", "/metrics", "/nowhere"])
def test_without_the_token_nothing_is_answered(engines: FakeEngines, given: str, path: str) -> None:
    headers: Any = {"authorization": given.encode("latin-1")}
    answer = get(Rules(token=TOKEN), engines, path, **headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert TOKEN not in answer.text


def test_health_needs_no_token(engines: FakeEngines) -> None:
    assert get(Rules(token=TOKEN), engines, "/health").status_code == 200
