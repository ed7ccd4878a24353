"""CTranslate2 recipes: converted, read back, loaded by the engine, measured."""

from pathlib import Path

import msgspec
import pytest

from edge_slm.errors import IntegrityError, UsageError
from edge_slm.paths import examples_dir
from edge_slm_quantize.ct2 import folders, make, measure, recordings, translations
from edge_slm_quantize.records import Order, Source, Suites
from edge_slm_quantize.sources.open_seq2seq import check
from tests.quantize.ct2 import tiny_models
from tests.quantize.orders import an_order

pytest.importorskip("ctranslate2", reason="the extra quantize is not installed")


def _order(folder: Path, source: Path, recipe: str, task: str = "speech") -> Order:
    given = Source(
        name="tiny",
        task="speech" if task == "speech" else "translate",
        architecture="whisper" if task == "speech" else "marian",
        format="safetensors",
        path=str(source),
        sha256="2" * 64,
        quantisation=None,
        parameters=200_000,
        context=64,
    )
    return an_order(folder, recipe, given)


@pytest.fixture(scope="module")
def whisper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny Whisper in 32-bit floats."""
    return tiny_models.whisper(tmp_path_factory.mktemp("whisper"))


@pytest.fixture(scope="module")
def marian(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny Marian."""
    return tiny_models.marian(tmp_path_factory.mktemp("marian"))


def test_types_are_read_from_the_file(whisper: Path, tmp_path: Path) -> None:
    made = {}
    for recipe in ("ct2-float16", "ct2-int8"):
        (tmp_path / recipe).mkdir()
        made[recipe] = make.make(_order(tmp_path, whisper, recipe), tmp_path / recipe)
    assert made["ct2-float16"].types == {"float16": 1.0}
    assert made["ct2-int8"].types["int8"] > 0.3  # the positions, which stay floats, weigh much here
    assert sum(made["ct2-int8"].types.values()) == pytest.approx(1)
    assert made["ct2-int8"].bytes < made["ct2-float16"].bytes
    assert made["ct2-int8"].bits_per_weight < made["ct2-float16"].bits_per_weight
    files = {one.name for one in (tmp_path / "ct2-int8" / "model").iterdir()}
    assert {"model.bin", "tokenizer.json", "vocabulary.json"} <= files


def test_a_translation_model_is_converted_and_scored(marian: Path, tmp_path: Path) -> None:
    order = _order(tmp_path, marian, "ct2-int8_float32", "translate")
    (tmp_path / "made").mkdir()
    made = make.make(order, tmp_path / "made")
    assert set(made.types) == {"int8", "float32"}
    order = msgspec.structs.replace(
        order, metrics=("chrf", "seconds_per_item", "ram", "size", "kld"), suites=Suites(sample=3)
    )
    found = measure.measure(order, made, tmp_path / "made" / made.path)
    assert set(found.values) == {"chrf", "seconds_per_item", "ram", "size"}
    assert set(found.absent) == {"kld"}
    assert list(found.details["directions"]) == ["fr-en"]  # the only one that it knows
    assert found.details["segments"] == 3


def test_int8_translates_as_the_floats_do(marian: Path, tmp_path: Path) -> None:
    make.convert(marian, tmp_path / "floats", None)
    make.convert(marian, tmp_path / "int8", "int8")
    order = _order(tmp_path, marian, "ct2-int8", "translate")
    segments = translations.read(order, tmp_path / "int8")[:4]
    texts = {
        name: [translations.opened(tmp_path / name, 1)(one) for one in segments]
        for name in ("floats", "int8")
    }
    assert texts["floats"] == texts["int8"]


def test_a_model_that_translates_none_of_the_pairs_says_so(marian: Path, tmp_path: Path) -> None:
    (tmp_path / "source.spm").write_bytes((marian / "source.spm").read_bytes())
    (tmp_path / "tokenizer_config.json").write_text('{"source_lang": "xx", "target_lang": "yy"}')
    with pytest.raises(UsageError, match="no pair of texts"):
        translations.read(_order(tmp_path, marian, "ct2-int8", "translate"), tmp_path)


@pytest.mark.parametrize("name", ["tokenizer.json", "config.json"])
def test_a_missing_file_is_named(whisper: Path, tmp_path: Path, name: str) -> None:
    for one in whisper.iterdir():
        if one.name != name:
            (tmp_path / one.name).symlink_to(one)
    with pytest.raises(UsageError, match=name):
        check(tmp_path)


def test_more_mel_bands_need_the_preprocessor(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{}")
    (tmp_path / "config.json").write_text('{"model_type": "whisper", "num_mel_bins": 128}')
    with pytest.raises(UsageError, match=r"preprocessor_config\.json"):
        check(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "[" * 100_000, "\x00\xff", '{"model_type": '])
def test_a_damaged_configuration_is_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(IntegrityError):
        check(tmp_path)


@pytest.mark.parametrize("kind", ["llama", "", None, 7, ["whisper"]])
def test_other_kinds_are_refused(tmp_path: Path, kind: object) -> None:
    (tmp_path / "config.json").write_bytes(msgspec.json.encode({"model_type": kind}))
    with pytest.raises(UsageError, match="whisper, marian, m2m_100"):
        check(tmp_path)


def test_code_that_comes_with_a_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "whisper", "auto_map": {"A": "b.C"}}')
    with pytest.raises(UsageError, match="auto_map"):
        check(tmp_path)


def test_a_chat_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Whisper and translation"):
        folders.hugging_face(an_order(tmp_path, "ct2-int8"))


def test_weights_that_are_cut_are_one_sentence(whisper: Path, tmp_path: Path) -> None:
    for one in whisper.iterdir():
        data = one.read_bytes()
        (tmp_path / one.name).write_bytes(data[:999] if one.suffix == ".safetensors" else data)
    with pytest.raises(IntegrityError, match="cannot convert"):
        make.convert(tmp_path, tmp_path / "out", "int8")
    assert not (tmp_path / "out").exists()


def test_pickled_weights_are_never_loaded(whisper: Path, tmp_path: Path) -> None:
    for one in whisper.iterdir():
        name = "pytorch_model.bin" if one.suffix == ".safetensors" else one.name
        (tmp_path / name).symlink_to(one)
    with pytest.raises(IntegrityError, match="safetensors"):
        make.convert(tmp_path, tmp_path / "out", "int8")


def test_an_interval_holds_the_rate_and_needs_eight_recordings() -> None:
    counts = [(n % 4, 10) for n in range(24)]
    ends = recordings.interval(counts)
    assert 0.05 < ends["wer_low"] < 0.15 < ends["wer_high"] < 0.25
    assert recordings.interval(counts[:7]) == {}
    assert recordings.interval([(0, 0)] * 8) == {"wer_low": 0.0, "wer_high": 0.0}


@pytest.mark.model
def test_whisper_base_becomes_int8_and_still_hears(tmp_path: Path) -> None:
    from edge_slm_quantize.sources.opening import open_source

    source = open_source("whisper-base")
    order = an_order(tmp_path, "ct2-int8", source)
    (tmp_path / "made").mkdir()
    made = make.make(order, tmp_path / "made")
    assert made.types["int8"] > 0.9
    assert made.bytes < 0.6 * (Path(source.path) / "model.bin").stat().st_size
    heard = recordings.Hearing(tmp_path / "made" / made.path)
    said = heard.hear(examples_dir() / "audio" / "question.flac")
    assert "congé" in said.lower()
    assert heard.sound > 1
    # Its fp32 twin holds the very numbers of the store's model.
    make.convert(folders.hugging_face(order), tmp_path / "back", "float16")
    theirs, ours = Path(source.path) / "model.bin", tmp_path / "back" / "model.bin"
    assert theirs.read_bytes() == ours.read_bytes()
