"""How answers look on a terminal."""

import sys
from collections.abc import Iterable

import click
import msgspec

from edge_slm.answer import Answer, Energy, Source
from edge_slm.i18n import decimal, t

EXIT_DECLINED = 1


def to_terminal() -> bool:
    """Return whether standard output is a terminal, where pieces may be shown as they come."""
    return sys.stdout.isatty()


def as_text(words: Iterable[str]) -> str:
    """Return words of the command line as one text; bytes that are not UTF-8 become “�”."""
    return " ".join(words).encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def show_piece(piece: str) -> None:
    """Show a piece of an answer at once."""
    click.echo(piece, nl=False)


def hide_piece(piece: str) -> None:
    """Show nothing: the whole answer is printed at the end."""


def show_json(value: object) -> None:
    """Print a value as indented JSON."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def show_json_line(value: msgspec.Struct) -> None:
    """Print a value as JSON on one line."""
    click.echo(msgspec.json.encode(value).decode())


def show_answer(answer: Answer, *, streamed: bool, why: bool) -> None:
    """Show an answer and where it comes from.

    Args:
        answer: the answer.
        streamed: its text is on the screen already.
        why: also show the route, the times and the tokens.
    """
    click.echo("" if streamed else answer.text)
    if answer.understood:
        click.echo(t("Understood: {q}", "Compris : {q}", q=answer.understood))
    if answer.sources or answer.kind == "written":
        click.echo()
    for source in answer.sources:
        click.echo(_source_line(source))
    if answer.kind == "written":
        click.echo(
            t(
                "Written by a model ({id}): check it against the page.",
                "Rédigé par un modèle ({id}) : vérifiez sur la page.",
                id=answer.model.id if answer.model else "",
            )
        )
    if why:
        click.echo()
        for line in why_lines(answer):
            click.echo(line)
    show_warnings(answer)


def show_warnings(answer: Answer) -> None:
    """Show what a reader should check, on standard error."""
    for warning in answer.warnings:
        click.echo(t("Warning: {w}", "Attention : {w}", w=warning), err=True)


def why_lines(answer: Answer) -> list[str]:
    """Return the route, the times and the tokens of an answer, a line each."""
    times = ", ".join(f"{name} {decimal(ms, 0)} ms" for name, ms in answer.timings_ms.items())
    lines = [
        t(
            "Route: {task}, confidence {c}: {why}",
            "Route : {task}, confiance {c} : {why}",
            task=answer.route.task,
            c=decimal(answer.route.confidence, 2),
            why=answer.route.why,
        ),
        t("Kind: {kind}", "Nature : {kind}", kind=answer.kind),
        t("Times: {times}", "Temps : {times}", times=times),
    ]
    if answer.model:
        lines.append(
            t(
                "Model: {id}; tokens read {r} ({c} cached), written {w}",
                "Modèle : {id} ; jetons lus {r} (dont {c} en cache), écrits {w}",
                id=answer.model.id,
                r=answer.usage.prompt_tokens,
                c=answer.usage.cached_tokens,
                w=answer.usage.completion_tokens,
            )
        )
    else:
        lines.append(t("Model: none, no token", "Modèle : aucun, aucun jeton"))
    lines.append(energy_line(answer.energy))
    return lines


def energy_line(energy: Energy) -> str:
    """Return what an answer cost, how that is known, and how sure it is, as one line."""
    cpu = decimal(energy.cpu_seconds or 0.0, 2)
    if energy.joules is None or energy.low is None or energy.high is None:
        return t(
            "Energy: not known; {cpu} CPU-seconds", "Énergie : inconnue ; {cpu} s-CPU", cpu=cpu
        )
    figures = {
        "joules": decimal(energy.joules, 1),
        "low": decimal(energy.low, 1),
        "high": decimal(energy.high, 1),
        "cpu": cpu,
        "method": energy.method,
        "scope": energy.scope,
    }
    if energy.method == "estimate":
        return t(
            "Energy: about {joules} J ({low} to {high}), estimated from {cpu} CPU-seconds, the "
            "processor only",
            "Énergie : environ {joules} J ({low} à {high}), estimée d'après {cpu} s-CPU, "
            "processeur seul",
            **figures,
        )
    return t(
        "Energy: {joules} J ({low} to {high}), measured by {method}, {scope}, above the idle "
        "machine; {cpu} CPU-seconds",
        "Énergie : {joules} J ({low} à {high}), mesurée par {method}, {scope}, en plus de la "
        "machine au repos ; {cpu} s-CPU",
        **figures,
    )


def brief_energy(energy: Energy) -> str:
    """Return what an answer cost in a few words, which say when they are an estimate."""
    if energy.joules is None:
        return t("energy not known", "énergie inconnue")
    joules = decimal(energy.joules, 1)
    if energy.method == "estimate":
        return t("about {j} J, estimated", "environ {j} J, estimés", j=joules)
    return t("{j} J, measured", "{j} J, mesurés", j=joules)


def _source_line(source: Source) -> str:
    place = t("page {page}", "page {page}", page=source.page)
    if source.section:
        place += f", {source.section}"
    return t(
        "Source: {title}, {place} ({document}, base {kb})",
        "Source : {title}, {place} ({document}, base {kb})",
        title=source.title,
        place=place,
        document=source.document,
        kb=source.kb,
    )
