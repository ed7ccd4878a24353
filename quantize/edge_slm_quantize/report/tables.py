"""The same facts for Markdown and for the web page: rows of text, in the interface's language."""

from edge_slm.bench.tables import NONE, between
from edge_slm.i18n import decimal, interface_language, size, t
from edge_slm_quantize.metrics import METRICS
from edge_slm_quantize.report.pareto import alike
from edge_slm_quantize.report.result import Outcome, Result, words
from edge_slm_quantize.search import targets
from edge_slm_quantize.search.words import amount, duration

Rows = list[tuple[str, ...]]


def title(result: Result) -> str:
    """Return the heading of a report."""
    return t(
        "{model} for {target}",
        "{model} pour {target}",
        model=result.source.name,
        target=targets.title(result.target),
    )


def verdict(result: Result) -> str:
    """Return the sentence that a report begins with."""
    if result.chosen is None:
        said = t("No recipe passes {gate}.", "Aucune recette ne passe {gate}.", gate=result.gate)
        return f"{said} {result.nearest}." if result.nearest else said
    one = result.chosen_outcome
    return t(
        "Chosen: {recipe}, {size}, the smallest that passes {gate}.",
        "Choisie : {recipe}, {size}, la plus petite qui passe {gate}.",
        recipe=result.chosen,
        size=amount("size", one.value("size") if one else None),
        gate=result.gate,
    )


def figures(result: Result) -> tuple[tuple[str, ...], Rows]:
    """Return the head and the rows of the table of recipes; a column for each metric measured."""
    shown = [
        name
        for name in METRICS
        if name not in ("kld_low", "kld_high")
        and any(one.value(name) is not None for one in result.recipes)
    ]
    head = (t("recipe", "recette"), t("gate", "condition"), *shown)
    rows: Rows = [
        (one.recipe, _state(one), *(_cell(one, name) for name in shown)) for one in result.recipes
    ]
    values = result.reference.values
    if values.keys() & set(shown):
        original = t("(the original)", "(l'original)")
        rows.append((original, NONE, *(amount(name, values.get(name)) for name in shown)))
    return head, rows


def _cell(one: Outcome, metric: str) -> str:
    if metric == "kld":
        return between(one.value("kld"), one.value("kld_low"), one.value("kld_high"))
    return amount(metric, one.value(metric))


def _state(one: Outcome) -> str:
    if one.passed is not None:
        return t("passes", "passe") if one.passed else t("does not pass", "ne passe pas")
    return t("failed", "échec") if one.error else t("not measured", "non mesurée")


def metrics_used(result: Result) -> Rows:
    """Return what the columns of the table mean."""
    french = interface_language() == "fr"
    return [
        (name, METRICS[name].french if french else METRICS[name].english)
        for name in figures(result)[0][2:]
    ]


def remarks(result: Result) -> list[str]:
    """Return what must be known of the figures: doubts, fallbacks, what was not measured, why."""
    said = [one for one in (result.stopped, result.speed_note, *result.notes) if one]
    if result.source.quantisation:
        said.append(
            t(
                "The original was already quantised ({kind}): losses are measured from it, not "
                "from the model as it was trained.",
                "L'original était déjà quantifié ({kind}) : les pertes se mesurent depuis lui, et "
                "non depuis le modèle tel qu'entraîné.",
                kind=result.source.quantisation,
            )
        )
    said += [
        t(
            "{a} and {b} are not distinguishable: their intervals of kld overlap.",
            "{a} et {b} ne se distinguent pas : leurs intervalles de kld se recouvrent.",
            a=a,
            b=b,
        )
        for a, b in alike(result.recipes)
    ]
    # What several recipes share is said once.
    whose: dict[str, list[str]] = {}
    for one in result.recipes:
        for text in dict.fromkeys(_of_recipe(one)):
            whose.setdefault(text, []).append(one.recipe)
    return said + [_colon(", ".join(names), text) for text, names in whose.items()]


def _colon(what: str, text: str) -> str:
    return t("{what}: {text}", "{what} : {text}", what=what, text=text)


def _of_recipe(one: Outcome) -> list[str]:
    said = [text for text in (one.error, one.dropped) if text]
    said += [_colon(part.text, part.reason) for part in one.parts if part.reason]
    if one.artefact:
        said += one.artefact.fallbacks
    if one.measured:
        said += [_colon(name, why) for name, why in one.measured.absent.items()]
        if one.measured.conditions and (note := one.measured.conditions.note):
            said.append(f"{note}.")
    return said


def types(result: Result) -> Rows:
    """Return, by recipe, the real types of its weights and what making it took."""
    return [
        (
            one.recipe,
            ", ".join(
                f"{kind} {decimal(100 * share)} %"
                for kind, share in sorted(made.artefact.types.items(), key=lambda x: -x[1])
            )
            or NONE,
            duration(made.seconds),
            size(made.peak_bytes),
        )
        for one in result.recipes
        if (made := one.made)
    ]


def changed(result: Result) -> Rows:
    """Return, where the user wants the words quoted, places at which the likeliest token changed.

    One row each: the recipe, what was read before, both tokens, the divergence there.
    """
    return [
        (
            one.recipe,
            *(str(place.get(key, "")) for key in ("before", "reference_text", "candidate_text")),
            amount("kld", place.get("kld")),
        )
        for one in result.recipes
        for place in words(one)
    ]


def changed_head() -> tuple[str, ...]:
    """Return the head of the table of changed tokens."""
    return (
        t("recipe", "recette"),
        t("after", "après"),
        t("the original", "l'original"),
        t("the recipe", "la recette"),
        "kld",
    )


def changed_title() -> str:
    """Return the heading of the table of changed tokens."""
    return t("Where the likeliest token changed", "Où le jeton le plus probable a changé")


def delegation(result: Result) -> Rows:
    """Return, for recipes of an NPU, a row for each graph: where it runs, and what does not.

    The recipe, the graph, nodes and bytes by back end, parts on the NPU, what falls back and why.
    """
    rows: Rows = []
    for one in result.recipes:
        graphs = one.artefact.details.get("delegation", {}) if one.artefact else {}
        for name, found in graphs.items():
            fallen = "; ".join(
                f"{part['operation']} × {part['nodes']}: {part['why']}" for part in found["fallen"]
            )
            nodes = ", ".join(f"{end} {count}" for end, count in found["nodes"].items())
            weights = ", ".join(f"{end} {size(count)}" for end, count in found["bytes"].items())
            rows.append((one.recipe, name, nodes, weights, str(found["islands"]), fallen or NONE))
    return rows


def delegation_head() -> tuple[str, ...]:
    """Return the head of the table of delegation."""
    return (
        t("recipe", "recette"),
        t("graph", "graphe"),
        t("nodes", "nœuds"),
        t("weights", "poids"),
        t("parts on the NPU", "parties sur le NPU"),
        t("what falls back", "ce qui n'y va pas"),
    )


def delegation_title() -> str:
    """Return the heading of the table of delegation."""
    return t("What runs on the NPU", "Ce qui tourne sur le NPU")


def types_head() -> tuple[str, ...]:
    """Return the head of the table of types."""
    return (
        t("recipe", "recette"),
        t("real types, share of the bytes", "types réels, part des octets"),
        t("time to make", "temps de fabrication"),
        t("peak memory", "pic de mémoire"),
    )


def facts(result: Result) -> Rows:
    """Return what the figures must be read with."""
    machine = result.machine
    rows: Rows = [
        (t("model", "modèle"), f"{result.source.name} ({result.source.architecture})"),
        ("SHA-256", result.source.sha256),
        (t("target", "cible"), f"{result.target.id}, {targets.title(result.target)}"),
        (t("gate", "condition"), result.gate),
        (t("texts", "textes"), result.texts_origin),
        (t("SHA-256 of the calibration", "SHA-256 de la calibration"), result.texts_sha256),
        (t("machine", "machine"), f"{machine.cpu}, {machine.cores}, {size(machine.ram)}"),
        (t("command", "commande"), result.command),
        (t("date", "date"), result.date),
        (t("time", "durée"), duration(result.seconds)),
        (t("versions", "versions"), ", ".join(f"{k} {v}" for k, v in result.versions.items())),
    ]
    if result.card:
        rows.append((t("model card", "fiche de modèle"), f"{result.card} {result.card_sha256}"))
    return rows
