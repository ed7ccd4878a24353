"""The interface's language, and numbers in it."""

import pytest

from edge_slm.i18n import decimal, interface_language, say, size, t

VARIABLES = ("EDGE_SLM_LANG", "LC_ALL", "LC_MESSAGES", "LANG")


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def test_without_a_locale_it_is_english() -> None:
    assert interface_language() == "en"


@pytest.mark.parametrize("name", VARIABLES)
def test_each_variable_decides_alone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "fr_FR.UTF-8")
    assert interface_language() == "fr"
    monkeypatch.setenv(name, "de_DE.UTF-8")
    assert interface_language() == "en"


@pytest.mark.parametrize("place", range(len(VARIABLES) - 1))
def test_the_first_variable_wins(place: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLES[place], "fr")
    for name in VARIABLES[place + 1 :]:
        monkeypatch.setenv(name, "en_GB.UTF-8")
    assert interface_language() == "fr"


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "")
    monkeypatch.setenv("LANG", "FR_ca")
    assert interface_language() == "fr"


def test_texts_follow_the_interface(monkeypatch: pytest.MonkeyPatch) -> None:
    assert t("{n} files", "{n} fichiers", n=2) == "2 files"
    monkeypatch.setenv("EDGE_SLM_LANG", "fr")
    assert t("{n} files", "{n} fichiers", n=2) == "2 fichiers"


def test_a_text_without_values_may_hold_braces() -> None:
    assert say("en", "a {b}", "c {d}") == "a {b}"
    assert say("fr", "a {b}", "c {d}") == "c {d}"


def test_braces_in_a_value_are_left_alone() -> None:
    assert say("en", "{x}", "{x}", x="{y}") == "{y}"


def test_another_language_is_spoken_to_in_english() -> None:
    assert say("de", "yes", "oui") == "yes"


@pytest.mark.parametrize(
    ("number", "english", "french"),
    [
        (0, "0 B", "0 o"),
        (999, "999 B", "999 o"),
        (1000, "1 kB", "1 ko"),
        (145_217_607, "145.2 MB", "145,2 Mo"),
        (1_117_320_768, "1.1 GB", "1,1 Go"),
        (5 * 10**15, "5000.0 TB", "5000,0 To"),
    ],
)
def test_size(number: int, english: str, french: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert size(number) == english
    monkeypatch.setenv("EDGE_SLM_LANG", "fr")
    assert size(number) == french


def test_decimal(monkeypatch: pytest.MonkeyPatch) -> None:
    assert decimal(2.875, 2) in ("2.87", "2.88")
    assert decimal(3, 0) == "3"
    monkeypatch.setenv("EDGE_SLM_LANG", "fr")
    assert decimal(1.25, 1) in ("1,2", "1,3")
    assert decimal(-0.5) == "-0,5"
