"""What is seen: plain text where nobody looks, pieces as they come where somebody does, two
languages."""

import os
import re
import select
import subprocess
import sys
import time

import pytest

from .runner import CHAT, HANDBOOK, TWINS, Runner

PLAIN = [("--help",), ("ask", "--help"), ("models", "list"), ("doctor",), ("kb", "list")]


@pytest.mark.parametrize("arguments", PLAIN)
def test_no_escape_code_where_there_is_no_terminal(
    bare: Runner, arguments: tuple[str, ...]
) -> None:
    result = bare(*arguments, env={"TERM": "xterm-256color", "FORCE_COLOR": "1"})
    assert result.returncode in (0, 3)
    assert result.stdout + result.stderr != ""
    assert "\x1b" not in result.stdout + result.stderr


def test_help_and_errors_in_both_languages(bare: Runner) -> None:
    french = {"EDGE_SLM_LANG": "fr"}
    shown = bare("--help", env=french).stdout
    for words in ("Utilisation :", "Poser une question", "Commandes:", "Afficher cette aide."):
        assert words in shown
    shown = bare("--help").stdout
    for words in ("Usage: edge-slm", "Ask a question", "Commands:", "Show this message"):
        assert words in shown
    assert "Commandes" in bare("kb", "--help", env=french).stdout
    assert "[par défaut : 5" in bare("kb", "search", "--help", env=french).stdout
    for arguments, en, fr in (
        (("nothing",), "There is no command", "Pas de commande"),
        (("ask", "--jsno", "x"), "did you mean --json", "vouliez-vous dire --json"),
        (("ask", ""), "is empty", "est vide"),
        (("kb", "show"), "NAME is missing", "Il manque NAME"),
        (("kb", "search", "b", "x", "--limit", "a"), "whole number", "entier"),
        (("transcribe", "a", "--format", "doc"), "one of txt, srt", "l'un de txt, srt"),
    ):
        assert en in bare(*arguments).stderr
        assert fr in bare(*arguments, env=french).stderr


def test_the_locale_decides_when_nothing_else_does(bare: Runner) -> None:
    for locale, words in (("fr_FR.UTF-8", "Utilisation"), ("C", "Usage"), ("de_DE", "Usage")):
        shown = bare("--help", env={"EDGE_SLM_LANG": "", "LC_ALL": locale, "LANG": "C"}).stdout
        assert shown.startswith(words)


def on_a_terminal(run: Runner, *arguments: str, env: dict[str, str]) -> list[tuple[float, bytes]]:
    """Run the command with a terminal as its output; return what came, and when."""
    import pty

    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [run.executable, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        env=run.environment({"TERM": "xterm-256color"} | env),
    )
    os.close(theirs)
    seen = []
    while True:
        select.select([ours], [], [])
        try:
            data = os.read(ours, 65536)
        except OSError:  # Linux: the other side is closed
            break
        if not data:
            break
        seen.append((time.monotonic(), data))
    os.close(ours)
    assert process.wait() == 0, seen
    return seen


@pytest.mark.model
@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are Unix's")
def test_a_terminal_gets_pieces_as_they_come_and_the_source(run: Runner, sample: str) -> None:
    seen = on_a_terminal(run, "ask", TWINS, env={"EDGE_SLM_LANG": "fr"})
    text = b"".join(data for _, data in seen).decode()
    assert "32" in text
    assert text.index("32") < text.index("Source : ")
    assert "page 1" in text
    assert text.count("32 jours calendaires") == 1  # shown as it came, and not again


@pytest.mark.model
@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are Unix's")
def test_a_translation_appears_word_by_word(run: Runner) -> None:
    text = "Le service est ouvert le lundi, le mardi et le mercredi toute la journée."
    seen = on_a_terminal(run, "translate", "--model", CHAT, text, env={"NO_COLOR": "1"})
    assert len(seen) >= 5
    whole = b"".join(data for _, data in seen).decode()
    assert "monday" in whole.lower()
    assert "\x1b" not in whole


@pytest.mark.model
@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are Unix's")
def test_a_bar_shows_long_work_on_a_terminal(run: Runner, base: str) -> None:
    files = [str(HANDBOOK / "conges-annuels.md"), str(HANDBOOK / "retraite.md")]
    seen = on_a_terminal(run, "kb", "add", base, *files, env={})
    shown = b"".join(data for _, data in seen).decode()
    assert "Reading" in shown
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    assert "2 added" in plain
