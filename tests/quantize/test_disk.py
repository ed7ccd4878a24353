"""The disk that a job may take: never less than what it was seen to take."""

from pathlib import Path

import msgspec

from edge_slm_quantize.disk import needed, vocabulary
from edge_slm_quantize.job import Request, prepared
from edge_slm_quantize.running import run
from tests.quantize.orders import SOURCE
from tests.quantize.tiny import tiny_gguf


def test_a_job_takes_no_more_than_was_asked_for(tmp_path: Path) -> None:
    path = tiny_gguf(tmp_path / "tiny.gguf", hidden=256)
    job = prepared(
        Request(
            model=str(path),
            recipes="Q8_0,Q4_0+imatrix",
            gate="kld<=50",
            tokens=1024,
            out=tmp_path / "out",
            install=False,
        )
    )
    seen: list[int] = []

    def look(_: str) -> None:
        files = [one for one in (tmp_path / "out").rglob("*") if one.is_file()]
        seen.append(sum(one.stat().st_size for one in files))

    run(job, look)
    assert 0 < max(seen) <= needed(job)


def test_a_vocabulary_is_read_or_taken_to_be_large(tmp_path: Path) -> None:
    path = tiny_gguf(tmp_path / "tiny.gguf")
    assert vocabulary(msgspec.structs.replace(SOURCE, path=str(path))) == 320
    assert vocabulary(msgspec.structs.replace(SOURCE, format="safetensors")) > 151_936
