"""Speaks the texts of examples/audio with the French voice of SVOX Pico and writes them as FLAC.

Run it as `python examples/make_audio.py` in an environment that has `py-nanotts` (the voice) and
`av` (the FLAC encoder). Each `NAME.txt` gives `NAME.flac`: 16 kHz, mono, 16 bits. It knows nothing
of the speech models that later listen to these files.
"""

import io
import sys
from pathlib import Path

HERE = Path(__file__).parent
RATE_HZ = 16_000
SPEED = 0.95  # Pico's own pace runs words together.


def speak(text: str) -> bytes:
    """Return the text spoken in French: PCM, 16 kHz, mono, 16-bit little-endian."""
    from py_nanotts import NanoTTS

    pcm: bytes = NanoTTS().speak(text, voice="fr-FR", speed=SPEED)
    return pcm


def encode_flac(pcm: bytes) -> bytes:
    """Encode PCM as `speak` returns it."""
    import av
    import numpy as np

    samples = np.frombuffer(pcm, dtype="<i2").reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
    frame.sample_rate = RATE_HZ
    stream = io.BytesIO()
    with av.open(stream, "w", format="flac") as container:
        track = container.add_stream("flac", rate=RATE_HZ)
        track.layout = "mono"
        for packet in (*track.encode(frame), *track.encode(None)):
            container.mux(packet)
    return stream.getvalue()


def main() -> None:
    for source in sorted((HERE / "audio").glob("*.txt")):
        pcm = speak(source.read_text(encoding="utf-8").strip())
        target = source.with_suffix(".flac")
        target.write_bytes(encode_flac(pcm))
        seconds = len(pcm) / 2 / RATE_HZ
        sys.stdout.write(f"{target.relative_to(HERE)}: {seconds:.1f} s\n")


if __name__ == "__main__":
    main()
