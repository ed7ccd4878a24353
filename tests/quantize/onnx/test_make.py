"""Tiny models, exported and quantised by each recipe, against torch and against themselves."""

import math
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("optimum.exporters.onnx")

from edge_slm.errors import EdgeSlmError, IntegrityError, MissingError, UsageError
from edge_slm_quantize.onnx import decoder, graph
from edge_slm_quantize.onnx.embed import embed_onnx
from edge_slm_quantize.onnx.export import export
from edge_slm_quantize.onnx.make import make
from edge_slm_quantize.onnx.sessions import session
from edge_slm_quantize.onnx.speech import Transcriber
from edge_slm_quantize.recipe import ONNX
from edge_slm_quantize.records import Artefact, Source
from edge_slm_quantize.sources.open_ct2 import open_ct2
from tests.quantize.onnx.tiny_hf import an_order, sentence, tiny, words_of


class Job:
    """The folder of one job, whose export is made once for all tests of a module."""

    def __init__(self, root: Path, architecture: str) -> None:
        self.root = root
        self.source = tiny(root / "hf", architecture)

    def make(self, recipe: str) -> tuple[Artefact, Path]:
        folder = self.root / recipe
        if not folder.exists():
            folder.mkdir()
            artefact = make(an_order(self.root, self.source, recipe), folder)
            (folder / "made.json").write_bytes(msgspec.json.encode(artefact))
        artefact = msgspec.json.decode((folder / "made.json").read_bytes(), type=Artefact)
        return artefact, folder / artefact.path


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Job:
    return Job(tmp_path_factory.mktemp("llama"), "llama")


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Job:
    return Job(tmp_path_factory.mktemp("bert"), "bert")


@pytest.fixture(scope="module")
def whisper(tmp_path_factory: pytest.TempPathFactory) -> Job:
    return Job(tmp_path_factory.mktemp("whisper"), "whisper")


def test_the_exported_decoder_gives_the_logits_of_torch(llama: Job) -> None:
    import torch
    from transformers import LlamaForCausalLM

    _, folder = llama.make("onnx-fp32")
    tokens = words_of(sentence(1))
    with torch.no_grad():
        wanted = LlamaForCausalLM.from_pretrained(llama.source.path)(torch.tensor([tokens])).logits
    found = decoder.Decoder(folder / "model.onnx", 1).logits(tokens)
    assert np.abs(found - wanted[0].numpy()).max() < 1e-4


def test_a_decoder_goes_on_from_its_past_as_if_it_had_read_all(llama: Job) -> None:
    _, folder = llama.make("onnx-fp32")
    opened = decoder.Decoder(folder / "model.onnx", 1)
    tokens = words_of(sentence(2))
    likeliest, past = opened._step(opened._first(tokens))
    second, _ = opened._step({**opened._tokens([likeliest], len(tokens)), **past})
    whole = opened.logits([*tokens, likeliest])
    assert likeliest == opened.logits(tokens)[-1].argmax()
    assert second == whole[-1].argmax()


@pytest.mark.parametrize("recipe", [one for one in ONNX if one != "onnx-fp32"])
def test_a_quantised_decoder_stays_near_the_fp32_one(llama: Job, recipe: str) -> None:
    fp32, reference = llama.make("onnx-fp32")
    artefact, folder = llama.make(recipe)
    chunks = [words_of(sentence(seed, 64)) for seed in range(2)]
    ours = np.concatenate(list(decoder.log_probabilities(folder / "model.onnx", chunks, 1)))
    theirs = np.concatenate(list(decoder.log_probabilities(reference / "model.onnx", chunks, 1)))
    kld = (np.exp(theirs) * (theirs - ours)).sum(axis=1).mean()
    assert ours.shape == (64, 309)
    assert np.allclose(np.exp(ours).sum(axis=1), 1, atol=1e-4)
    assert 0 < kld < 0.05
    assert artefact.details["nodes"] != fp32.details["nodes"]
    assert sum(artefact.types.values()) == pytest.approx(1, abs=1e-4)


def test_log_probabilities_are_those_of_the_second_half(llama: Job) -> None:
    _, folder = llama.make("onnx-fp32")
    chunk = words_of(sentence(3, 32))
    (found,) = decoder.log_probabilities(folder / "model.onnx", [chunk], 1)
    logits = decoder.Decoder(folder / "model.onnx", 1).logits(chunk)
    assert found.shape == (16, 309)
    assert found.argmax(axis=1).tolist() == logits[15:31].argmax(axis=1).tolist()


def test_a_careful_decoder_leaves_the_layers_with_massive_activations_and_says_so(
    llama: Job,
) -> None:
    artefact, _ = llama.make("onnx-int8-dynamic")
    everything, _ = llama.make("onnx-int8-dynamic-all")
    assert artefact.details["nodes"]["MatMulInteger"] == 2 * 6
    assert everything.details["nodes"]["MatMulInteger"] == 2 * 7 + 1
    assert "down_proj" in artefact.fallbacks[0] and "lm_head" in artefact.fallbacks[0]
    assert everything.fallbacks == ()


def test_four_bits_are_four_bits_and_the_table_is_kept_once(llama: Job) -> None:
    artefact, folder = llama.make("onnx-int4")
    model = graph.load(folder / "model.onnx")
    nodes = artefact.details["nodes"]
    sizes = [math.prod(one.dims) for one in graph.initialisers(model).values()]
    assert nodes["MatMulNBits"] == 2 * 7 + 1 and nodes["GatherBlockQuantized"] == 1
    assert artefact.types["int4"] > 0.4
    assert sizes.count(309 * 64) == 1
    assert artefact.bits_per_weight < 8 < llama.make("onnx-int8")[0].bits_per_weight < 10


def test_the_fp32_graph_keeps_a_tied_matrix_once(llama: Job) -> None:
    artefact, _ = llama.make("onnx-fp32")
    assert artefact.bits_per_weight == pytest.approx(32, rel=0.02)


def test_a_made_folder_is_usable_as_it_is(llama: Job) -> None:
    artefact, folder = llama.make("onnx-int8")
    names = {path.name for path in folder.iterdir()}
    assert {"model.onnx", "config.json", "tokenizer.json", "generation_config.json"} <= names
    assert not any(name.endswith(".safetensors") for name in names)
    assert artefact.bytes == sum(path.stat().st_size for path in folder.rglob("*"))


def test_the_exported_encoder_gives_the_vectors_of_torch(bert: Job) -> None:
    import torch
    from transformers import BertModel

    _, folder = bert.make("onnx-fp32")
    with torch.no_grad():
        hidden = BertModel.from_pretrained(bert.source.path)(
            torch.tensor([words_of(sentence(4))])
        ).last_hidden_state[0]
    wanted = hidden.mean(dim=0).numpy()
    (found,) = embed_onnx(folder, [sentence(4)], threads=1)
    assert found @ (wanted / np.linalg.norm(wanted)) > 0.99999


@pytest.mark.parametrize("recipe", [one for one in ONNX if one != "onnx-fp32"])
def test_a_quantised_encoder_stays_near_the_fp32_one(bert: Job, recipe: str) -> None:
    texts = [sentence(seed) for seed in range(4)]
    ours = embed_onnx(bert.make(recipe)[1], texts, threads=1)
    theirs = embed_onnx(bert.make("onnx-fp32")[1], texts, threads=1)
    cosines = (ours * theirs).sum(axis=1)
    assert cosines.min() > 0.97
    assert bert.make(recipe)[0].bytes < bert.make("onnx-fp32")[0].bytes


def test_the_exported_whisper_writes_the_tokens_of_torch(whisper: Job) -> None:
    import torch
    from transformers import WhisperForConditionalGeneration

    _, folder = whisper.make("onnx-fp32")
    opened = Transcriber(folder, 1)
    hidden = opened._heard(np.random.default_rng(0).standard_normal(32_000).astype(np.float32) / 9)
    prompt = [303, 304, 307, 308]
    model = WhisperForConditionalGeneration.from_pretrained(whisper.source.path)
    scores, past = opened._step(prompt, hidden, {})
    written = list(prompt)
    for _ in range(5):
        with torch.no_grad():
            wanted = model(
                encoder_outputs=(torch.tensor(hidden),), decoder_input_ids=torch.tensor([written])
            ).logits[0, -1]
        assert np.abs(scores - wanted.numpy()).max() < 1e-4
        written.append(int(scores.argmax()))
        scores, past = opened._step(written[-1:], hidden, past)


@pytest.mark.parametrize("recipe", ["onnx-int8-dynamic", "onnx-int8", "onnx-int4"])
def test_a_quantised_whisper_keeps_both_graphs_and_hears_alike(whisper: Job, recipe: str) -> None:
    artefact, folder = whisper.make(recipe)
    assert set(artefact.details["files"]) == {"encoder_model.onnx", "decoder_model_merged.onnx"}
    samples = np.random.default_rng(1).standard_normal(16_000).astype(np.float32) / 9
    theirs = Transcriber(whisper.make("onnx-fp32")[1], 1)
    ours = Transcriber(folder, 1)
    hidden = theirs._heard(samples)
    wanted, found = (one._step([303, 304, 307, 308], hidden, {})[0] for one in (theirs, ours))
    assert np.corrcoef(found, wanted)[0, 1] > 0.97
    assert not np.array_equal(found, wanted)


def test_a_whisper_in_ctranslate2_s_format_gives_the_graphs_of_its_source(tmp_path: Path) -> None:
    pytest.importorskip("ctranslate2", reason="the extra quantize is not installed")
    from edge_slm_quantize.ct2.make import convert
    from tests.quantize.ct2 import tiny_models

    given = tiny_models.whisper(tmp_path / "hf")
    convert(given, tmp_path / "ct2", None)
    source = open_ct2(tmp_path / "ct2").source
    order = an_order(tmp_path / "job", source, "onnx-fp32")
    (tmp_path / "out").mkdir()
    folder = tmp_path / "out" / make(order, tmp_path / "out").path
    ours = Transcriber(folder, 1)
    hidden = ours._heard(np.zeros(16_000, np.float32))
    scores, _ = ours._step([257], hidden, {})
    import torch
    from transformers import WhisperForConditionalGeneration

    model = WhisperForConditionalGeneration.from_pretrained(given)
    with torch.no_grad():
        wanted = model(
            encoder_outputs=(torch.tensor(hidden),), decoder_input_ids=torch.tensor([[257]])
        ).logits[0, -1]
    assert np.abs(scores - wanted.numpy()).max() < 1e-4


def test_a_translation_model_is_made_and_loads(tmp_path: Path) -> None:
    job = Job(tmp_path, "marian")
    artefact, folder = job.make("onnx-int8-dynamic")
    assert artefact.details["nodes"]["MatMulInteger"] > 10
    assert session(folder / "decoder_model_merged.onnx", 1).get_outputs()[0].name == "logits"


def test_static_int8_is_refused_for_speech(whisper: Job) -> None:
    with pytest.raises(UsageError, match="onnx-int8-static is for chat models"):
        make(an_order(whisper.root, whisper.source, "onnx-int8-static"), whisper.root)


def test_calibration_that_is_too_short_is_refused_and_leaves_nothing(
    bert: Job, tmp_path: Path
) -> None:
    bert.make("onnx-fp32")
    order = an_order(bert.root, bert.source, "onnx-int8-static", texts=3)
    with pytest.raises(UsageError, match="3 texts, and static int8 needs 8"):
        make(order, tmp_path)
    assert not list(tmp_path.rglob("*.onnx"))


def without(source: Source, folder: Path, name: str) -> Source:
    """Return a source that lacks one file."""
    folder.mkdir()
    for path in Path(source.path).iterdir():
        if path.name != name:
            (folder / path.name).symlink_to(path)
    return msgspec.structs.replace(source, path=str(folder), sha256="c" * 64)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("tokenizer.json", "no tokenizer"),
        ("config.json", "no config.json"),
        ("model.safetensors", "no weights"),
    ],
)
def test_a_folder_without_a_needed_file_is_refused_and_nothing_is_kept(
    llama: Job, tmp_path: Path, name: str, sentence: str
) -> None:
    source = without(llama.source, tmp_path / "hf", name)
    with pytest.raises(UsageError, match=sentence):
        export(source, Path(source.path), tmp_path / "shared")
    assert not (tmp_path / "shared").exists()


def test_a_failed_export_keeps_nothing(llama: Job, tmp_path: Path) -> None:
    source = without(llama.source, tmp_path / "hf", "model.safetensors")
    (tmp_path / "hf" / "model.safetensors").write_bytes(b"\xff" * 100)
    with pytest.raises((UsageError, IntegrityError), match="cannot be"):
        export(source, Path(source.path), tmp_path / "shared")
    assert list((tmp_path / "shared").iterdir()) == []


def test_the_export_is_made_once(llama: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    _, folder = llama.make("onnx-fp32")

    def fail(*_: Any) -> None:
        raise AssertionError

    monkeypatch.setattr("edge_slm_quantize.onnx.export._export", fail)
    shared = llama.root / "shared"
    again = export(llama.source, Path(llama.source.path), shared)
    assert (again / "model.onnx").read_bytes() == (folder / "model.onnx").read_bytes()


def test_nothing_is_printed(tmp_path: Path, llama: Job, capfd: pytest.CaptureFixture[str]) -> None:
    export(llama.source, Path(llama.source.path), tmp_path)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("content", [b"", b"\0" * 1000, b"GGUF" + b"\xff" * 100])
def test_a_file_that_is_no_graph_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(EdgeSlmError, match=r"model\.onnx"):
        session(path, 1)


def test_a_graph_cut_short_is_refused(llama: Job, tmp_path: Path) -> None:
    _, folder = llama.make("onnx-fp32")
    path = tmp_path / "model.onnx"
    path.write_bytes((folder / "model.onnx").read_bytes()[:-5000])
    with pytest.raises(EdgeSlmError, match="does not load"):
        session(path, 1)
    with pytest.raises(EdgeSlmError, match="no ONNX file"):
        graph.load(path)


def test_a_graph_that_is_not_there_is_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="does not exist"):
        graph.load(tmp_path / "model.onnx")


def test_a_graph_that_does_not_load_is_not_kept_as_made(
    bert: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bert.make("onnx-fp32")
    monkeypatch.setattr(
        "edge_slm_quantize.onnx.make._copy", lambda _, out: out.write_bytes(b"\xff" * 64)
    )
    with pytest.raises(EdgeSlmError, match="onnxruntime does not load"):
        make(an_order(bert.root, bert.source, "onnx-fp32"), tmp_path)


def test_an_encoder_is_no_decoder(bert: Job) -> None:
    with pytest.raises(EdgeSlmError, match="no decoder with past"):
        decoder.Decoder(bert.make("onnx-fp32")[1] / "model.onnx", 1)
