"""Options that several commands share."""

import click

from edge_slm.i18n import t
from edge_slm.kb.rungs import ALL

AS_JSON = click.option(
    "--json", "as_json", is_flag=True, help=t("Print JSON.", "Afficher du JSON.")
)
CHAT_MODEL = click.option(
    "--model",
    metavar="ID|FILE",
    help=t(
        "Chat model to use: an id, or a GGUF file.",
        "Modèle de dialogue à employer : un identifiant, ou un fichier GGUF.",
    ),
)
MODEL_ID = click.option(
    "--model", metavar="ID", help=t("The only model to tune.", "Le seul modèle à régler.")
)
RUNGS = click.option(
    "--rungs",
    metavar="LIST",
    help=t(
        "Rungs of the answer ladder that may be used: approved,quote,written. A refusal always is.",
        "Réponses permises, dans l'ordre : approved,quote,written (approuvée, citée, rédigée). "
        "Décliner l'est toujours.",
    ),
)


def rungs_of(text: str | None) -> frozenset[str]:
    """Return the rungs that a list names; all of them for None.

    Raises:
        click.UsageError: it names what is no rung.
    """
    if text is None:
        return ALL
    names = frozenset(name.strip() for name in text.split(",") if name.strip())
    if unknown := names - ALL:
        raise click.UsageError(
            t(
                "“{names}” is no rung: use approved, quote, written, with commas.",
                "« {names} » n'est pas une réponse possible : approved, quote, written, avec des "
                "virgules.",
                names=", ".join(sorted(unknown)),
            )
        )
    return names
