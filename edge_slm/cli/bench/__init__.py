"""edge-slm bench: time, memory and energy on this machine, one module a suite."""

import importlib

import click

from edge_slm.i18n import t

# name -> (English, French): the listing shows these without importing the suites.
SUITES: dict[str, tuple[str, str]] = {
    "tasks": (
        "What users do: HR answers, translation, speech; with quality (default).",
        "Ce que font les utilisateurs : RH, traduction, parole ; avec la qualité (par défaut).",
    ),
    "quant": (
        "Chat models side by side: size, speed, memory, energy.",
        "Modèles de dialogue côte à côte : taille, vitesse, mémoire, énergie.",
    ),
    "frugal": (
        "Small models and the ladder against one general model, the same questions.",
        "Petits modèles et échelle contre un seul modèle général, mêmes questions.",
    ),
    "runtime": (
        "The engines: first word, copied answers, switches, stops, crashes.",
        "Les moteurs : premier mot, réponses recopiées, changements, arrêts, pannes.",
    ),
    "peers": (
        "Our engine and other people's on the same model and questions.",
        "Notre moteur et ceux d'autrui, même modèle et mêmes questions.",
    ),
    "commands": (
        "The command itself: start, a question cold and warm, the demo's memory.",
        "La commande elle-même : démarrage, question à froid et à chaud, mémoire de la démo.",
    ),
    "leaderboard": (
        "Results of runs and machines: joules per correct answer.",
        "Résultats d'exécutions et de machines : joules par réponse juste.",
    ),
    "report": (
        "What answers cost here, from the ledger: by day, by rung, by model.",
        "Ce que les réponses ont coûté ici, d'après le registre : par jour, type, modèle.",
    ),
    "idle": (
        "The machine at rest, and what waiting for a question costs.",
        "La machine au repos, et ce que coûte l'attente d'une question.",
    ),
    "soak": (
        "The same requests for half an hour: memory, speed, failures.",
        "Les mêmes requêtes pendant une demi-heure : mémoire, vitesse, échecs.",
    ),
    "metering": (
        "The energy accounting itself, against a known truth.",
        "La mesure d'énergie elle-même, face à une vérité connue.",
    ),
}
DEFAULT = "tasks"
READERS = frozenset({"report", "leaderboard"})  # suites that measure nothing


class SuiteGroup(click.Group):
    """Lists its suites from SUITES and imports the one that is called."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the default suite where none is named, so that its options may stand alone."""
        if not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names):
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all suites."""
        return list(SUITES)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import a suite and return its command, or None where there is no such suite."""
        if name not in SUITES:
            return None
        command = importlib.import_module(f"edge_slm.cli.bench.{name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the listing of the suites."""
        with formatter.section(t("Commands", "Commandes")):
            formatter.write_dl([(name, t(*texts)) for name, texts in SUITES.items()])


@click.group(
    "bench",
    cls=SuiteGroup,
    help=t(
        "Measure time, memory and energy on this machine.",
        "Mesurer le temps, la mémoire et l'énergie sur cette machine.",
    ),
)
@click.pass_context
def command(context: click.Context) -> None:
    """Group of the suites; answers of a benchmark are none of the user's, and are not noted."""
    if context.invoked_subcommand not in READERS:
        from edge_slm.energy.ledger import keep_nothing

        keep_nothing()
