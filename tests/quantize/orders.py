"""Small orders for tests."""

from pathlib import Path

from edge_slm_quantize.records import Artefact, Made, Order, Source, Target, Texts

SOURCE = Source(
    name="small",
    task="chat",
    architecture="llama",
    format="gguf",
    path="/nowhere/small.gguf",
    sha256="0" * 64,
    quantisation=None,
    parameters=1000,
    context=128,
)
TARGET = Target(
    id="bench",
    title="A bench",
    titre="Un banc",
    formats=("gguf",),
    ram=10**9,
    disk=10**9,
    recipes={"chat": ("Q8_0",)},
    gate={"chat": "kld<=0.1"},
)
TEXTS = Texts(calibration=("one",), evaluation=("two",), sha256="1" * 64, origin="a test")


def an_order(folder: Path, recipe: str = "Q8_0", source: Source = SOURCE) -> Order:
    """Return an order to make or judge one recipe."""
    return Order(recipe=recipe, source=source, target=TARGET, folder=str(folder), texts=TEXTS)


def a_made(recipe: str = "Q8_0", path: str = "model.gguf", size: int = 4) -> Made:
    """Return what a step that made one file of so many bytes says."""
    artefact = Artefact(recipe=recipe, format="gguf", path=path, bytes=size, bits_per_weight=8.5)
    return Made(artefact=artefact, seconds=1.0, cpu_seconds=1.0, peak_bytes=10**8)
