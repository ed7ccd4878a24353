"""Runner of whisper.cpp: the weights of a CTranslate2 folder in 16 bits, five beams as ours."""

import wave
from pathlib import Path
from typing import Any

import numpy as np
from ct2_to_ggml import RATE, convert
from lines import Given, Loaded, Reply, Said, apart, run
from pywhispercpp.model import Model


def load(given: Given) -> Loaded:
    """Load a CTranslate2 folder; the first time, convert it."""
    path = given.work / "ggml.bin"
    if not path.exists():
        part = given.work / "part.bin"
        apart(convert, given.model, part)
        part.rename(path)
    model = Model(
        str(path),
        params_sampling_strategy=1,  # whisper.h: WHISPER_SAMPLING_BEAM_SEARCH
        beam_search={"beam_size": 5, "patience": -1.0},
        redirect_whispercpp_logs_to=None,
        n_threads=given.threads,
        print_realtime=False,
        print_progress=False,
    )

    def answer(request: dict[str, Any], said: Said) -> Reply:
        heard = model.transcribe(
            _samples(Path(request["audio"])),
            language=request["language"],
            new_segment_callback=lambda _: said(),
        )
        return Reply(" ".join(segment.text.strip() for segment in heard))

    return Loaded(answer, "same weights, 16-bit floats, 5 beams")


def _samples(path: Path) -> Any:
    with wave.open(str(path), "rb") as recording:
        form = (recording.getnchannels(), recording.getsampwidth(), recording.getframerate())
        if form != (1, 2, RATE):
            raise ValueError(f"{path.name}: 16-bit mono sound at {RATE} Hz is needed")
        data = recording.readframes(recording.getnframes())
    return np.frombuffer(data, np.int16).astype(np.float32) / 2**15


if __name__ == "__main__":
    run(load)
