"""Replies without a model."""

import pytest

from edge_slm.tasks import small_talk


@pytest.mark.parametrize("kind", ["greeting", "mood", "thanks", "farewell", "identity", "other"])
def test_each_kind_has_a_reply_in_both_languages(kind: str) -> None:
    french, english = small_talk.reply(kind, "fr"), small_talk.reply(kind, "en")
    assert french
    assert english
    assert french != english


def test_who_it_is_says_what_it_can_do() -> None:
    assert small_talk.reply("identity", "fr") == small_talk.abilities("fr")
    assert "translate" in small_talk.abilities("en")
    assert "traduis" in small_talk.abilities("fr")


@pytest.mark.parametrize("language", ["fr", "en"])
def test_without_a_base_it_says_how_to_make_one(language: str) -> None:
    text = small_talk.no_base(language)
    assert "edge-slm kb create" in text
    assert text.endswith(small_talk.abilities(language))


def test_the_examples_that_it_gives_are_understood() -> None:
    from edge_slm.routing.router import route

    examples = ["translate into French: …", "transcribe meeting.wav", "traduis en anglais : …"]
    for example in [*examples, "transcris reunion.wav"]:
        assert example in small_talk.abilities("fr") + small_talk.abilities("en")
        assert route(example).route.task in ("translation", "speech")
