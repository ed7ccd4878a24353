"""edge-slm doctor --tune: measure the settings of the chat models here, and keep the best."""

from contextlib import closing

import click

from edge_slm.engines.tuning import Measure
from edge_slm.errors import MissingError
from edge_slm.i18n import decimal, t
from edge_slm.progress import progress


def run(model: str | None) -> list[dict[str, object]]:
    """Tune a chat model, or all that are installed; return what was found.

    Raises:
        MissingError: no chat model is installed.
    """
    from edge_slm.engines import settings, tuning
    from edge_slm.engines.loaded import Engines

    rows = []
    with closing(Engines()) as engines:
        specs = [engines.chat_spec(name) for name in ([model] if model else engines.chat_models())]
    if not specs:
        raise MissingError(
            t(
                "No chat model is on this machine: run edge-slm models pull lite.",
                "Aucun modèle de dialogue sur cette machine : lancez edge-slm models pull lite.",
            )
        )
    for spec in specs:
        label = t("Measuring {model}", "Mesure de {model}", model=spec.model)
        measures: list[Measure] = []

        with progress(label, tuning.candidates()) as advance:

            def note(measure: Measure, into: list[Measure] = measures) -> None:
                into.append(measure)
                advance(1)

            best = tuning.tune(spec, note)
        settings.remember(spec.load.sha256, best.settings)
        rows.append(_row(spec.model, best, measures))
    return rows


def show(rows: list[dict[str, object]]) -> None:
    """Print what `run` returned."""
    for row in rows:
        before, after = row["seconds_before"], row["seconds"]
        assert isinstance(before, float) and isinstance(after, float)
        click.echo(
            t(
                "{model}: {tried} settings measured; a passage read and an answer copied from it "
                "take {after} s, {before} s before.",
                "{model} : {tried} réglages mesurés ; un passage lu et une réponse qui le recopie "
                "prennent {after} s, {before} s avant.",
                model=row["model"],
                tried=row["tried"],
                after=decimal(after, 2),
                before=decimal(before, 2),
            )
        )
        kept = row["settings"]
        assert isinstance(kept, dict)
        click.echo("  " + ", ".join(f"{name} {value}" for name, value in kept.items()))


def _row(model: str, best: Measure, measures: list[Measure]) -> dict[str, object]:
    import msgspec

    return {
        "model": model,
        "tried": len(measures),
        "settings": msgspec.to_builtins(best.settings),
        "read_tokens_per_s": round(best.read, 1),
        "written_tokens_per_s": round(best.written, 1),
        "seconds": round(best.seconds, 2),
        "seconds_before": round(measures[0].seconds, 2),
        "measures": [
            {
                **msgspec.to_builtins(measure.settings),
                "read_tokens_per_s": round(measure.read, 1),
                "written_tokens_per_s": round(measure.written, 1),
                "seconds": round(measure.seconds, 2),
            }
            for measure in measures
        ],
    }
