"""Profiles: the sets of models that `models pull` fetches by one name."""

PROFILES: dict[str, tuple[str, ...]] = {
    "lite": (
        "qwen2.5-coder-0.5b-instruct-q4_k_m",
        "multilingual-e5-small-q4_0",
        "whisper-base",
    ),
    "standard": (
        "qwen2.5-coder-1.5b-instruct-q4_k_m",
        "multilingual-e5-small-q4_0",
        "whisper-base",
    ),
}

# What the program and the models of a profile take together, in bytes; the demo is held to it.
BUDGETS = {"lite": 1_500_000_000, "standard": 2_500_000_000}

STANDARD_FROM_BYTES = 6_000_000_000


def propose(total_ram_bytes: int) -> str:
    """Return the profile for a machine with this much memory.

    `standard` keeps 1.4 GB of weights and about 0.5 GB of context beside a desktop and a browser,
    which take 3 to 4 GB. A machine sold with 8 GB shows 7 or less once its graphics have taken
    their share, and one sold with 4 GB would swap: the line is drawn between, at 6 GB.
    """
    return "standard" if total_ram_bytes >= STANDARD_FROM_BYTES else "lite"


def of_model(model: str) -> list[str]:
    """Return the names of the profiles that hold a model."""
    return [name for name, models in PROFILES.items() if model in models]
