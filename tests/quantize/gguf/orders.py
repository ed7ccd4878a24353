"""Orders on tiny GGUF files."""

import hashlib
from pathlib import Path

import msgspec

from edge_slm_quantize.records import Order
from tests.quantize.orders import SOURCE, TEXTS, an_order

# 2048 tokens are the fewest: the tiny vocabulary has about a token a letter.
PROSE = "the word of all their time was about how many of these would be in the use of each " * 40


def order_for(path: Path, job: Path, recipe: str, calibration: tuple[str, ...] = (PROSE,)) -> Order:
    """Return an order to make a recipe of a GGUF file."""
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    source = msgspec.structs.replace(SOURCE, path=str(path), sha256=sha256)
    hashed = hashlib.sha256("".join(calibration).encode("utf-8", "replace")).hexdigest()
    texts = msgspec.structs.replace(TEXTS, calibration=calibration, sha256=hashed)
    return msgspec.structs.replace(an_order(job, recipe, source), texts=texts)


def empty_folder(job: Path, name: str = "made") -> Path:
    """Return a new folder for what a recipe makes."""
    folder = job / name
    folder.mkdir(parents=True)
    return folder
