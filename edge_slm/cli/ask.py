"""edge-slm ask."""

import sys

import click

from edge_slm.cli import output, rating
from edge_slm.cli.options import AS_JSON, CHAT_MODEL, RUNGS, rungs_of
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
@click.argument("question", nargs=-1)
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
@click.option(
    "--follow",
    is_flag=True,
    help=t(
        "Go on with the questions of standard input, one a line; each may lean on the earlier "
        "ones (“and for triplets?”). With --json, one object a line.",
        "Continuer avec les questions de l'entrée standard, une par ligne ; chacune peut "
        "s'appuyer sur les précédentes (« et pour des triplés ? »). Avec --json, un objet par "
        "ligne.",
    ),
)
@RUNGS
@rating.OPTIONS
@CHAT_MODEL
def command(
    question: tuple[str, ...],
    bases: tuple[str, ...],
    as_json: bool,
    why: bool,
    follow: bool,
    rungs: str | None,
    model: str | None,
    **rated: str | None,
) -> int:
    """Ask a question, or hold a conversation."""
    from edge_slm.assistant import Assistant

    text = output.as_text(question)
    allowed = rungs_of(rungs)
    said = rating.checked(follow=follow, **rated)
    if follow:
        from edge_slm.cli import talk

        with Assistant.open(model=model, kb=bases or None, rungs=allowed) as assistant:
            return talk.follow(assistant, text, as_json=as_json, why=why)
    if not question:
        argument = next(item for item in command.params if item.name == "question")
        raise click.MissingParameter(param=argument)
    if text == "-":
        text = sys.stdin.buffer.read().decode("utf-8", "replace")
    streamed = output.to_terminal() and not as_json
    with Assistant.open(model=model, kb=bases or None, rungs=allowed) as assistant:
        answer = assistant.ask(text, output.show_piece if streamed else output.hide_piece)
        if as_json:
            click.echo(answer.to_json())
        else:
            output.show_answer(answer, streamed=streamed, why=why)
        if said:  # what was asked for has been shown, even if this fails
            rating.show(said.keep(assistant, text, answer))
    return output.EXIT_DECLINED if answer.kind == "declined" else 0
