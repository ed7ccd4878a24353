"""Recordings in blocks: nothing lost, nothing twice, cut where it is quiet."""

import wave
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_slm.engines import recording
from edge_slm.engines.recording import BLOCK, RATE, blocks, duration
from edge_slm.errors import UsageError

pytest.importorskip("av", reason="the speech extra is not installed")


def write(path: Path, samples: NDArray[np.int16], rate: int = RATE, channels: int = 1) -> Path:
    """Write a WAV file."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.astype("<i2").tobytes())
    return path


def noise(seconds: float) -> NDArray[np.int16]:
    """Return noise of which every sample can be told from its neighbours."""
    generator = np.random.default_rng(3)
    return generator.integers(-9000, 9000, int(seconds * RATE)).astype(np.int16)


def test_a_short_recording_is_one_block(tmp_path: Path) -> None:
    sound = noise(1.5)
    (block,) = blocks(write(tmp_path / "a.wav", sound))
    assert block.start == 0
    assert np.array_equal(np.round(block.samples * 32768), sound)


def test_a_long_recording_is_cut_in_its_pauses_and_nothing_is_lost(tmp_path: Path) -> None:
    sound = noise(2 * BLOCK + 40)
    for pause in (BLOCK - 10, 2 * BLOCK - 20):  # seconds, within the last half minute of a block
        sound[pause * RATE : (pause + 1) * RATE] = 0
    found = list(blocks(write(tmp_path / "a.wav", sound)))
    assert len(found) == 3
    for block, pause in zip(found[1:], (BLOCK - 10, 2 * BLOCK - 20), strict=True):
        assert pause < block.start < pause + 1
    assert np.array_equal(np.round(np.concatenate([b.samples for b in found]) * 32768), sound)
    ends = np.cumsum([len(block.samples) for block in found]) / RATE
    assert [block.start for block in found] == pytest.approx([0, *ends[:-1]])


def test_every_block_is_short_without_a_pause_too(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", np.full(5 * BLOCK * RATE // 2, 3000, np.int16))
    found = list(blocks(path))
    assert all(0 < len(block.samples) <= BLOCK * RATE for block in found)
    assert sum(len(block.samples) for block in found) == 5 * BLOCK * RATE // 2


def test_other_rates_and_two_channels_become_what_whisper_hears(tmp_path: Path) -> None:
    tone = (np.sin(np.arange(44_100) * 2 * np.pi * 440 / 44_100) * 9000).astype(np.int16)
    (block,) = blocks(write(tmp_path / "a.wav", np.repeat(tone, 2), 44_100, 2))
    assert len(block.samples) == pytest.approx(RATE, abs=50)
    spectrum = np.abs(np.fft.rfft(block.samples[: RATE // 2]))
    assert np.argmax(spectrum) * 2 == pytest.approx(440, abs=4)


def test_the_length_is_told_before_anything_is_decoded(tmp_path: Path) -> None:
    assert duration(write(tmp_path / "a.wav", noise(2.5))) == pytest.approx(2.5)


def test_a_file_that_does_not_say_its_length_is_decoded_for_it(tmp_path: Path) -> None:
    import av

    path = tmp_path / "a.aac"
    with av.open(str(path), "w", format="adts") as container:
        stream = container.add_stream("aac", rate=RATE)
        stream.layout = "mono"
        sound = (noise(3) / 32768).astype(np.float32).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(sound, format="fltp", layout="mono")
        frame.rate = RATE
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    assert duration(path) == pytest.approx(3, abs=0.3)
    assert sum(len(block.samples) for block in blocks(path)) / RATE == pytest.approx(3, abs=0.3)


def test_silence_is_sound_and_no_samples_are_none(tmp_path: Path) -> None:
    assert len(list(blocks(write(tmp_path / "a.wav", np.zeros(RATE, np.int16))))) == 1
    assert list(blocks(write(tmp_path / "b.wav", np.zeros(0, np.int16)))) == []


@pytest.mark.parametrize(
    "data", [b"", b"no sound", bytes(5000), b"RIFF\xff\xff\xff\xffWAVEfmt ", b"\x89PNG\r\n\x1a\n"]
)
def test_what_is_no_recording_is_refused_in_a_sentence(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(data)
    for read in (lambda: list(blocks(path)), lambda: duration(path)):
        with pytest.raises(UsageError, match=r"a\.wav is not a recording"):
            read()


def test_a_file_without_a_sound_track_is_refused(tmp_path: Path) -> None:
    import av

    path = tmp_path / "film.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width, stream.height, stream.pix_fmt = 16, 16, "yuv420p"
        picture = np.zeros((16, 16, 3), np.uint8)
        for packet in [*stream.encode(av.VideoFrame.from_ndarray(picture)), *stream.encode(None)]:
            container.mux(packet)
    with pytest.raises(UsageError, match="is not a recording"):
        list(blocks(path))


def test_a_recording_that_is_cut_gives_what_there_is(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", noise(2))
    path.write_bytes(path.read_bytes()[: RATE * 2])
    (block,) = blocks(path)
    assert 0.9 < len(block.samples) / RATE <= 1


def test_whisper_hears_each_block_at_its_place() -> None:
    from edge_slm.engines.whisper import WhisperTranscriber

    class Words:
        """Hears one word in the middle of each block that is loud."""

        def __init__(self) -> None:
            self.languages: list[str | None] = []

        def transcribe(self, samples: NDArray[np.float32], **options: object) -> object:
            language = options["language"]
            assert language is None or isinstance(language, str)
            self.languages.append(language)
            loud = bool(np.abs(samples).max() > 0)
            word = type("S", (), {"start": 1.0, "end": 2.0, "text": " oui "})
            info = type("I", (), {"language": "fr", "duration_after_vad": float(loud)})
            return [word] * loud, info

    listener = WhisperTranscriber.__new__(WhisperTranscriber)
    listener._model = words = Words()
    part = [recording.Block(float(n), np.full(RATE, n % 2, np.float32)) for n in range(4)]
    heard = listener._first_words(iter(part), None)
    assert heard is not None
    first, segments, language = heard
    found = list(listener._segments(first, segments, iter(part[2:]), language))
    assert [(s.start, s.end, s.text) for s in found] == [(2, 3, "oui"), (4, 5, "oui")]
    assert words.languages == [None, None, "fr", "fr"]
    assert listener._first_words(iter(()), None) is None
