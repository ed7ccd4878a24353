"""What `edge-slm quantize --list` shows: targets, recipes, metrics."""

import json
from typing import Any

from edge_slm.i18n import size as human
from edge_slm.i18n import t

LISTINGS = ("targets", "recipes", "metrics")


def show(listing: str, as_json: bool) -> str:
    """Return a listing as a table, or as JSON.

    Args:
        listing: one of LISTINGS.
        as_json: a JSON list of objects instead.
    """
    rows = {"targets": _targets, "recipes": _recipes, "metrics": _metrics}[listing]()
    if as_json:
        return json.dumps(rows, ensure_ascii=False, indent=2)
    from edge_slm.bench.tables import aligned

    return aligned([_HEADS[key] for key in rows[0]], [[str(x) for x in r.values()] for r in rows])


_HEADS = {
    "target": t("target", "cible"),
    "device": t("device", "appareil"),
    "formats": t("formats", "formats"),
    "memory": t("memory", "mémoire"),
    "chat": t("tried for chat", "essayé pour le dialogue"),
    "recipe": t("recipe", "recette"),
    "format": t("format", "format"),
    "metric": t("metric", "mesure"),
    "better": t("better", "mieux"),
    "unit": t("unit", "unité"),
    "models": t("of models", "des modèles"),
    "meaning": t("meaning", "sens"),
}


_UNITS = {
    "bytes": t("bytes", "octets"),
    "share": t("share", "part"),
    "seconds": t("seconds", "secondes"),
    "tokens/s": t("tokens/s", "jetons/s"),
}


def _targets() -> list[dict[str, Any]]:
    from edge_slm_quantize.search import targets

    found = [targets.load(targets.THIS_MACHINE), *targets.all_targets().values()]
    return [
        {
            "target": one.id,
            "device": targets.title(one),
            "formats": ", ".join(one.formats),
            "memory": human(one.ram),
            "chat": ", ".join(one.recipes.get("chat", ())),
        }
        for one in found
    ]


def _recipes() -> list[dict[str, Any]]:
    from edge_slm_quantize.recipe import CT2, GGUF, ONNX, QNN, RKNN, parse

    return [
        {"recipe": name, "format": parse(name).format} for name in (*GGUF, *ONNX, *CT2, *QNN, *RKNN)
    ]


def _metrics() -> list[dict[str, Any]]:
    from edge_slm_quantize.metrics import METRICS

    return [
        {
            "metric": name,
            "better": t("less", "moins") if one.better == "less" else t("more", "plus"),
            "unit": _UNITS.get(one.unit, one.unit),
            "models": ", ".join(one.tasks),
            "meaning": t(one.english, one.french),
        }
        for name, one in METRICS.items()
    ]
