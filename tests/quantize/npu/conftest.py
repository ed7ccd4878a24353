"""Small models, made once; machines without the QNN wheel skip what needs it."""

import importlib.util
import platform
import sys
from pathlib import Path

import pytest

from tests.quantize.npu.small import small_decoder, small_encoder


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small BERT."""
    pytest.importorskip("torch", reason="the extra quantize is not installed")
    return small_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="session")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small Llama."""
    pytest.importorskip("torch", reason="the extra quantize is not installed")
    return small_decoder(tmp_path_factory.mktemp("decoder"))


@pytest.fixture
def hexagon() -> None:
    """Skip where Hexagon is neither compiled for nor simulated."""
    here = sys.platform == "linux" and platform.machine() == "x86_64"
    if not here or importlib.util.find_spec("onnxruntime_qnn") is None:
        pytest.skip("onnxruntime-qnn compiles and simulates on x86-64 Linux only")
