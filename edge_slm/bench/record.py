"""One line of a benchmark: what was run, what it took, on what, and how that was measured."""

from typing import Any

import msgspec


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """What a figure must be read with.

    `id` is a hash of all but `power`, RAM in whole GiB, so that machines compare. Bytes for `ram`;
    `power` is “mains”, “battery” or None where nothing tells.
    """

    id: str
    cpu: str
    architecture: str
    cores: int
    threads: int
    ram: int
    gpu: str | None
    system: str
    virtual: bool | None
    power: str | None


class Conditions(msgspec.Struct, frozen=True, kw_only=True):
    """What may have slowed a run: None where the system does not tell.

    `load` is the one-minute load average before it; frequencies in MHz and temperatures in °C, at
    the beginning and at the end; `throttled` counts the processor's own slow-downs meanwhile.
    """

    load: float
    governor: str | None = None
    mhz: tuple[float | None, float | None] = (None, None)
    celsius: tuple[float | None, float | None] = (None, None)
    throttled: int | None = None
    note: str = ""


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One case of one suite: medians of its repeats.

    suite, case: names; `case` is stable between versions, so that runs compare.
    contender: who ran it: “edge-slm”, or a peer.
    model: id or file; None where no model ran.
    repeats: timed runs, after warm-up.
    seconds: wall time of one run; `seconds_low` and `seconds_high` bound its median (95 %).
    cpu_seconds: processor time of one run, with all its processes.
    peak_bytes: most memory that all its processes held together.
    prompt_tokens, cached_tokens, tokens: read, of which from the cache, and written, in one run.
    first_token_s: to the first piece of text. tokens_per_s: written, after the first.
    joules, joules_low, joules_high, joules_method, joules_scope: of one run; None where nothing can
        be said. `watts` is joules over seconds.
    answers, correct: what one run answered, and how many of these rightly; None where not judged.
    quality: the suite's own measure, named in `quality_name` (“accuracy”, “chrf”, “wer”…).
    more: what only this suite has.
    """

    suite: str
    case: str
    contender: str = "edge-slm"
    model: str | None = None
    repeats: int
    seconds: float
    seconds_low: float | None = None
    seconds_high: float | None = None
    cpu_seconds: float
    peak_bytes: int | None = None
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    tokens: int | None = None
    first_token_s: float | None = None
    tokens_per_s: float | None = None
    joules: float | None = None
    joules_low: float | None = None
    joules_high: float | None = None
    joules_method: str | None = None
    joules_scope: str | None = None
    watts: float | None = None
    answers: int | None = None
    correct: int | None = None
    quality: float | None = None
    quality_name: str | None = None
    more: dict[str, Any] = {}
    conditions: Conditions
    machine: Machine
    versions: dict[str, str]
    command: str
    date: str
