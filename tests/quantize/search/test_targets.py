"""Targets: the shipped ones are whole, a user's own is read, a bad one is a sentence."""

from pathlib import Path

import msgspec
import pytest

from edge_slm.errors import UsageError
from edge_slm_quantize import recipe
from edge_slm_quantize.records import Target
from edge_slm_quantize.search import gate, kernels, probe, targets

ISSUED = {
    *("laptop-x86", "laptop-x86-avx512", "apple-silicon", "arm-cpu", "raspberry-pi-5"),
    *("snapdragon-x-npu", "rk3588-npu", "kiosk-4gb"),
}
OWN = """
id = "{id}"
title = "Mine"
titre = "La mienne"
formats = ["gguf"]
ram = 1000000000
disk = 1000000000
recipes = {{ chat = ["{recipe}"] }}
gate = {{ chat = "{gate}" }}
"""


def own(folder: Path, id: str = "mine", recipe: str = "q4_0", gate: str = "kld<=0.2") -> str:
    path = folder / "mine.toml"
    path.write_text(OWN.format(id=id, recipe=recipe, gate=gate), encoding="utf-8")
    return str(path)


def test_every_target_that_was_asked_for_ships() -> None:
    assert set(targets.all_targets()) == ISSUED == set(targets.shipped_ids())


@pytest.mark.parametrize("name", sorted(ISSUED))
def test_a_shipped_target_is_whole(name: str) -> None:
    target = targets.load(name)
    assert target.id == name and target.sources and target.title != target.titre
    assert target.recipes.keys() == target.gate.keys()
    for task, names in target.recipes.items():
        assert [recipe.parse(one).name for one in names] == list(names)
        assert gate.parse(target.gate[task], task).metrics
    assert target.fast == kernels.fast(target.features)
    if target.npu:
        assert "delegated" in target.gate["embed"]


def test_a_user_s_own_file_is_a_target(tmp_path: Path) -> None:
    assert targets.load(own(tmp_path)).title == "Mine"


@pytest.mark.parametrize("name", ["laptop", "LAPTOP-X86", "", "../x", "x" * 9000, "a\0b", "/"])
def test_an_unknown_target_is_a_sentence_that_names_some(name: str) -> None:
    with pytest.raises(UsageError, match="There is no target"):
        targets.load(name)
    with pytest.raises(UsageError, match="laptop-x86"):
        targets.load("laptop_x86")


@pytest.mark.parametrize(
    "change",
    [
        {"recipe": "q9"},
        {"gate": "kld"},
        {"gate": "wer<=1"},
        {"id": "other"},
        {"recipe": "ct2-int8"},
    ],
)
def test_a_target_whose_facts_do_not_hold_together_is_refused(
    tmp_path: Path, change: dict[str, str]
) -> None:
    with pytest.raises(UsageError, match=r"mine\.toml is not valid"):
        targets.load(own(tmp_path, **change))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe\x00",
        b"x = " + b"[" * 50_000,
        b"#" * 300_000,
        b'id = "mine"',
        OWN.format(id="mine", recipe="Q4_0", gate="kld<=1").encode() + b"odd = 1\n",
    ],
)
def test_a_hostile_file_is_one_sentence(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(data)
    with pytest.raises(UsageError, match="is not valid") as caught:
        targets.load(str(path))
    assert "\n" not in str(caught.value)


def test_a_task_without_recipes_names_targets_that_have_some() -> None:
    with pytest.raises(UsageError, match=r"no recipe for speech.*laptop-x86"):
        targets.recipes(targets.load("snapdragon-x-npu"), "speech")


def cpuinfo(root: Path, text: str) -> Path:
    (root / "proc").mkdir()
    (root / "proc/cpuinfo").write_text(text, encoding="utf-8")
    return root


def test_instructions_are_those_that_all_cores_have(tmp_path: Path) -> None:
    root = cpuinfo(
        tmp_path,
        "processor : 0\nFeatures : fp asimd asimddp i8mm sve\n\n"
        "processor : 1\nFeatures : fp asimd asimddp\n",
    )
    assert probe.features(root) == ("asimd", "asimddp")


def test_a_processor_that_tells_nothing_has_no_instructions(tmp_path: Path) -> None:
    assert probe.features(cpuinfo(tmp_path, "\0\xff")) == ()
    assert kernels.fast(()) == ()


def test_this_machine_is_a_target_that_can_be_written_and_read_again() -> None:
    target = targets.load(targets.THIS_MACHINE)
    assert target.ram > 0 and target.disk > 0 and target.npu is None
    assert msgspec.json.decode(msgspec.json.encode(target), type=Target) == target
    assert probe.runs_here(target) and probe.speed_note(target) is None


def test_speeds_of_a_wider_processor_do_not_stand_for_those_of_a_laptop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(probe, "architecture", lambda: "x86_64")
    monkeypatch.setattr(probe, "features", lambda: ("avx2", "fma", "f16c", "avx512f"))
    laptop = targets.load("laptop-x86")
    assert not probe.runs_here(laptop)
    assert "not of laptop-x86" in (probe.speed_note(laptop) or "")
    monkeypatch.setattr(probe, "features", lambda: ("avx2", "fma", "f16c"))
    assert probe.runs_here(laptop)
    assert not probe.runs_here(targets.load("raspberry-pi-5"))
    assert not probe.runs_here(targets.load("snapdragon-x-npu"))
