"""edge-slm serve."""

import click

from edge_slm.cli.options import CHAT_MODEL
from edge_slm.errors import UsageError
from edge_slm.i18n import t


@click.command(
    "serve",
    help=t(
        "Serve the models and the assistant of this machine to its other programs, in the shapes "
        "of OpenAI's API and of Albert API, until Ctrl-C.",
        "Servir les modèles et l'assistant de cette machine à ses autres programmes, sous les "
        "formes de l'API d'OpenAI et d'Albert API, jusqu'à Ctrl-C.",
    ),
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help=t("Address to listen on.", "Adresse d'écoute."),
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8321,
    show_default=True,
    help=t("Port; 0 for any that is free.", "Port ; 0 pour n'importe lequel de libre."),
)
@click.option(
    "--allow-remote",
    is_flag=True,
    help=t(
        "Accept an address that other machines can reach.",
        "Accepter une adresse que d'autres machines peuvent joindre.",
    ),
)
@click.option(
    "--token",
    envvar="EDGE_SLM_TOKEN",
    metavar="TEXT",
    help=t(
        "Token that every request must show; EDGE_SLM_TOKEN hides it from the list of processes.",
        "Jeton que toute requête doit montrer ; EDGE_SLM_TOKEN le cache de la liste des processus.",
    ),
)
@CHAT_MODEL
@click.option(
    "--kb",
    "bases",
    multiple=True,
    metavar="NAME",
    help=t("Base to show; all by default.", "Base à montrer ; toutes par défaut."),
)
@click.option(
    "--budget",
    metavar="SIZE",
    help=t(
        "Memory that the models may take together, such as 3GiB.",
        "Mémoire que les modèles peuvent prendre ensemble, par exemple 3Gio.",
    ),
)
@click.option(
    "--pin",
    "pinned",
    multiple=True,
    metavar="ID",
    help=t("Model never to unload.", "Modèle à ne jamais décharger."),
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help=t("Longest a request may take.", "Durée maximale d'une requête."),
)
@click.option(
    "--queue",
    type=click.IntRange(min=0),
    default=8,
    show_default=True,
    help=t("Requests that may wait for one model.", "Requêtes qui peuvent attendre un modèle."),
)
def command(
    host: str,
    port: int,
    allow_remote: bool,
    token: str | None,
    model: str | None,
    bases: tuple[str, ...],
    budget: str | None,
    pinned: tuple[str, ...],
    timeout: float | None,
    queue: int,
) -> None:
    """Serve."""
    from edge_slm.server import run

    run.library()
    from edge_slm.cards import get_card
    from edge_slm.engines.loaded import Engines
    from edge_slm.engines.workers.pool import Pool
    from edge_slm.server.app import Server
    from edge_slm.server.security import Rules
    from edge_slm.server.site import Site
    from edge_slm.sizes import parse_size

    _check_token(token)
    for name in pinned:
        get_card(name)  # says which names are near
    with run.listen(host, port, allow_remote=allow_remote) as listening:
        pool = Pool(parse_size(budget) if budget else None, pinned, queue)
        site = Site(Engines(model, pool), bases or None, timeout)
        with site.opened():  # a base that cannot be opened is said now
            pass
        run.announce(listening, token=token is not None)
        local = run.is_local(listening)
        run.serve(Server(site, Rules(local, token)), listening)


def _check_token(token: str | None) -> None:
    # A header carries no more, and a token of nothing would let everybody in.
    if token is not None and not (token and token.isascii() and token.isprintable()):
        raise UsageError(
            t(
                "The token must hold letters, digits and signs of plain ASCII.",
                "Le jeton doit se composer de lettres, chiffres et signes ASCII.",
            )
        )
