"""Masking can be undone from memory, and only from memory."""

import copy
import json
import pickle
import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_slm.privacy.mask import Masked, Masker, mask
from tests.privacy.samples import made_up

SECRET = "Sophie Vasselin"
FRAGMENTS = (
    *(
        "Mme ",
        "M. ",
        "Dupont",
        "Sophie ",
        "je m'appelle ",
        "Nom : ",
        "de la ",
        "d'",
        "\n",
        ", ",
        " et ",
    ),
    *(
        "12 ",
        "rue ",
        "des Lilas ",
        "37000 ",
        "Tours",
        "06 39 98 00 12",
        "né le ",
        "1/2/1980",
        "(",
        ")",
    ),
    *(
        "a@exemple.fr",
        "FR7630006000011234567890189",
        "NUMEN ",
        "AB-123-CD",
        "[NOM_1]",
        "[TEL_2]",
        "[",
    ),
    *(
        "255081416802538",
        "\u00a0",
        "e\u0301",
        "\u0301",
        "\ue003",
        "\ud800",
        "É",
        "<",
        ">",
        "_1]",
        "]",
    ),
)
texts = st.one_of(st.text(), st.lists(st.sampled_from(FRAGMENTS), max_size=25).map("".join))


@given(texts)
def test_any_text_comes_back(text: str) -> None:
    masked = mask(text)
    assert masked.restore(masked.text) == text


@given(texts)
def test_entities_are_in_order_apart_and_what_they_say(text: str) -> None:
    entities = mask(text).entities
    places = [place for entity in entities for place in (entity.start, entity.end)]
    assert places == sorted(places)
    assert all(entity.text == text[entity.start : entity.end] != "" for entity in entities)


@given(st.lists(texts, max_size=4))
def test_a_conversation_comes_back_text_by_text(conversation: list[str]) -> None:
    masker = Masker()
    masked = [(text, masker.mask(text)) for text in conversation]
    assert all(one.restore(one.text) == text for text, one in masked)


def test_a_masked_text_holds_nothing_more_to_mask() -> None:
    draw = random.Random(5)
    for _ in range(300):
        masked = mask("\n".join(made_up(draw)[0] for _ in range(3)))
        assert mask(masked.text).text == masked.text


def test_the_same_value_has_the_same_number_in_a_text_and_in_a_conversation() -> None:
    masker = Masker()
    first = masker.mask("Mme Vasselin : 0639980012 ou 0639980034, de préférence 0639980012")
    second = masker.mask("Rappelez Mme Vasselin au 0639980034 ou au 0639980056")
    assert first.text == "[NOM_1] : [TEL_1] ou [TEL_2], de préférence [TEL_1]"
    assert second.text == "Rappelez [NOM_1] au [TEL_2] ou au [TEL_3]"
    assert masker.restore("[TEL_3] et [TEL_1]") == "0639980056 et 0639980012"


def test_a_placeholder_that_the_text_holds_is_no_value_of_ours() -> None:
    text = "[NOM_1] écrit à Mme Vasselin"
    masked = mask(text)
    assert masked.text == "[NOM_1] écrit à [NOM_2]"
    assert masked.restore(masked.text) == text


def test_a_placeholder_of_another_text_stays() -> None:
    assert mask("Mme Vasselin").restore("[NOM_1] et [NOM_7]") == "Mme Vasselin et [NOM_7]"


def test_values_are_never_printed() -> None:
    masker = Masker()
    masked = masker.mask(f"Je m'appelle {SECRET}")
    for thing in (masker, masked, masked.entities, masked.entities[0]):
        assert "Vasselin" not in repr(thing) + str(thing)
    assert masked.entities[0].text == SECRET


@pytest.mark.parametrize(
    "serialise",
    [pickle.dumps, json.dumps, msgspec.json.encode, msgspec.to_builtins, copy.deepcopy],
)
def test_values_are_never_serialised(serialise: object) -> None:
    masker = Masker()
    masked = masker.mask(f"Je m'appelle {SECRET}")
    for thing in (masker, masked, masked.entities[0]):
        with pytest.raises(TypeError):
            serialise(thing)  # type: ignore[operator]


HOSTILE = (
    *(
        "M. ",
        "Mme Dupont, ",
        "M. et Mme ",
        "nom de nom ",
        "nom, prénom, ",
        "Jean-",
        "de la ",
        "d'",
        "J.",
    ),
    *(
        "12 rue ",
        "rue de la ",
        "habite ",
        "75001 P",
        "06 ",
        "0",
        "1 85 05 78 ",
        "FR76 ",
        "+3",
        "12E",
    ),
    *(
        "aaaa@",
        "a@a.",
        "a point a arobase ",
        "né le ",
        "née Dupont et ",
        "[NOM_",
        "[NOM_1]",
        "<",
        "\n",
    ),
    *(
        "DUPONT ",
        "Marie ",
        "AB-123-CD ",
        "((((",
        "e\u0301",
        "\u0301",
        "\ue000",
        "\x00",
        "\ud83d\ude00",
    ),
)


@pytest.mark.parametrize("fragment", HOSTILE)
def test_a_hundred_thousand_hostile_characters_come_back(fragment: str) -> None:
    text = (fragment * (100_000 // len(fragment) + 1))[:100_000]
    masked: Masked = mask(text)
    assert masked.restore(masked.text) == text


@settings(max_examples=20)
@given(st.binary(max_size=2000))
def test_bytes_taken_for_text_come_back(raw: bytes) -> None:
    text = raw.decode("utf-8", "surrogateescape")
    masked = mask(text)
    assert masked.restore(masked.text) == text


def test_an_empty_text_stays_empty() -> None:
    assert (mask("").text, mask("").entities) == ("", ())
