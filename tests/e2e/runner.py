"""Runs the installed `edge-slm` in a process of its own, on a home of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from edge_slm import paths
from edge_slm.profiles import PROFILES
from edge_slm.store import Store

ROOT = Path(__file__).parents[2]
AUDIO = ROOT / "examples" / "audio"
HANDBOOK = ROOT / "examples" / "rh"
SAMPLE = "exemple-rh"
CHAT = PROFILES["lite"][0]  # what `make test` pulls: faster than the better one, and always there

TWINS = "Combien de jours dure le congé de paternité pour des jumeaux ?"
MONGOLIA = "Quelle est la capitale de la Mongolie ?"

Result = subprocess.CompletedProcess[str]

# What would change how the command prints.
UNSET = ("NO_COLOR", "FORCE_COLOR", "PYTHONUNBUFFERED")


@dataclass(frozen=True)
class Runner:
    """Calls the command; every call may add to the environment."""

    home: Path

    @property
    def executable(self) -> Path:
        """The command beside this Python."""
        name = "edge-slm.exe" if os.name == "nt" else "edge-slm"
        return Path(sys.executable).parent / name

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the caller's environment, on this home, in English unless told otherwise."""
        kept = {k: v for k, v in os.environ.items() if k not in UNSET}
        ours = {"EDGE_SLM_HOME": str(self.home), "EDGE_SLM_LANG": "en", "PYTHONUTF8": "1"}
        return kept | ours | dict(more or {})

    def __call__(
        self,
        *arguments: str | bytes | Path,
        text: str | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        prefix: tuple[str, ...] = (),
        before: Callable[[], None] | None = None,
    ) -> Result:
        """Run one command.

        Args:
            arguments: what follows `edge-slm`.
            text: given on standard input, which is empty and no terminal otherwise.
            env: more of the environment.
            cwd: folder to run in.
            prefix: a command that runs the command.
            before: called in the new process before the command starts.
        """
        return subprocess.run(
            [*prefix, self.executable, *arguments],
            input=text or "",
            capture_output=True,
            encoding="utf-8",
            env=self.environment(env),
            cwd=cwd,
            preexec_fn=before,
            check=False,
        )

    def json(self, *arguments: str | Path, **options: Any) -> Any:
        """Run a command that succeeds, and return the JSON that it prints."""
        result = self(*arguments, "--json", **options)
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    def documents(self, base: str) -> list[str]:
        """Return the names of the documents of a base, which must be whole."""
        shown = self.json("kb", "show", base)
        return [document["name"] for document in shown["documents"]]


def sentence(result: Result, code: int) -> str:
    """Return the one sentence of a failed command, checking its exit code and that it is alone."""
    assert result.returncode == code, (result.returncode, result.stderr)
    assert "Traceback" not in result.stderr
    assert "Internal error" not in result.stderr
    # Labels of long work (“Reading…”) are no errors.
    lines = [line for line in result.stderr.splitlines() if line and not line.endswith("…")]
    assert len(lines) == 1, result.stderr
    assert "\x1b" not in lines[0]
    return lines[0]


def home_with_models(home: Path) -> Path:
    """Return a new home whose store is the user's own: models are large, bases are not.

    Fails:
        when the `lite` profile is not installed.
    """
    missing = [model for model in PROFILES["lite"] if not Store().installed(model)]
    if missing:
        pytest.fail(f"{', '.join(missing)} missing: run edge-slm models pull lite")
    home.mkdir(parents=True)
    (home / "store").symlink_to(paths.store_dir().resolve(), target_is_directory=True)
    return home
