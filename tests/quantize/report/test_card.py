"""The card of what was chosen: one that the catalogue reads, whatever the model was called."""

import hashlib
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from edge_slm.cards import PathSource, read_card, write_card
from edge_slm.errors import UsageError
from edge_slm_quantize.report.card import card_id, card_of
from tests.quantize.orders import SOURCE
from tests.quantize.report.results import a_result


def test_a_card_is_written_and_read_again(tmp_path: Path) -> None:
    model = tmp_path / "model.gguf"
    model.write_bytes(b"weights")
    card = card_of(a_result(), model)
    assert read_card(write_card(card, tmp_path)) == card
    assert card.id == "small-q4_k_m" and card.quantisation == "Q4_K_M" and card.exercised
    assert card.sources == (PathSource(path=str(model)),)
    assert card.files[0].sha256 == hashlib.sha256(b"weights").hexdigest()
    assert card.min_ram == 1_000_000_000


def test_a_folder_gives_all_its_files(tmp_path: Path) -> None:
    for name in ("model.bin", "config.json"):
        (tmp_path / name).write_bytes(b"x")
    assert [file.name for file in card_of(a_result(), tmp_path).files] == [
        "config.json",
        "model.bin",
    ]


def test_files_that_no_card_can_hold_are_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "x.bin").write_bytes(b"x")
    with pytest.raises(UsageError, match="No card can be written"):
        card_of(a_result(), tmp_path)
    (tmp_path / "empty.gguf").touch()
    with pytest.raises(UsageError, match="No card can be written"):
        card_of(a_result(), tmp_path / "empty.gguf")


def test_without_a_choice_there_is_no_card(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No recipe was chosen"):
        card_of(a_result(chosen=None), tmp_path)


@given(some.text(max_size=200))
def test_any_name_gives_an_id_that_cards_allow(name: str) -> None:
    from edge_slm.cards import Id

    found = card_id(name, "Q4_0+imatrix+ffn_down=Q6_K")
    assert msgspec.convert(found, Id) == found
    assert found.endswith("-q4_0-imatrix-ffn_down-q6_k")


def test_a_model_with_a_hostile_name_still_has_a_card(tmp_path: Path) -> None:
    model = tmp_path / "model.gguf"
    model.write_bytes(b"weights")
    source = msgspec.structs.replace(SOURCE, name='../<x>"\n')
    card = card_of(a_result(source=source), model)
    assert read_card(write_card(card, tmp_path)) == card
