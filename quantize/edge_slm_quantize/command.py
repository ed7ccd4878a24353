"""edge-slm quantize: shrink a model for a device, and prove what it cost."""

import json
from collections.abc import Mapping
from pathlib import Path

import click

from edge_slm.cli.options import AS_JSON
from edge_slm.i18n import t
from edge_slm_quantize import SUMMARY
from edge_slm_quantize.durations import Seconds
from edge_slm_quantize.listings import LISTINGS, show

_HELP = "\n\n".join(
    (
        t(*SUMMARY),
        t(
            "MODEL is a model's id, a GGUF file, a folder of safetensors, or organisation/name of "
            "a hub repository. Each recipe is made, measured against the original on your own "
            "text, and judged; the smallest that passes the gate is kept.",
            "MODEL est l'identifiant d'un modèle, un fichier GGUF, un dossier de safetensors, ou "
            "organisation/nom d'un dépôt. Chaque recette est faite, mesurée face à l'original sur "
            "votre propre texte, et jugée ; la plus petite qui remplit la condition est gardée.",
        ),
    )
)


@click.command("quantize", help=_HELP)
@click.argument("model", metavar="MODEL", required=False)
@click.option(
    "--for",
    "target",
    metavar="TARGET",
    default="this-machine",
    show_default=True,
    help=t(
        "Device: an id (--list targets) or a TOML file.",
        "Appareil : un identifiant (--list targets) ou un fichier TOML.",
    ),
)
@click.option(
    "--recipes",
    metavar="LIST",
    help=t(
        "Recipes with commas, such as Q8_0,Q4_0+imatrix; all are measured. By default, the "
        "target's.",
        "Recettes avec des virgules, comme Q8_0,Q4_0+imatrix ; toutes sont mesurées. Par défaut, "
        "celles de la cible.",
    ),
)
@click.option(
    "--gate",
    metavar="EXPR",
    help=t(
        'What must hold: "kld<=0.02 and faq_accuracy>=0.98*ref and size<=600MB".',
        'Ce qui doit être vrai : "kld<=0.02 and faq_accuracy>=0.98*ref and size<=600MB".',
    ),
)
@click.option(
    "--text",
    "texts",
    metavar="FILE|DIR|kb:NAME",
    multiple=True,
    help=t(
        "Text to calibrate and judge on; repeatable. The sample handbook by default.",
        "Texte pour calibrer et juger ; répétable. Par défaut, le guide d'exemple.",
    ),
)
@click.option(
    "--budget",
    metavar="TIME",
    type=Seconds(),
    help=t("Stop after so long: 90s, 20m, 2h.", "S'arrêter après ce temps : 90s, 20m, 2h."),
)
@click.option(
    "--tokens",
    type=click.IntRange(512, 1_000_000),
    default=6144,
    show_default=True,
    help=t(
        "Tokens of text to judge on; half of them are scored.",
        "Jetons de texte pour juger ; la moitié est notée.",
    ),
)
@click.option("--kb", metavar="NAME", help=t("Base of faq_accuracy.", "Base de faq_accuracy."))
@click.option(
    "--questions",
    metavar="JSONL",
    type=click.Path(exists=True, dir_okay=False),
    help=t(
        "Questions of faq_accuracy and recall_at_5.", "Questions de faq_accuracy et recall_at_5."
    ),
)
@click.option(
    "--corpus",
    metavar="JSONL",
    type=click.Path(exists=True, dir_okay=False),
    help=t("Documents of recall_at_5.", "Documents de recall_at_5."),
)
@click.option(
    "--pairs",
    metavar="TSV",
    type=click.Path(exists=True, dir_okay=False),
    help=t("Translations of chrf.", "Traductions de chrf."),
)
@click.option(
    "--audio",
    metavar="JSONL",
    type=click.Path(exists=True, dir_okay=False),
    help=t("Recordings of wer.", "Enregistrements de wer."),
)
@click.option(
    "--sample",
    type=click.IntRange(1),
    help=t("Rows of each task suite, at most.", "Lignes de chaque épreuve, au plus."),
)
@click.option(
    "-o",
    "--out",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False, resolve_path=True),
    help=t(
        "Folder of the report and the chosen model. The same folder goes on with a job that was "
        "stopped.",
        "Dossier du rapport et du modèle choisi. Le même dossier reprend un travail arrêté.",
    ),
)
@click.option(
    "--id",
    "model_id",
    metavar="ID",
    help=t("Id of the new model.", "Identifiant du nouveau modèle."),
)
@click.option(
    "--no-install",
    is_flag=True,
    help=t(
        "Leave the store and the catalogue as they are.",
        "Laisser le magasin et le catalogue comme ils sont.",
    ),
)
@click.option(
    "--keep-all",
    is_flag=True,
    help=t("Keep what was not chosen too.", "Garder aussi ce qui n'est pas choisi."),
)
@click.option(
    "--quote",
    is_flag=True,
    help=t(
        "Quote in the report the words of your text after which the model goes another way.",
        "Citer dans le rapport les mots de votre texte après lesquels le modèle dévie.",
    ),
)
@click.option(
    "--engine",
    metavar="ADDRESS",
    help=t(
        "Share the work with a Dask cluster: tcp://HOST:8786.",
        "Partager le travail avec une grappe Dask : tcp://HOTE:8786.",
    ),
)
@click.option(
    "--dry-run",
    is_flag=True,
    help=t("Print the plan and end.", "Afficher le plan et finir."),
)
@click.option(
    "--list",
    "listing",
    type=click.Choice(LISTINGS),
    help=t("List what there is, and end.", "Lister ce qu'il y a, et finir."),
)
@AS_JSON
def command(
    model: str | None,
    target: str,
    recipes: str | None,
    gate: str | None,
    texts: tuple[str, ...],
    budget: float | None,
    tokens: int,
    kb: str | None,
    questions: str | None,
    corpus: str | None,
    pairs: str | None,
    audio: str | None,
    sample: int | None,
    out: Path | None,
    model_id: str | None,
    no_install: bool,
    keep_all: bool,
    quote: bool,
    engine: str | None,
    dry_run: bool,
    listing: str | None,
    as_json: bool,
) -> int:
    """Shrink a model."""
    import msgspec

    if listing:
        click.echo(show(listing, as_json))
        return 0
    if not model:
        raise click.UsageError(
            t(
                "MODEL is missing: a model's id, a GGUF file or a folder.",
                "MODEL manque : l'identifiant d'un modèle, un fichier GGUF ou un dossier.",
            )
        )
    from edge_slm_quantize.job import Request, prepared
    from edge_slm_quantize.records import Suites
    from edge_slm_quantize.report import terminal
    from edge_slm_quantize.report.result import as_json as result_json
    from edge_slm_quantize.running import run
    from edge_slm_quantize.search import plan

    request = Request(
        model=model,
        target=target,
        recipes=recipes,
        gate=gate,
        texts=texts,
        budget=budget,
        tokens=tokens,
        suites=Suites(
            kb=kb, questions=questions, corpus=corpus, pairs=pairs, audio=audio, sample=sample
        ),
        out=out,
        id=model_id,
        install=not no_install,
        keep_all=keep_all,
        engine=engine,
        quote=quote,
    )
    job = prepared(request)
    around = {"gate": job.gate.text, "texts": job.texts.origin, "out": str(job.root)}
    said = f"{plan.text(job.plan)}\n{_around(around)}"
    if dry_run:
        click.echo(_json({**msgspec.to_builtins(job.plan), **around}) if as_json else said)
        return 0
    click.echo(said, err=True)
    result = run(job, lambda line: click.echo(line, err=True))
    click.echo(_json(result_json(result)) if as_json else terminal.text(result, job.root))
    return 0 if result.chosen else 1


def _around(known: Mapping[str, str]) -> str:
    return t(
        "Gate: {gate}\nTexts: {texts}\nFolder: {out}",
        "Condition : {gate}\nTextes : {texts}\nDossier : {out}",
        **known,
    )


def _json(data: object) -> str:
    return json.dumps(data, ensure_ascii=False, indent=2)
