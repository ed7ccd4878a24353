"""What a data centre would spend on the same answers, by EcoLogits' published formula, as a range.

It models a large model on servers of eight H100 accelerators that serve 64 requests at once; it is
a regression over benchmarks of others (https://ecologits.ai, method of text generation; package
ecologits 0.11.3, impacts/llm.py). It is an estimate of something else, elsewhere: never a
measurement, never to be added to one, and no proof that an answer here costs less or more. It
leaves out the reading of the prompt, the network, the user's own screen, training, and building
the machines.
"""

import math
from dataclasses import dataclass

from edge_slm.errors import UsageError
from edge_slm.i18n import decimal, t

ECOLOGITS = "0.11.3"
JOULES_PER_KWH = 3.6e6

BATCH = 64  # requests that a server answers at once
# Wh that one accelerator spends on one token: a * exp(b * batch) * parameters (in 10**9) + c
ENERGY_A, ENERGY_B, ENERGY_C = 1.1665273170451914e-06, -0.011205921025579175, 4.052928146734005e-05
# Seconds a token: a * parameters (in 10**9) + b * batch + c
LATENCY_A, LATENCY_B, LATENCY_C = (
    0.0006785088094353663,
    0.0003119310311688259,
    0.019473717579473387,
)
BITS = 16  # of one weight
MEMORY_MARGIN = 1.2  # memory that a model takes over its weights
GPU_GB = 80.0
SERVER_GPUS = 8
SERVER_KW = 1.2  # of a server without its accelerators
# Energy that a data centre draws over that of its machines: least and most of the providers that
# the package knows (tracers/utils.py).
PUE = (1.09, 1.20)
MOST_TOKENS = 10**12
MOST_PARAMETERS_B = 100_000.0


@dataclass(frozen=True)
class CloudEstimate:
    """Joules that a data centre would spend, between two bounds.

    Attributes:
        low_j, high_j: joules in all.
        assumptions: what the figures take for granted, one sentence for people.
    """

    low_j: float
    high_j: float
    assumptions: str


def cloud_range(
    output_tokens: int,
    active_parameters_b: tuple[float, float],
    total_parameters_b: tuple[float, float] | None = None,
) -> CloudEstimate:
    """Return what a data centre would spend on writing so many tokens.

    Args:
        output_tokens: tokens written, of all answers.
        active_parameters_b: 10**9 weights that each token passes through, least and most.
        total_parameters_b: 10**9 weights in memory; None where all are active (no experts).

    Raises:
        UsageError: a number is negative, absurd, or a range is upside down.
    """
    total = total_parameters_b or active_parameters_b
    _check(output_tokens, active_parameters_b, total)
    low, high = (
        request_kwh(output_tokens, active, whole, pue) * JOULES_PER_KWH
        for active, whole, pue in zip(active_parameters_b, total, PUE, strict=True)
    )
    return CloudEstimate(low, high, _assumptions(active_parameters_b))


def request_kwh(output_tokens: int, active_b: float, total_b: float, pue: float) -> float:
    """Return the kWh of writing tokens with a model of so many 10**9 weights."""
    gpus = _gpus(total_b)
    gpu_wh = ENERGY_A * math.exp(ENERGY_B * BATCH) * active_b + ENERGY_C
    gpu_kwh = output_tokens * gpu_wh / 1000
    seconds = output_tokens * (LATENCY_A * active_b + LATENCY_B * BATCH + LATENCY_C)
    server_kwh = seconds / 3600 * SERVER_KW * (gpus / SERVER_GPUS) / BATCH
    return pue * (server_kwh + gpus * gpu_kwh)


def _gpus(total_b: float) -> int:
    """Return the accelerators that hold a model: a power of two."""
    gigabytes = MEMORY_MARGIN * total_b * BITS / 8
    return int(2 ** math.ceil(math.log2(math.ceil(gigabytes / GPU_GB))))


def _check(tokens: int, active: tuple[float, float], total: tuple[float, float]) -> None:
    ordered = 0 < active[0] <= active[1] and 0 < total[0] <= total[1] <= MOST_PARAMETERS_B
    within = all(few <= all_ for few, all_ in zip(active, total, strict=True))
    if not 0 <= tokens <= MOST_TOKENS or not ordered or not within:
        raise UsageError(
            t(
                "No cloud estimate of {tokens} tokens and {a} to {b} billion weights: give 0 or "
                "more tokens, and weights above 0, the smaller number first.",
                "Pas d'estimation pour {tokens} jetons et {a} à {b} milliards de poids : donnez "
                "0 jeton ou plus, et des poids au-dessus de 0, le plus petit nombre d'abord.",
                tokens=tokens,
                a=active[0],
                b=active[1],
            )
        )


def _assumptions(active: tuple[float, float]) -> str:
    return t(
        "EcoLogits' formula ({version}): a model of {a} to {b} billion active weights on servers "
        "of eight H100 with 64 requests at once, PUE {p} to {q}; an estimate of something else, "
        "never a measurement to compare with.",
        "Formule d'EcoLogits ({version}) : un modèle de {a} à {b} milliards de poids actifs sur "
        "des serveurs de huit H100 à 64 demandes simultanées, PUE {p} à {q} ; l'estimation d'autre "
        "chose, jamais une mesure à laquelle comparer.",
        version=ECOLOGITS,
        a=f"{active[0]:g}",
        b=f"{active[1]:g}",
        p=decimal(PUE[0], 2),
        q=decimal(PUE[1], 2),
    )
