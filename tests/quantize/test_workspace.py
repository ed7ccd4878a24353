"""A job's folder: what is done stays, what is half-made goes, one command holds it at a time."""

from pathlib import Path

import msgspec
import pytest

from edge_slm import machine
from edge_slm.errors import EdgeSlmError, UsageError
from edge_slm_quantize import workspace
from edge_slm_quantize.recipe import parse
from edge_slm_quantize.records import Made, Measured
from edge_slm_quantize.workspace import Workspace, key_of, opened, require_disk
from tests.quantize.orders import a_made, an_order

RECIPE = parse("Q8_0")


def writes(folder: Path) -> Made:
    (folder / "model.gguf").write_bytes(b"GGUF")
    return a_made()


def fails(folder: Path) -> Made:
    (folder / "model.gguf").write_bytes(b"GG")
    raise EdgeSlmError("no")


def test_an_artefact_is_made_once(tmp_path: Path) -> None:
    with opened(tmp_path, "k") as space:
        first = space.made(RECIPE, writes)
        assert space.artefact(RECIPE, first).read_bytes() == b"GGUF"
        assert space.made(RECIPE, fails) == first


def test_what_failed_leaves_nothing_and_is_tried_again(tmp_path: Path) -> None:
    with opened(tmp_path, "k") as space:
        with pytest.raises(EdgeSlmError):
            space.made(RECIPE, fails)
        assert not list(space.folder.rglob("*.gguf"))
        assert space.made(RECIPE, writes)


def test_what_a_killed_command_left_half_made_is_removed(tmp_path: Path) -> None:
    half = tmp_path / "work" / "k" / RECIPE.slug / ".part-x"
    half.mkdir(parents=True)
    (half / "model.gguf").write_bytes(b"GG")
    with opened(tmp_path, "k") as space:
        assert not half.exists()
        space.made(RECIPE, writes)


def test_an_artefact_without_its_record_or_a_damaged_record_is_made_again(tmp_path: Path) -> None:
    with opened(tmp_path, "k") as space:
        space.made(RECIPE, writes)
        record = space.folder / RECIPE.slug / "made.json"
        record.write_bytes(record.read_bytes()[:-5])
        with pytest.raises(EdgeSlmError):
            space.made(RECIPE, fails)


def test_measures_are_kept_for_the_same_way_of_measuring_only(tmp_path: Path) -> None:
    answers = iter([Measured(values={"kld": 0.1}), Measured(values={"kld": 0.2})])
    order = an_order(tmp_path)
    other = msgspec.structs.replace(order, tokens=1024)
    with opened(tmp_path, "k") as space:
        for asked in (order, order, msgspec.structs.replace(order, threads=7)):
            assert space.measured("q8_0", asked, lambda: next(answers)).values == {"kld": 0.1}
        assert space.measured("q8_0", other, lambda: next(answers)).values == {"kld": 0.2}


def test_another_key_finds_nothing(tmp_path: Path) -> None:
    with opened(tmp_path, "k") as space:
        space.made(RECIPE, writes)
    assert not Workspace(tmp_path, "l").folder.exists()
    assert key_of("a", {"b": 1}) == key_of("a", {"b": 1}) != key_of("a", {"b": 2})


def test_a_second_command_in_the_folder_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path, "k"), pytest.raises(UsageError, match="-o"), opened(tmp_path, "k"):
        pass
    with opened(tmp_path, "k"):  # and let in when the first is done
        pass


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("x")
    with pytest.raises(UsageError, match="-o"), opened(tmp_path / "f", "k"):
        pass


def test_a_disk_too_small_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workspace, "free_disk", lambda _: 100_000_000)
    require_disk(30_000_000, tmp_path)
    with pytest.raises(EdgeSlmError, match="-o"):
        require_disk(50_000_000, tmp_path)
    assert machine.free_disk(tmp_path / "not" / "there") > 0
