"""Making GGUF recipes of tiny models: types, determinism, and every kind of bad input."""

import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest

from edge_slm.errors import EdgeSlmError, IntegrityError, UsageError
from edge_slm.gguf_layout import read_layout
from edge_slm_quantize.gguf.make import make
from edge_slm_quantize.gguf.quantise import quantise
from edge_slm_quantize.gguf.types import name_of
from edge_slm_quantize.recipe import GGUF
from edge_slm_quantize.records import Artefact
from tests.quantize.gguf.orders import empty_folder, order_for
from tests.quantize.tiny import tiny_gguf


def made(tmp_path: Path, recipe: str, source: Path, name: str = "made") -> tuple[Artefact, Path]:
    """Make a recipe and return what is said of it, and its file."""
    folder = empty_folder(tmp_path, name)
    artefact = make(order_for(source, tmp_path, recipe), folder)
    assert [one.name for one in folder.iterdir()] == [artefact.path]
    return artefact, folder / artefact.path


def kinds(path: Path) -> dict[str, str]:
    """Return the types of a file's tensors by name."""
    return {name: name_of(one.type) for name, one in read_layout(path).tensors.items()}


@pytest.mark.parametrize("recipe", GGUF)
def test_every_recipe_makes_a_file_that_llama_cpp_loads(tmp_path: Path, recipe: str) -> None:
    import llama_cpp

    source = tiny_gguf(tmp_path / "tiny.gguf", hidden=256)
    artefact, path = made(tmp_path, recipe, source)
    assert read_layout(path).file_type == recipe
    assert artefact.bytes == path.stat().st_size
    assert sum(artefact.types.values()) == pytest.approx(1)
    assert artefact.call_seconds and artefact.call_seconds > 0
    assert 2 < artefact.bits_per_weight < 17
    llama_cpp.Llama(str(path), n_ctx=32, verbose=False).close()


def test_recipes_come_in_the_order_of_their_bits(tmp_path: Path) -> None:
    source = tiny_gguf(tmp_path / "tiny.gguf", hidden=256)
    bits = [made(tmp_path, name, source, name)[0].bits_per_weight for name in GGUF]
    assert bits == sorted(bits, reverse=True)


@pytest.mark.parametrize("recipe", ["Q4_K_M", "Q4_0+imatrix"])
def test_the_same_input_gives_the_same_bytes(tmp_path: Path, recipe: str) -> None:
    source = tiny_gguf(tmp_path / "tiny.gguf")
    one = made(tmp_path / "first", recipe, source)[1].read_bytes()
    assert made(tmp_path / "second", recipe, source)[1].read_bytes() == one


def test_types_of_some_tensors_are_set_apart(tmp_path: Path) -> None:
    source = tiny_gguf(tmp_path / "tiny.gguf", hidden=256, tied=False)
    artefact, path = made(tmp_path, "Q4_0+ffn_down=Q6_K+output=Q8_0+token_embd=F16", source)
    found = kinds(path)
    assert found["blk.1.ffn_down.weight"] == "Q6_K"
    assert found["output.weight"] == "Q8_0"
    assert found["token_embd.weight"] == "F16"
    assert found["blk.0.attn_output.weight"] == found["blk.0.ffn_up.weight"] == "Q4_0"
    assert artefact.fallbacks == ()


def test_the_output_of_a_tied_model_is_its_embeddings(tmp_path: Path) -> None:
    source = tiny_gguf(tmp_path / "tiny.gguf", tied=True)
    found = kinds(made(tmp_path, "Q4_0+output=Q4_0", source)[1])
    assert found["token_embd.weight"] == "Q4_0"


def test_a_first_override_wins_over_a_second(tmp_path: Path) -> None:
    source = tiny_gguf(tmp_path / "tiny.gguf")
    found = kinds(made(tmp_path, "Q4_0+blk.1.ffn_down=F16+ffn_down=Q8_0", source)[1])
    assert found["blk.0.ffn_down.weight"] == "Q8_0"
    assert found["blk.1.ffn_down.weight"] == "F16"


def test_an_override_that_fits_no_tensor_names_the_parts(tmp_path: Path) -> None:
    source = tiny_gguf(tmp_path / "tiny.gguf")
    with pytest.raises(UsageError, match=r"No matrix has ffn_dwn .*ffn_down"):
        made(tmp_path, "Q4_0+ffn_dwn=Q8_0", source)


def test_f16_with_an_override_is_refused_for_llama_cpp_would_ignore_it(tmp_path: Path) -> None:
    source = tiny_gguf(tmp_path / "tiny.gguf")
    with pytest.raises(UsageError, match=r"Q8_0\+output=F16"):
        made(tmp_path, "F16+ffn_down=Q8_0", source)


def test_short_rows_are_reported_with_their_real_type(tmp_path: Path) -> None:
    artefact, path = made(tmp_path, "Q4_K_M", tiny_gguf(tmp_path / "tiny.gguf", hidden=64))
    assert {"Q5_0", "Q8_0"} <= set(kinds(path).values())
    assert artefact.types.get("Q4_K", 0) == 0
    assert "no multiple of 256: 15 of 15" in artefact.fallbacks[0]


def test_rows_of_an_odd_size_stay_floats(tmp_path: Path) -> None:
    artefact, path = made(tmp_path, "Q4_0", tiny_gguf(tmp_path / "tiny.gguf", hidden=48))
    assert kinds(path)["blk.0.attn_q.weight"] == "F16"
    assert any("no multiple of 32" in told for told in artefact.fallbacks)


def test_a_quantised_source_is_dequantised(tmp_path: Path) -> None:
    source = tiny_gguf(tmp_path / "tiny.gguf", hidden=256)
    small = made(tmp_path, "Q4_0", source, "small")[1]
    found = kinds(made(tmp_path, "F16", small, "whole")[1])
    assert set(found.values()) == {"F16", "F32"}
    assert found["blk.0.attn_q.weight"] == "F16"


def test_nothing_is_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    made(tmp_path, "Q8_0", tiny_gguf(tmp_path / "tiny.gguf"))
    assert capfd.readouterr() == ("", "")


def refused(tmp_path: Path, source: Path, recipe: str = "Q4_0") -> EdgeSlmError:
    """Return the error of a recipe, of which nothing must be left."""
    folder = empty_folder(tmp_path)
    with pytest.raises(EdgeSlmError) as caught:
        make(order_for(source, tmp_path, recipe), folder)
    assert list(folder.iterdir()) == []
    assert str(caught.value).count("\n") == 0
    return caught.value


@pytest.mark.parametrize("recipe", ["F16", "Q4_0", "Q4_K_M"])
@pytest.mark.parametrize("name", ["blk.1.ffn_up.weight", "output_norm.weight"])
def test_numbers_that_are_not_finite_are_told(tmp_path: Path, recipe: str, name: str) -> None:
    shape = (128, 64) if "ffn" in name else (64,)
    broken = np.ones(shape, np.float32)
    broken.flat[5] = np.nan
    source = tiny_gguf(tmp_path / "tiny.gguf", replaced={name: broken})
    error = refused(tmp_path, source, recipe)
    assert isinstance(error, IntegrityError)
    assert name in str(error) and "not finite" in str(error)


def test_an_unknown_architecture_is_named(tmp_path: Path) -> None:
    error = refused(tmp_path, tiny_gguf(tmp_path / "tiny.gguf", architecture="gpt9"))
    assert isinstance(error, UsageError)
    assert "gpt9" in str(error)


@pytest.mark.parametrize("part", [0.2, 0.6, 0.999])
def test_a_file_cut_short_is_refused(tmp_path: Path, part: float) -> None:
    source = tiny_gguf(tmp_path / "tiny.gguf")
    whole = source.read_bytes()
    source.write_bytes(whole[: int(len(whole) * part)])
    assert isinstance(refused(tmp_path, source), IntegrityError)


@pytest.mark.parametrize("content", [b"", b"GGUF", b"\x00" * 4096, bytes(range(256)) * 40])
def test_what_is_no_gguf_is_refused(tmp_path: Path, content: bytes) -> None:
    source = tmp_path / "x.gguf"
    source.write_bytes(content)
    assert isinstance(refused(tmp_path, source), IntegrityError)


def test_a_source_of_ctranslate2_is_refused(tmp_path: Path) -> None:
    order = order_for(tiny_gguf(tmp_path / "tiny.gguf"), tmp_path, "Q4_0")
    other = msgspec.structs.replace(order.source, format="ctranslate2")
    with pytest.raises(UsageError, match="CTranslate2"):
        make(msgspec.structs.replace(order, source=other), empty_folder(tmp_path))


def test_a_type_that_needs_a_matrix_says_so(tmp_path: Path) -> None:
    source = tiny_gguf(tmp_path / "tiny.gguf", hidden=256)
    with pytest.raises(UsageError, match=r"IQ2_XXS needs an importance matrix: add \+imatrix"):
        quantise(source, tmp_path / "out.gguf", "IQ2_XXS")
    assert not (tmp_path / "out.gguf").exists()


_FULL = """
import resource, signal, sys
from pathlib import Path
from edge_slm.errors import EdgeSlmError
from edge_slm_quantize.gguf.quantise import quantise
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    quantise(Path(sys.argv[1]), Path(sys.argv[2]), "Q8_0")
except EdgeSlmError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows limits no process's files")
def test_a_disk_that_fills_up_leaves_no_file(tmp_path: Path) -> None:
    source = tiny_gguf(tmp_path / "tiny.gguf", hidden=256)
    path = tmp_path / "out.gguf"
    command = [sys.executable, "-c", _FULL, str(source), str(path)]
    environment = {"PYTHONPATH": ":".join(sys.path), "EDGE_SLM_LANG": "en"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert "disk is full" in done.stdout, done
    assert not path.exists()


def test_a_folder_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    source = tiny_gguf(tmp_path / "tiny.gguf")
    with pytest.raises(EdgeSlmError, match="could not be written in"):
        quantise(source, tmp_path / "nowhere" / "out.gguf", "Q8_0")
