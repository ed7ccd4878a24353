"""`edge-slm models`: what is printed where, and the exit codes."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from edge_slm import machine, paths, profiles
from edge_slm.cards import Card, PathSource, all_cards, write_card
from edge_slm.cli.models import command
from edge_slm.errors import EdgeSlmError, IntegrityError, MissingError, UsageError
from edge_slm.store import Store

Make = Callable[..., Card]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments, standalone_mode=False)


def fails(kind: type[EdgeSlmError], *arguments: str) -> str:
    result = run(*arguments)
    assert isinstance(result.exception, kind)
    assert "\n" not in str(result.exception)
    return str(result.exception)


def test_list_tells_every_model_and_what_is_here(store: Store, path_card: Make) -> None:
    store.pull(path_card("one", {"a.bin": b"abc"}))
    rows = {row["id"]: row for row in json.loads(run("list", "--json").stdout)}
    assert rows.keys() == all_cards().keys()
    assert rows["one"]["installed"] is True
    assert rows["whisper-base"]["installed"] is False
    assert rows["whisper-base"]["profiles"] == ["lite", "standard"]
    text = run("list").stdout
    assert "\x1b" not in text
    assert all(name in text for name in rows)
    assert "not exercised here" in text


def test_show_gives_the_whole_card(store: Store, path_card: Make) -> None:
    card = path_card("one", {"a.bin": b"abc"})
    shown = json.loads(run("show", "one", "--json").stdout)
    assert shown["path"] is None
    assert shown["files"][0]["sha256"] == card.files[0].sha256
    store.pull(card)
    assert str(store.path("one")) in run("show", "one").stdout


def test_pull_says_when_a_model_is_there_already(path_card: Make) -> None:
    path_card("one", {"a.bin": b"abc"})
    assert "fetched and verified" in run("pull", "one").stdout
    again = run("pull", "one")
    assert again.exception is None
    assert "one: here" in again.stdout


def test_pull_goes_on_after_a_failure_and_reports_it(
    make_card: Make, path_card: Make, store: Store
) -> None:
    broken = make_card("broken", {"a.bin": b"abc"}, PathSource("/nowhere"))
    write_card(broken, paths.user_cards_dir())
    path_card("good", {"b.bin": b"ok"})
    assert "broken" in fails(MissingError, "pull", "broken", "good")
    assert store.installed("good")


def test_pull_without_a_name_takes_the_profile_of_the_memory(
    monkeypatch: pytest.MonkeyPatch, path_card: Make, store: Store
) -> None:
    path_card("small", {"a.bin": b"abc"})
    path_card("large", {"b.bin": b"abcd"})
    monkeypatch.setattr(profiles, "PROFILES", {"lite": ("small",), "standard": ("large",)})
    monkeypatch.setattr(machine, "total_ram", lambda: 4_000_000_000)
    result = run("pull")
    assert "lite" in result.stderr
    assert "lite" not in result.stdout
    assert store.models() == ["small"]
    assert run("pull", "standard", "small").exception is None
    assert store.models() == ["large", "small"]


def test_an_unknown_model_is_wrong_usage() -> None:
    assert "whisper-base" in fails(UsageError, "pull", "whisper-bsae")
    fails(UsageError, "show", "nothing-of-the-kind")
    fails(UsageError, "remove", "nothing-of-the-kind", "--yes")
    fails(UsageError, "verify", "nothing-of-the-kind")


def test_verify_fails_with_a_remedy_and_names_the_file(store: Store, path_card: Make) -> None:
    store.pull(path_card("one", {"a.bin": b"abc"}))
    assert run("verify").stdout == "one/a.bin: good\n"
    store.path("one").write_bytes(b"abX")
    result = run("verify", "--json")
    assert isinstance(result.exception, IntegrityError)
    assert "edge-slm models pull one" in str(result.exception)
    assert json.loads(result.stdout)[0]["state"] == "differs"


def test_verify_of_an_empty_store_finds_nothing_wrong() -> None:
    assert json.loads(run("verify", "--json").stdout) == []


def test_remove_says_what_was_freed(store: Store, path_card: Make) -> None:
    store.pull(path_card("one", {"a.bin": b"abc"}))
    assert run("remove", "one").stdout == "one: 3 B freed\n"
    assert not store.installed("one")


def test_import_prints_the_id(path_card: Make, tmp_path: Path) -> None:
    path_card("known", {"a.bin": b"known bytes"})
    (tmp_path / "x").write_bytes(b"known bytes")
    assert run("import", str(tmp_path / "x")).stdout == "known: here (11 B)\n"
    fails(MissingError, "import", str(tmp_path / "nothing"))


def test_sentences_follow_the_language(monkeypatch: pytest.MonkeyPatch, path_card: Make) -> None:
    monkeypatch.setenv("EDGE_SLM_LANG", "fr")
    path_card("one", {"a.bin": b"abc"})
    assert "récupéré et vérifié (3 o)" in run("pull", "one").stdout
    assert "vouliez-vous dire whisper-base" in fails(UsageError, "show", "whisper-bas")
