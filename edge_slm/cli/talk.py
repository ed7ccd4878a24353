"""The conversation of `edge-slm ask --follow`: questions a line each, that lean on one another."""

import contextlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from edge_slm.cli import output
from edge_slm.errors import UsageError
from edge_slm.i18n import t

if TYPE_CHECKING:
    from edge_slm.answer import Answer
    from edge_slm.assistant import Assistant

FORGET = frozenset({"/oublie", "/forget", "/new"})
LONGEST_LINE = 100_000  # bytes read of one line: the rest of it would be refused all the same


def follow(assistant: "Assistant", first: str, *, as_json: bool, why: bool) -> int:
    """Answer the questions of standard input, one a line, in one conversation.

    Args:
        assistant: who answers.
        first: a question asked before those; may be empty.
        as_json: print each answer as JSON on a line of its own.
        why: also show the route, the times and the tokens of each.
    Returns:
        the exit code: the highest of those that the questions would have had each for itself; 0
        when a person typed them.
    """
    talk = assistant.conversation()
    typed = sys.stdin.isatty()
    code = 0
    for line in _questions(first, typed):
        if line.lower() in FORGET:
            talk.forget()
            continue
        streamed = output.to_terminal() and not as_json
        try:
            answer = talk.ask(line, output.show_piece if streamed else output.hide_piece)
        except UsageError as error:
            click.echo(str(error), err=True)
            code = max(code, error.exit_code)
            continue
        _show(answer, as_json=as_json, streamed=streamed, why=why)
        code = max(code, output.EXIT_DECLINED if answer.kind == "declined" else 0)
    return 0 if typed else code


def _show(answer: "Answer", *, as_json: bool, streamed: bool, why: bool) -> None:
    if as_json:
        output.show_json_line(answer)
        return
    output.show_answer(answer, streamed=streamed, why=why)
    click.echo()


def _questions(first: str, typed: bool) -> Iterator[str]:
    if first.strip():
        yield first.strip()
    lines = _typed() if typed else _piped()
    yield from (line.strip() for line in lines if line.strip())


def _typed() -> Iterator[str]:
    with contextlib.suppress(ImportError):  # Windows has none: lines are typed without history
        import readline  # noqa: F401
    click.echo(
        t(
            "One question a line; /forget starts afresh, Ctrl-D ends.",
            "Une question par ligne ; /oublie repart de zéro, Ctrl-D termine.",
        ),
        err=True,
    )
    with contextlib.suppress(EOFError):
        while True:
            yield input("> ")
    click.echo()


def _piped() -> Iterator[str]:
    source = sys.stdin.buffer
    while line := source.readline(LONGEST_LINE):
        rest = line
        while len(rest) == LONGEST_LINE and not rest.endswith(b"\n"):
            rest = source.readline(LONGEST_LINE)
        yield line.decode("utf-8", "replace")
