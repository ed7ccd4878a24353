"""Cases of benchmarks, made by hand and by chance."""

from typing import Any

import msgspec
from hypothesis import strategies as some

from edge_slm.bench.record import Case, Conditions, Machine

MACHINE = Machine(
    id="abc123",
    cpu="Example CPU",
    architecture="x86_64",
    cores=4,
    threads=8,
    ram=16_000_000_000,
    gpu=None,
    system="Linux",
    virtual=False,
    power="mains",
)
CASE = Case(
    suite="tasks",
    case="hr",
    model="small",
    repeats=6,
    seconds=2.0,
    seconds_low=1.9,
    seconds_high=2.1,
    cpu_seconds=3.0,
    peak_bytes=1_000_000,
    prompt_tokens=100,
    cached_tokens=0,
    tokens=40,
    joules=20.0,
    joules_low=18.0,
    joules_high=22.0,
    joules_method="rapl",
    joules_scope="package",
    answers=10,
    correct=8,
    quality=0.8,
    quality_name="accuracy",
    conditions=Conditions(load=0.1),
    machine=MACHINE,
    versions={"edge_slm": "0.1.0"},
    command="edge-slm bench tasks",
    date="2026-01-02T03:04:05+00:00",
)


def a_case(**changes: Any) -> Case:
    """Return the case above, changed."""
    return msgspec.structs.replace(CASE, **changes)


texts = some.text(some.characters(exclude_categories=["Cs"]), max_size=30)
_figures = some.floats(min_value=0, max_value=1e12)
_or_none = some.none() | _figures
_pairs = some.tuples(_or_none, _or_none)
machines = some.builds(
    Machine,
    id=texts,
    cpu=texts,
    architecture=texts,
    cores=some.integers(1, 512),
    threads=some.integers(1, 1024),
    ram=some.integers(0, 2**50),
    gpu=some.none() | texts,
    system=texts,
    virtual=some.none() | some.booleans(),
    power=some.sampled_from([None, "mains", "battery"]),
)
cases = some.builds(
    Case,
    suite=texts.filter(lambda name: name != "against"),
    case=texts,
    contender=texts,
    model=some.none() | texts,
    repeats=some.integers(1, 1000),
    seconds=_figures,
    seconds_low=_or_none,
    seconds_high=_or_none,
    cpu_seconds=_figures,
    peak_bytes=some.none() | some.integers(0, 2**45),
    tokens=some.none() | some.integers(0, 10**9),
    tokens_per_s=_or_none,
    first_token_s=_or_none,
    joules=_or_none,
    joules_method=some.sampled_from([None, "rapl", "estimate", "meter"]),
    joules_scope=some.sampled_from([None, "package", "wall", "cpu"]),
    answers=some.integers(5, 10**6),
    correct=some.none() | some.integers(0, 5),
    quality=_or_none,
    quality_name=some.none() | texts,
    more=some.dictionaries(texts, some.none() | some.booleans() | texts | _figures, max_size=4),
    conditions=some.builds(
        Conditions,
        load=_figures,
        mhz=_pairs,
        celsius=_pairs,
        governor=some.none() | texts,
        note=texts,
    ),
    machine=machines,
    versions=some.dictionaries(texts, texts, max_size=4),
    command=texts,
    date=texts,
)
