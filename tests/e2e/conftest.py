"""A home for the session, the sample base made once, and homes for single tests."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from .runner import SAMPLE, Result, Runner, home_with_models


@dataclass(frozen=True)
class Demo:
    """What `edge-slm demo --json` printed."""

    result: Result
    answers: list[dict[str, Any]]
    peak_memory: int


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """A home with the user's models and no base; tests share it, and keep to bases of their own."""
    return Runner(home_with_models(tmp_path_factory.mktemp("e2e") / "home"))


@pytest.fixture(scope="session")
def demo(run: Runner) -> Demo:
    """The demo, run once: it makes the sample base."""
    result = run("demo", "--profile", "lite", "--json", env={"EDGE_SLM_LANG": "fr"})
    assert result.returncode == 0, result.stderr
    row = json.loads(result.stdout)
    return Demo(result, row["answers"], row["peak_memory_bytes"])


@pytest.fixture(scope="session")
def sample(demo: Demo) -> str:
    """The name of the sample base."""
    return SAMPLE


@pytest.fixture
def bare(tmp_path: Path) -> Runner:
    """A home with nothing in it: no model, no base."""
    return Runner(tmp_path / "bare")


@pytest.fixture
def base(run: Runner, request: pytest.FixtureRequest) -> str:
    """An empty base for one test."""
    name = re.sub(r"\W+", "-", request.node.name).strip("-")[:60]
    result = run("kb", "create", name, "--contact", "poste 4210")
    assert result.returncode == 0, result.stderr
    return name
