"""edge-slm demo: the main job, end to end, on the sample base."""

import click

from edge_slm import paths
from edge_slm.answer import Answer
from edge_slm.cli import output
from edge_slm.cli.options import AS_JSON
from edge_slm.i18n import decimal, size, t
from edge_slm.profiles import BUDGETS, PROFILES
from edge_slm.progress import progress

SAMPLE = "exemple-rh"
CONTACT = "direction des ressources humaines, poste 4210"
QUESTION = "Combien de jours dure le congé de paternité pour des jumeaux ?"
OFF_TOPIC = "Quelle est la capitale de la Mongolie ?"
SENTENCE = (
    "traduis en anglais : Votre demande doit parvenir au service des ressources humaines deux mois "
    "à l'avance."
)


@click.command(
    "demo",
    help=t(
        "Make the sample base “exemple-rh” if needed, then answer an HR question, decline another, "
        "translate a sentence and write down a recording.",
        "Créer au besoin la base d'exemple « exemple-rh », puis répondre à une question RH, en "
        "décliner une autre, traduire une phrase et transcrire un enregistrement.",
    ),
)
@click.option(
    "--profile",
    type=click.Choice(list(PROFILES)),
    help=t("Models to use; the best installed by default.", "Modèles ; les meilleurs par défaut."),
)
@AS_JSON
def command(profile: str | None, as_json: bool) -> None:
    """Run the demo."""
    from edge_slm.assistant import Assistant
    from edge_slm.bench.memory_watch import MemoryWatch

    recording = str(paths.examples_dir() / "audio" / "message.flac")
    model = PROFILES[profile][0] if profile else None
    budget = BUDGETS[profile] if profile else None
    answers = []
    with MemoryWatch() as memory:
        _make_sample()
        with Assistant.open(model=model, kb=[SAMPLE], budget=budget) as assistant:
            for request in (QUESTION, OFF_TOPIC, SENTENCE, recording):
                answer = assistant.ask(request)
                answers.append(answer)
                if not as_json:
                    _show(request, answer)
    peak = memory.peak.rss_bytes
    if as_json:
        row = {"answers": answers, "peak_memory_bytes": peak}
        output.show_json(row)
        return
    click.echo(
        t(
            "Peak memory {peak}. Nothing left this machine. Now yours: edge-slm ask “…”",
            "Mémoire au plus {peak}. Rien n'est sorti de cette machine. À vous : "
            "edge-slm ask « … »",
            peak=size(peak),
        )
    )


def _show(request: str, answer: Answer) -> None:
    click.echo(f"> {request}")
    output.show_answer(answer, streamed=False, why=False)
    click.echo(
        t(
            "({kind}, {seconds} s, {tokens} tokens written, {joules})",
            "({kind}, {seconds} s, {tokens} jetons écrits, {joules})",
            kind=answer.kind,
            seconds=decimal(answer.timings_ms["total"] / 1000, 2),
            tokens=answer.usage.completion_tokens,
            joules=output.brief_energy(answer.energy),
        )
    )
    click.echo()


def _make_sample() -> None:
    from edge_slm.cards import get_card
    from edge_slm.engines.loaded import EMBEDDER, Engines
    from edge_slm.kb.base import KnowledgeBase, base_path
    from edge_slm.kb.ingest import add_files, find_files

    files = find_files([paths.examples_dir() / "rh"])
    path = base_path(SAMPLE)
    if path.is_file():
        with KnowledgeBase.open(path) as base:
            if len(base.documents()) == len(files):
                return
    # Engines of their own, closed at the end: reading costs memory that answering does not need.
    # The embedder comes first: without it, no empty base stays behind.
    engines = Engines()
    embedder = engines.embedder()
    if not path.is_file():
        embed = get_card(EMBEDDER).embed
        assert embed
        KnowledgeBase.create(path, EMBEDDER, embed.dimensions, "fr", CONTACT).close()
    label = t("Making the sample base", "Création de la base d'exemple")
    with KnowledgeBase.open(path) as base, progress(label, len(files)) as advance:
        # Fitted to its own questions: edge-slm eval calibrate --kb exemple-rh.
        fitted = paths.examples_dir() / "rh" / "calibration.json"
        base.change(calibration=fitted.read_text("utf-8"))
        add_files(base, embedder, files, on_file=lambda _: advance(1))
    engines.close()
