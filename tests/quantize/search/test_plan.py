"""Plans: sizes that llama.cpp really gives, what is left out and why, and how long it takes."""

import json
import struct
from pathlib import Path

import msgspec
import pytest

from edge_slm.errors import EdgeSlmError, IntegrityError, MissingError, UsageError
from edge_slm_quantize import recipe
from edge_slm_quantize.records import Measured, Source, Target
from edge_slm_quantize.search import gate, plan, size
from edge_slm_quantize.search.history import KEPT, History
from tests.quantize.orders import SOURCE, TARGET, an_order
from tests.quantize.tiny import tiny_gguf

NAMES = ("Q8_0", "Q4_0", "Q4_K_M", "Q2_K")


@pytest.fixture
def source(tmp_path: Path) -> Source:
    path = tiny_gguf(tmp_path / "tiny.gguf", hidden=256)
    return msgspec.structs.replace(SOURCE, path=str(path), parameters=1_000_000)


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History("machine", tmp_path / "times.json")


def planned(
    source: Source,
    history: History,
    text: str = "kld<=0.1",
    names: tuple[str, ...] = NAMES,
    budget: float | None = None,
    named: bool = False,
    target: Target = TARGET,
) -> plan.Plan:
    recipes = [recipe.parse(name) for name in names]
    return plan.plan(source, target, recipes, gate.parse(text), budget, history, named=named)


def smollm2() -> dict[str, tuple[int, ...]]:
    """Return the shapes of SmolLM2-135M: 30 layers of 576, 49152 words."""
    found: dict[str, tuple[int, ...]] = {"token_embd.weight": (576, 49152)}
    for layer in range(30):
        for name, shape in {
            **{"attn_q": (576, 576), "attn_k": (576, 192), "attn_v": (576, 192)},
            **{"attn_output": (576, 576), "ffn_gate": (576, 1536), "ffn_up": (576, 1536)},
            **{"ffn_down": (1536, 576), "attn_norm": (576,), "ffn_norm": (576,)},
        }.items():
            found[f"blk.{layer}.{name}.weight"] = shape
    return found


@pytest.mark.parametrize(
    ("name", "megabytes"),
    [
        # Files that llama_model_quantize wrote of SmolLM2-135M, with 1.8 MB of vocabulary each.
        *(("F16", 270.9), ("Q8_0", 144.8), ("Q6_K", 138.4), ("Q5_K_M", 112.1)),
        *(("Q4_K_M", 105.5), ("Q4_0", 91.7), ("IQ4_XS", 91.3), ("Q3_K_M", 93.5), ("Q2_K", 88.2)),
    ],
)
def test_expected_sizes_are_those_of_files_whose_rows_fall_back(
    name: str, megabytes: float
) -> None:
    weights = size.Weights(smollm2(), 1_785_664)
    found = size.expected(SOURCE, recipe.parse(name), weights)
    assert found.bytes / 1e6 == pytest.approx(megabytes, rel=0.01)
    assert found.least < megabytes * 1e6


def test_types_that_are_set_apart_count(source: Source) -> None:
    weights = size.weights_of(source)
    plain = size.expected(source, recipe.parse("Q4_0"), weights)
    mixed = size.expected(source, recipe.parse("Q4_0+ffn_down=Q8_0"), weights)
    assert mixed.bytes > plain.bytes


def test_shapes_of_safetensors_are_read_from_their_headers(tmp_path: Path) -> None:
    header = json.dumps(
        {"__metadata__": {}, "w": {"dtype": "F32", "shape": [3, 64], "data_offsets": [0, 768]}}
    ).encode()
    whole = struct.pack("<Q", len(header)) + header + bytes(768)
    (tmp_path / "model.safetensors").write_bytes(whole)
    # The same weights under another program's names, as some publishers add.
    (tmp_path / "consolidated.safetensors").write_bytes(whole.replace(b'"w"', b'"v"'))
    given = msgspec.structs.replace(SOURCE, format="safetensors", path=str(tmp_path))
    weights = size.weights_of(given)
    assert weights is not None and weights.shapes == {"w": (64, 3)}


@pytest.mark.parametrize(
    "data", [b"", b"\0" * 4, b"\xff" * 8, struct.pack("<Q", 9) + b"{", struct.pack("<Q", 2) + b"[]"]
)
def test_a_damaged_header_is_a_sentence(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.safetensors").write_bytes(data)
    given = msgspec.structs.replace(SOURCE, format="safetensors", path=str(tmp_path))
    with pytest.raises(IntegrityError, match="not a whole safetensors file"):
        size.weights_of(given)


def test_steps_go_from_the_smallest_upward_and_stop_at_the_first(
    source: Source, history: History
) -> None:
    found = planned(source, history)
    sizes = [step.bytes_expected for step in found.steps]
    assert sizes == sorted(sizes) and found.stop_at_first
    assert not found.known and "rough guess" in plan.text(found)


def test_what_is_too_large_for_the_gate_is_left_out_with_the_reason(
    source: Source, history: History
) -> None:
    limit = planned(source, history).steps[0].bytes_expected
    found = planned(source, history, f"kld<=0.1 and size<={limit}")
    assert found.steps[0].pruned is None and found.steps[-1].recipe == "Q8_0"
    assert "the gate asks size <=" in (found.steps[-1].pruned or "")
    assert "left out because" in plan.text(found)


def test_recipes_that_the_user_named_are_all_tried_in_the_user_s_order(
    source: Source, history: History
) -> None:
    found = planned(source, history, "size<=100", named=True)
    assert [step.recipe for step in found.open] == list(NAMES)
    assert not found.stop_at_first


def test_a_target_without_memory_or_without_the_format_leaves_recipes_out(
    source: Source, history: History
) -> None:
    small = msgspec.structs.replace(TARGET, ram=1000)
    with pytest.raises(EdgeSlmError, match="bench has 1 kB for it") as caught:
        planned(source, history, target=small)
    assert caught.value.exit_code == 1
    found = planned(source, history, names=("Q4_0", "onnx-int8"), named=True)
    assert [(s.recipe, s.pruned) for s in found.steps if s.pruned] == [
        ("onnx-int8", "bench does not read onnx")
    ]


def test_when_no_recipe_fits_the_model_the_reasons_are_told(
    source: Source, history: History
) -> None:
    speech = msgspec.structs.replace(source, task="speech")
    with pytest.raises(UsageError, match="not made of speech models"):
        planned(speech, history)
    packed = msgspec.structs.replace(source, format="ctranslate2", path="/nowhere")
    with pytest.raises(UsageError, match="only Whisper is taken apart"):
        planned(packed, history)


def test_onnx_and_ct2_recipes_are_made_of_a_whisper_of_floats_in_ctranslate2_s_format(
    source: Source, history: History
) -> None:
    target = msgspec.structs.replace(TARGET, formats=("onnx", "ctranslate2"))
    whisper = msgspec.structs.replace(source, format="ctranslate2", task="speech", path="/nowhere")
    names = ("onnx-int8-dynamic", "ct2-int8")
    found = planned(whisper, history, "wer<=ref+0.02", names, target=target)
    assert {step.recipe for step in found.open} == set(names)
    rounded = msgspec.structs.replace(whisper, quantisation="int8_float16")
    with pytest.raises(UsageError, match="int8_float16 already: give the float model"):
        planned(rounded, history, "wer<=ref+0.02", names, target=target)


def test_a_recipe_whose_package_is_absent_is_left_out(
    source: Source, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "_installed", lambda name: name != "gguf")
    with pytest.raises(MissingError, match=r"gguf is not installed: install edge-slm\[quantize\]"):
        planned(source, history)


def test_a_plan_says_what_its_budget_allows(source: Source, history: History) -> None:
    found = planned(source, history, budget=5.0)
    assert plan.affordable(found) == 2
    assert "The budget of 5 s is for 2 of them." in plan.text(found)
    step = found.steps[0]
    assert plan.fits(step, 100.0, 1.0, done=0)
    assert not plan.fits(step, 100.0, 1.0, done=1)
    assert plan.fits(step, 100.0, None, done=1)


def test_times_are_remembered_for_this_machine_only(history: History) -> None:
    for seconds in (1.0, 2.0, 30.0):
        history.remember("make/Q4_0", 10**9, seconds)
    assert history.expected("make/Q4_0", 2 * 10**9) == (4.0, True)
    assert History("other", history.path).expected("make/Q4_0", 10**9).known is False
    for _ in range(2 * KEPT):
        history.remember("make/Q4_0", 10**9, 7.0)
    assert history.expected("make/Q4_0", 10**9).seconds == 7.0


@pytest.mark.parametrize("data", [b"", b"\xff", b"[" * 100_000, b'{"machine": {"make/Q4_0": "x"}}'])
def test_a_damaged_history_is_begun_anew(history: History, data: bytes) -> None:
    history.path.write_bytes(data)
    assert not history.expected("make/Q4_0", 10**9).known
    history.remember("make/Q4_0", 10**9, 3.0)
    assert history.expected("make/Q4_0", 10**9) == (3.0, True)


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf")])
def test_a_time_that_is_none_is_not_remembered(history: History, seconds: float) -> None:
    history.remember("make/Q4_0", 10**9, seconds)
    assert not history.path.exists()


def test_a_short_measurement_drops_what_cannot_pass_any_more(tmp_path: Path) -> None:
    found = gate.parse("kld<=0.1 and size<=1GB")
    short = plan.proxy(found, an_order(tmp_path))
    assert short is not None and short.tokens == plan.PROXY_TOKENS
    assert plan.proxy_verdict(found, Measured(values={"kld": 0.2, "kld_low": 0.05})) is None
    said = plan.proxy_verdict(found, Measured(values={"kld": 0.2, "kld_low": 0.15}))
    assert said is not None and "kld is 0.15" in said and "kld <= 0.1" in said
    assert plan.proxy_verdict(found, Measured(values={})) is None


def test_there_is_no_proxy_where_it_would_settle_or_spare_nothing(tmp_path: Path) -> None:
    assert plan.proxy(gate.parse("size<=1GB"), an_order(tmp_path)) is None
    few = msgspec.structs.replace(an_order(tmp_path), tokens=2048)
    assert plan.proxy(gate.parse("kld<=0.1"), few) is None
