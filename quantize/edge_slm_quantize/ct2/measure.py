"""What a CTranslate2 model is worth: word errors or chrF, time and memory.

Weights are computed with as they are kept, or, where the processor has no such arithmetic, in the
nearest type that it has: float16 becomes float32 on CPUs. `details` say which it was.
`edge-slm transcribe` computes in int8 whatever the folder holds.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from edge_slm.bench.memory_watch import MemoryWatch
from edge_slm.i18n import t
from edge_slm_quantize.ct2 import folders, make, recordings, translations
from edge_slm_quantize.extra import need
from edge_slm_quantize.records import Artefact, Measured, Order

_TIMED = ("seconds_per_item", "ram")


class Scored(NamedTuple):
    """What came of all items: values by metric, details, and the units that times are shared by.

    units: seconds of sound, or texts. seconds, cpu_seconds: spent on them.
    """

    values: dict[str, float]
    details: dict[str, Any]
    units: float
    seconds: float
    cpu_seconds: float


def measure(order: Order, artefact: Artefact, path: Path) -> Measured:
    """Measure a converted model.

    Args:
        order: with the metrics that are asked.
        artefact: what `make` gave. path: its folder.

    Raises:
        UsageError: recordings or pairs cannot be read.
        MissingError: a package or the sample files are not here.
        IntegrityError: the model cannot be loaded.
    """
    known = {"size": float(artefact.bytes), "bits_per_weight": artefact.bits_per_weight}
    return _measured(order, path, known)


def measure_reference(order: Order, path: Path) -> Measured:
    """Measure the source itself: unrounded, by the same engine; raises as `measure` does.

    Args:
        order: with the metrics that are asked.
        path: of the source. A folder of safetensors is converted without rounding, into the job's
            shared folder, and that is measured.
    """
    if order.source.format == "ctranslate2":
        known = {"size": float(sum(one.stat().st_size for one in path.iterdir()))}
        return _measured(order, path, known)
    place = Path(order.folder) / "shared" / f"ct2-reference-{order.source.sha256[:16]}"
    if not place.is_dir():
        place.parent.mkdir(parents=True, exist_ok=True)
        half = place.with_name(f".part-{place.name}")
        make.convert(folders.hugging_face(order), half, None)
        half.rename(place)
    return _measured(order, place, {})


def _measured(order: Order, path: Path, values: dict[str, float]) -> Measured:
    score = _SCORES.get(order.source.task)
    asked = set(order.metrics)
    details: dict[str, Any] = {}
    if score and asked & {score.metric, *_TIMED}:
        with MemoryWatch() as memory:
            found = score.run(order, path)
        values |= found.values
        values["seconds_per_item"] = found.seconds / found.units
        values["ram"] = float(memory.peak.rss_bytes)
        details = {
            **found.details,
            "cpu_seconds_per_item": found.cpu_seconds / found.units,
            "ctranslate2": need("ctranslate2").__version__,
        }
    return Measured(
        values={name: value for name, value in values.items() if name in asked},
        absent={name: _why(name) for name in order.metrics if name not in values},
        details=details,
    )


def _speech(order: Order, path: Path) -> Scored:
    began = time.perf_counter()
    hearing = recordings.Hearing(path)
    load = time.perf_counter() - began
    values, details = recordings.word_errors(hearing, order.suites)
    details |= {"load_seconds": load, "seconds_of_sound": hearing.sound}
    return Scored(values, details, hearing.sound, hearing.seconds, hearing.cpu_seconds)


def _translate(order: Order, path: Path) -> Scored:
    segments = translations.read(order, path)
    began = time.perf_counter()
    translate = translations.opened(path, order.threads)
    load = time.perf_counter() - began
    translate(segments[0])
    start, burnt = time.perf_counter(), time.process_time()
    written = [translate(one) for one in segments]
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - burnt
    values, details = translations.scores(segments, written)
    details["load_seconds"] = load
    return Scored(values, details, float(len(segments)), seconds, cpu_seconds)


class _Score(NamedTuple):
    metric: str
    run: Callable[[Order, Path], Scored]


_SCORES = {"speech": _Score("wer", _speech), "translate": _Score("chrf", _translate)}


def _why(name: str) -> str:
    if name == "bits_per_weight":
        return t("The source itself was not weighed.", "La source elle-même n'a pas été pesée.")
    return t(
        "CTranslate2 models are not measured by {name}.",
        "Les modèles CTranslate2 ne sont pas mesurés par {name}.",
        name=name,
    )
