"""What edge-slm doctor says of energy: the meter, the idle machine, the ledger."""

import platform
from collections.abc import Iterator

from edge_slm.cli.checks import Check
from edge_slm.errors import EdgeSlmError
from edge_slm.i18n import decimal, t


def energy() -> Iterator[Check]:
    """Yield how costs are found here, and what would measure them better."""
    from edge_slm.energy import meters
    from edge_slm.energy.meter import Absent

    name = t("energy", "énergie")
    try:
        meter = meters.chosen()
    except EdgeSlmError as error:
        mend = t("Mend or unset EDGE_SLM_METER.", "Corrigez ou retirez EDGE_SLM_METER.")
        yield Check(name, False, str(error), mend)
        return
    found = meters.find_all(meters.system_root())
    absent = [reason for _, reason in found if isinstance(reason, Absent)]
    locked = next((reason.reason for reason in absent if reason.mendable), "")
    if meter is None:
        yield Check(name, True, _estimated(), locked)
        return
    try:
        seen = t(
            "measured by {meter} ({scope}), above the idle machine",
            "mesurée par {meter} ({scope}), en plus de la machine au repos",
            meter=meter.name,
            scope=meter.scope,
        )
        yield Check(name, True, seen)
        yield _idle(meter.name)
    finally:
        meter.close()


def ledger() -> Iterator[Check]:
    """Yield whether what answers cost is noted, and where."""
    from edge_slm.energy.ledger import Ledger, switched_on

    name = t("energy ledger", "registre d'énergie")
    kept = Ledger()
    try:
        if not switched_on():
            yield Check(name, True, t("off (EDGE_SLM_LEDGER)", "éteint (EDGE_SLM_LEDGER)"))
        elif kept.belongs_to_another:
            seen = t(
                "{path} is another account's: nothing is noted for you",
                "{path} est à un autre compte : rien n'est noté pour vous",
                path=kept.path,
            )
            yield Check(name, True, seen)
        else:
            seen = t(
                "{n} answers noted, figures only ({path})",
                "{n} réponses notées, des chiffres seulement ({path})",
                n=len(kept.entries()),
                path=kept.path,
            )
            yield Check(name, True, seen)
    except EdgeSlmError as error:
        yield Check(name, False, str(error))


def _estimated() -> str:
    from edge_slm.energy.power_model import power_model
    from edge_slm.machine import cpu_name

    try:
        model = power_model(cpu_name(), platform.machine())
    except EdgeSlmError as error:
        return str(error)
    return t(
        "no meter: estimated, {typical} W for a busy core ({low} to {high}): {basis}",
        "pas de compteur : estimée, {typical} W par cœur occupé ({low} à {high}) : {basis}",
        typical=decimal(model.typical_w, 1),
        low=decimal(model.low_w, 1),
        high=decimal(model.high_w, 1),
        basis=model.basis,
    )


def _idle(meter: str) -> Check:
    from edge_slm.energy import idle

    name = t("idle machine", "machine au repos")
    kept = idle.known(meter)
    mend = t(
        "edge-slm bench idle measures it in three minutes.",
        "edge-slm bench idle la mesure en trois minutes.",
    )
    if kept is None:
        return Check(name, True, t("not measured yet", "pas encore mesurée"), mend)
    seen = t(
        "{watts} W ± {spread}, measured in {seconds} s on {date}",
        "{watts} W ± {spread}, mesurés en {seconds} s le {date}",
        watts=decimal(kept.watts, 2),
        spread=decimal(kept.spread_w, 2),
        seconds=decimal(kept.seconds, 0),
        date=kept.measured.date().isoformat(),
    )
    return Check(name, True, seen, mend if kept.seconds <= 2 * idle.BRIEF_S else "")
