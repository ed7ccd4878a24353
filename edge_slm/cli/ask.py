"""edge-slm ask."""

import sys

import click

from edge_slm.cli import output
from edge_slm.cli.options import AS_JSON, CHAT_MODEL
from edge_slm.i18n import t


@click.command(
    "ask",
    help=t(
        "Answer QUESTION from the bases, with its page, or decline (exit code 1). A translation "
        "(“translate into French: …”), a recording or a greeting is recognised too. “-” reads the "
        "question from standard input.",
        "Répondre à QUESTION d'après les bases, en citant la page, ou décliner (code 1). Une "
        "traduction (« traduis en anglais : … »), un enregistrement ou une formule de politesse "
        "sont reconnus aussi. « - » lit la question sur l'entrée standard.",
    ),
)
@click.argument("question", nargs=-1, required=True)
@click.option(
    "--kb",
    "bases",
    multiple=True,
    metavar="NAME",
    help=t("Base to answer from; all by default.", "Base à interroger ; toutes par défaut."),
)
@AS_JSON
@click.option(
    "--why",
    is_flag=True,
    help=t("Show the route, times and tokens.", "Montrer la route, les temps et les jetons."),
)
@CHAT_MODEL
def command(
    question: tuple[str, ...], bases: tuple[str, ...], as_json: bool, why: bool, model: str | None
) -> int:
    """Ask a question."""
    from edge_slm.assistant import Assistant

    text = output.as_text(question)
    if text == "-":
        text = sys.stdin.buffer.read().decode("utf-8", "replace")
    streamed = output.to_terminal() and not as_json
    with Assistant.open(model=model, kb=bases or None) as assistant:
        answer = assistant.ask(text, output.show_piece if streamed else output.hide_piece)
    if as_json:
        click.echo(answer.to_json())
    else:
        output.show_answer(answer, streamed=streamed, why=why)
    return output.EXIT_DECLINED if answer.kind == "declined" else 0
