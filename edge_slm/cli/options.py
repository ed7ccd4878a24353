"""Options that several commands share."""

import click

from edge_slm.i18n import t

AS_JSON = click.option(
    "--json", "as_json", is_flag=True, help=t("Print JSON.", "Afficher du JSON.")
)
CHAT_MODEL = click.option(
    "--model", metavar="ID", help=t("Chat model to use.", "Modèle de dialogue à employer.")
)
