"""Recipes of a real model: their real types, and that an importance matrix lowers the error."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge_slm.gguf_layout import read_layout
from edge_slm.store import Store
from edge_slm_quantize.gguf.make import make
from edge_slm_quantize.gguf.scores import log_probabilities, tokenise
from edge_slm_quantize.gguf.types import name_of
from tests.quantize.gguf.orders import empty_folder, order_for

pytestmark = pytest.mark.model

ROOT = Path(__file__).parents[3]
SMOL = "smollm2-135m-instruct-q4_1"
# About 2,600 tokens of this model to calibrate on, and another document to judge on.
CALIBRATION = tuple(
    (ROOT / "examples" / "sources" / name).read_text(encoding="utf-8")
    for name in ("reglement-teletravail.md", "charte-deplacements.md")
)
HELD_OUT = (ROOT / "examples/sources/guide-accueil-agent.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def smol() -> Path:
    """The smallest chat model, whose rows are no multiple of 256."""
    return Store().path(SMOL)


def made(smol: Path, job: Path, recipe: str) -> Path:
    """Make a recipe of the model and return the file."""
    folder = empty_folder(job, recipe)
    artefact = make(order_for(smol, job, recipe, CALIBRATION), folder)
    return folder / artefact.path


@pytest.fixture(scope="module")
def judged(smol: Path) -> Callable[[Path], float]:
    """Return the mean divergence (nats a token) of a file over two chunks of the held-out text."""
    tokens = tokenise(smol, [HELD_OUT], 1024)
    reference = list(log_probabilities(smol, tokens))

    def divergence(path: Path) -> float:
        pairs = zip(reference, log_probabilities(path, tokens), strict=True)
        return float(
            np.mean([(np.exp(one) * (one - other)).sum(axis=1).mean() for one, other in pairs])
        )

    return divergence


def test_a_matrix_lowers_the_error_at_nearly_the_same_size(
    smol: Path, tmp_path: Path, judged: Callable[[Path], float]
) -> None:
    plain, weighed = (made(smol, tmp_path, name) for name in ("Q4_0", "Q4_0+imatrix"))
    # llama.cpp keeps the first eighth of ffn_down as Q4_1 where there is a matrix.
    assert weighed.stat().st_size < 1.01 * plain.stat().st_size
    assert judged(weighed) < 0.9 * judged(plain)


def test_eight_bits_lose_hardly_anything_and_a_mix_is_what_was_asked(
    smol: Path, tmp_path: Path, judged: Callable[[Path], float]
) -> None:
    eight = made(smol, tmp_path, "Q8_0")
    assert judged(eight) < 0.02
    mixed = read_layout(made(smol, tmp_path, "Q4_0+ffn_down=Q6_K+output=Q8_0")).tensors
    kinds = {name: name_of(one.type) for name, one in mixed.items()}
    assert {kind for name, kind in kinds.items() if "ffn_down" in name} == {"Q6_K"}
    assert kinds["token_embd.weight"] == "Q8_0"
    assert {kind for name, kind in kinds.items() if "attn_q." in name} == {"Q4_0"}


def test_the_name_of_a_small_model_s_recipe_is_not_its_types(smol: Path, tmp_path: Path) -> None:
    artefact = make(order_for(smol, tmp_path, "Q4_K_M"), empty_folder(tmp_path))
    assert "181 of 211" in artefact.fallbacks[0]
    assert artefact.types["Q5_0"] > 0.5 > 0.1 > artefact.types["Q4_K"]
    assert artefact.details["hexagon"]["refused"] == {"Q5_0": 166}
