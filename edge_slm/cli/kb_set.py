"""edge-slm kb set: what a base says of itself, changed after it was made."""

import click
import msgspec

from edge_slm.cli.options import AS_JSON, RUNGS, rungs_of
from edge_slm.i18n import t


@click.command(
    "set",
    help=t(
        "Change whom the base BASE names when it does not answer, whom it is for, and which rungs "
        "of the answer ladder it allows. Without an option, show them.",
        "Changer qui la base BASE indique quand elle ne répond pas, à qui elle s'adresse et "
        "quelles réponses elle permet. Sans option, les afficher.",
    ),
)
@click.argument("name", metavar="BASE")
@click.option(
    "--contact",
    help=t(
        "Whom to ask when the base does not answer; empty for nobody.",
        "À qui s'adresser quand la base ne répond pas ; vide pour personne.",
    ),
)
@click.option(
    "--audience",
    help=t(
        "Words that go without saying for those who ask; empty for none.",
        "Mots sous-entendus par ceux qui demandent ; vide pour aucun.",
    ),
)
@RUNGS
@AS_JSON
def command(
    name: str, contact: str | None, audience: str | None, rungs: str | None, as_json: bool
) -> None:
    """Change the facts of a base, and show them."""
    from edge_slm.cli import output
    from edge_slm.kb.base import KnowledgeBase, base_path

    given = {"contact": contact, "audience": audience}
    facts = {key: value for key, value in given.items() if value is not None}
    if rungs is not None:
        facts["rungs"] = msgspec.json.encode(sorted(rungs_of(rungs))).decode()
    with KnowledgeBase.open(base_path(name)) as base:
        if facts:
            base.change(**facts)
        row = {"contact": base.contact, "audience": base.audience, "rungs": sorted(base.rungs)}
    if as_json:
        output.show_json(row)
        return
    click.echo(f"contact: {row['contact']}")
    click.echo(f"audience: {row['audience']}")
    click.echo(f"rungs: {','.join(row['rungs'])}")
