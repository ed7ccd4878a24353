"""The suite `quant`: how weights are kept, files that are no models, and a run on a small model."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner
from gguf import GGUFWriter
from hypothesis import given
from hypothesis import strategies as st

from edge_slm.answer import Energy, Usage
from edge_slm.bench import quant
from edge_slm.bench.quant import specs, weights
from edge_slm.cli import bench, run
from edge_slm.errors import IntegrityError, MissingError, UsageError
from edge_slm.gguf_layout import Layout, Tensor, read_layout
from edge_slm.profiles import PROFILES
from edge_slm.store import Store
from tests.fakes import ScriptedChat

SMALLEST = PROFILES["lite"][0]  # what make test brings


def write_model(path: Path, last: str = "output_norm.weight") -> Path:
    """Write a GGUF file with the header of a language model, and hardly any weights."""
    writer = GGUFWriter(path, "llama")
    writer.add_block_count(1)
    writer.add_embedding_length(32)
    writer.add_head_count(1)
    writer.add_tensor("token_embd.weight", np.ones((64, 32), np.float16))
    writer.add_tensor(last, np.ones(32, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_bits_per_weight_follow_from_the_bytes_of_the_tensors(tmp_path: Path) -> None:
    kept = weights(read_layout(write_model(tmp_path / "m.gguf")))
    assert kept.parameters == 64 * 32 + 32
    assert kept.bits == round((16 * 2048 + 32 * 32) / 2080, 3)
    assert kept.widths == {"16": round(2048 / 2080, 4), "32": round(32 / 2080, 4)}


@given(st.lists(st.tuples(st.integers(1, 40), st.sampled_from([18, 20, 22, 34, 128])), min_size=1))
def test_shares_of_widths_make_a_whole(blocks: list[tuple[int, int]]) -> None:
    tensors = {
        str(at): Tensor((32, count), size * count) for at, (count, size) in enumerate(blocks)
    }
    kept = weights(Layout({}, tensors))
    assert sum(kept.widths.values()) == pytest.approx(1, abs=1e-3 * len(kept.widths))
    assert set(kept.widths) <= {"4.5", "5", "5.5", "8.5", "32"}
    assert 4.5 <= kept.bits <= 32
    assert list(kept.widths) == sorted(kept.widths, key=float)


def test_a_file_is_a_model_under_its_own_name(tmp_path: Path) -> None:
    path = write_model(tmp_path / "mine.gguf")
    (spec,) = specs([str(path), str(path)])
    assert (spec.model, spec.path, spec.kind) == ("mine.gguf", path, "chat")
    assert len(spec.load.sha256) == 64


def test_files_of_the_same_name_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    pair = [str(write_model(tmp_path / folder / "model.gguf")) for folder in "ab"]
    assert [spec.model for spec in specs(pair)] == pair


@pytest.mark.parametrize("content", [b"", b"GGUF", b"\x00" * 4096, b"PK\x03\x04" * 100])
def test_what_is_no_gguf_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.gguf"
    path.write_bytes(content)
    with pytest.raises(IntegrityError, match=r"x\.gguf"):
        specs([str(path)])


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_file_that_is_cut_is_refused(tmp_path: Path, share: float) -> None:
    path = write_model(tmp_path / "x.gguf")
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(IntegrityError, match=r"x\.gguf"):
        specs([str(path)])


def test_a_model_that_only_embeds_is_refused(tmp_path: Path) -> None:
    path = write_model(tmp_path / "bert.gguf", last="token_embd_norm.weight")
    with pytest.raises(UsageError, match=r"bert\.gguf"):
        specs([str(path)])


@pytest.mark.parametrize("name", ["nothing.gguf", "./nothing", "x" * 5000 + ".gguf", "a\0.gguf"])
def test_a_file_that_is_not_there_is_an_error(name: str) -> None:
    with pytest.raises(UsageError):
        specs([name])


def test_a_folder_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        specs([f"{tmp_path}/"])


def test_without_models_there_is_nothing_to_compare() -> None:
    with pytest.raises(MissingError):
        specs([])


@pytest.mark.parametrize(
    ("model", "code"), [("nothing-of-the-kind", 2), ("whisper-base", 2), (SMALLEST, 3)]
)
def test_models_that_cannot_be_measured_are_named(
    model: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["bench", "quant", "--model", model, "--json"]) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert model in shown.err


def test_reading_ends_and_writing_begins_with_the_first_text() -> None:
    reply = quant._reply(ScriptedChat(["un deux trois quatre"]), "le texte à lire")
    assert reply.usage == Usage(4, 0, 4)
    assert reply.first_s > 0
    assert reply.after_s > 0


def test_figures_are_for_a_hundred_tokens_and_none_where_one_is_not_known() -> None:
    bills = [(Energy(cpu_seconds=2.0, joules=8.0), 50), (Energy(cpu_seconds=4.0), 50)]
    row = quant._per_hundred("written", bills)
    assert row["cpu_seconds_per_100_written"] == 6.0
    assert row["joules_per_100_written"] is None
    assert quant._per_hundred("read", bills[:1])["joules_per_100_read"] == 16.0


@pytest.mark.model
def test_a_small_model_is_one_line() -> None:
    path = Store().path(SMALLEST)
    words = ["quant", "--quick", "--model", SMALLEST, "--model", str(path), "--json"]
    result = CliRunner().invoke(bench.command, words)
    assert result.exit_code == 0, result.output
    (row,) = [msgspec.json.decode(line) for line in result.stdout.splitlines()]  # the same file
    assert (row["suite"], row["model"]) == ("quant", SMALLEST)
    assert (row["prompt_tokens"], row["cached_tokens"]) == (quant.READ_TOKENS, 0)
    assert 1 < row["tokens"] <= quant.WRITTEN_TOKENS
    assert row["more"]["bytes"] == path.stat().st_size
    assert 4.5 < row["more"]["bits_per_weight"] < 8.5
    assert row["tokens_per_s"] > 0
    assert row["more"]["cpu_seconds_per_100_written"] > 0


@pytest.mark.model
def test_a_model_whose_last_weights_are_cut_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "cut.gguf"
    path.write_bytes(Store().path(SMALLEST).read_bytes()[:-400])
    assert run(["bench", "quant", "--quick", "--model", str(path), "--json"]) == 4
    shown = capsys.readouterr()
    assert shown.out == ""
    assert [line for line in shown.err.splitlines() if "cut.gguf" in line] == [
        line for line in shown.err.splitlines() if not line.endswith("…")
    ]
