"""The offline proof: everything works where there is no network interface at all."""

import shutil
import subprocess
import sys

import pytest

from .runner import CHAT, TWINS, Runner

pytestmark = pytest.mark.model

NOWHERE = ("unshare", "-rn")
CONNECT = "import socket; socket.create_connection(('127.0.0.1', 9))"


@pytest.fixture(scope="module")
def nowhere() -> tuple[str, ...]:
    """The command that runs another without any network; skips where it is not permitted."""
    if shutil.which("unshare") is None:
        pytest.skip("unshare (util-linux) is not on this machine")
    probe = [*NOWHERE, sys.executable, "-c", CONNECT]
    result = subprocess.run(probe, capture_output=True, text=True, check=False)
    if "Network is unreachable" not in result.stderr:
        pytest.skip("this machine does not let us make a network namespace")
    return NOWHERE


def test_the_demo_asks_translates_and_transcribes_without_any_network(
    run: Runner, sample: str, nowhere: tuple[str, ...]
) -> None:
    answers = run.json("demo", "--profile", "lite", prefix=nowhere)["answers"]
    kinds = [answer["kind"] for answer in answers]
    assert kinds[1:] == ["declined", "translation", "transcript"]
    assert answers[0]["sources"][0]["document"] == "conge-paternite.md"


def test_so_do_the_commands(run: Runner, sample: str, base: str, nowhere: tuple[str, ...]) -> None:
    assert run.json("ask", TWINS, prefix=nowhere)["kind"] in ("quote", "written")
    translated = run.json("translate", "--model", CHAT, "Merci.", "--to", "en", prefix=nowhere)
    assert "thank" in translated["text"].lower()
    for arguments in (("kb", "list"), ("models", "list"), ("doctor",)):
        assert run(*arguments, prefix=nowhere).returncode in (0, 3)


def test_fetching_fails_with_a_sentence(bare: Runner, nowhere: tuple[str, ...]) -> None:
    result = bare("models", "pull", CHAT, prefix=nowhere, env={"PIP_RETRIES": "0"})
    assert result.returncode == 3
    assert "Traceback" not in result.stderr
    assert "models import" in result.stderr.splitlines()[-1]
