"""The options of `edge-slm ask` that rate the answer just given."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

import click

from edge_slm.cli import output
from edge_slm.errors import UsageError
from edge_slm.i18n import t

if TYPE_CHECKING:
    from edge_slm.answer import Answer
    from edge_slm.assistant import Assistant

F = TypeVar("F", bound=Callable[..., Any])


def OPTIONS(command: F) -> F:
    """Add --rate, --reason, --correction and --by to a command."""
    options = (
        click.option(
            "--rate",
            type=click.Choice(["good", "bad"]),
            help=t(
                "Say whether the answer is right; a reviewer sees it (kb review).",
                "Dire si la réponse est juste ; un relecteur le verra (kb review).",
            ),
        ),
        click.option("--reason", help=t("With --rate: why.", "Avec --rate : pourquoi.")),
        click.option(
            "--correction",
            help=t("With --rate: the right answer.", "Avec --rate : la bonne réponse."),
        ),
        click.option(
            "--by",
            metavar="NAME",
            help=t("With --rate: who says so.", "Avec --rate : qui donne cet avis."),
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


@dataclass(frozen=True)
class Said:
    """What a person says of the answer to come."""

    verdict: Literal["good", "bad"]
    reason: str
    correction: str
    by: str

    def keep(self, assistant: "Assistant", question: str, answer: "Answer") -> int:
        """Keep it in the answer's base; return the rating's id."""
        return assistant.rate(
            question,
            answer,
            self.verdict,
            reason=self.reason,
            correction=self.correction,
            by=self.by,
        )


def checked(
    *, follow: bool, rate: str | None, reason: str | None, correction: str | None, by: str | None
) -> Said | None:
    """Return what the options say, or None without --rate.

    Raises:
        UsageError: options of a rating without --rate, or with --follow.
    """
    if rate is None:
        if reason is not None or correction is not None or by is not None:
            raise UsageError(
                t(
                    "--reason, --correction and --by need --rate good or --rate bad.",
                    "--reason, --correction et --by demandent --rate good ou --rate bad.",
                )
            )
        return None
    if follow:
        raise UsageError(
            t(
                "--rate is for one question: leave --follow out.",
                "--rate vaut pour une seule question : retirez --follow.",
            )
        )
    if correction is not None and not correction.strip():
        raise UsageError(
            t(
                "The correction is empty: give the right answer, or leave --correction out.",
                "La correction est vide : donnez la bonne réponse, ou retirez --correction.",
            )
        )
    texts = [output.as_text([text or ""]) for text in (reason, correction, by)]
    return Said(cast(Literal["good", "bad"], rate), *texts)


def show(number: int) -> None:
    """Say on standard error that a rating was kept."""
    click.echo(
        t(
            "Rating {id} is kept and waits for a reviewer: edge-slm kb review",
            "Avis {id} enregistré, en attente de relecture : edge-slm kb review",
            id=number,
        ),
        err=True,
    )
