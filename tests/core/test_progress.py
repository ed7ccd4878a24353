"""Progress, where there is no terminal and where there is one."""

import io
import sys

import pytest

from edge_slm.progress import progress


class Terminal(io.StringIO):
    """A text stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_without_a_terminal_it_is_one_line_on_standard_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with progress("Lecture", 3) as advance:
        for _ in range(3):
            advance(1)
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "Lecture…\n")


def test_a_dumb_terminal_gets_the_line_too(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "dumb")
    with progress("Reading", 0, "bytes") as advance:
        advance(10)
    assert terminal.getvalue() == "Reading…\n"


@pytest.mark.parametrize(("total", "unit"), [(3, ""), (0, ""), (2_000_000, "bytes")])
def test_a_terminal_gets_a_bar(total: int, unit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with progress("Reading", total, unit) as advance:
        advance(1)
    assert "Reading" in terminal.getvalue()


def test_an_error_inside_comes_out() -> None:
    with pytest.raises(ValueError, match="inside"), progress("Reading", 1):
        raise ValueError("inside")
