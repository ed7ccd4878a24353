"""What goes from one step of a job to the next, and is kept between two runs of it.

All are plain data that msgspec writes as JSON: a step may run in another process or machine.
"""

from typing import Any, Literal

import msgspec

from edge_slm.bench.record import Conditions
from edge_slm.cards import Embed
from edge_slm_quantize.recipe import Format, Task


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """The model that is given, opened and checked (sources/opening).

    name: for ids and reports, without its quantisation: “smollm2-135m-instruct”.
    architecture: as GGUF or the configuration names it: “llama”, “qwen2”, “bert”, “whisper”…
    format, path: what lies there: a GGUF file, a folder of safetensors, or one of CTranslate2.
    sha256: of the weights; of a folder, the hash of its files' names and hashes.
    quantisation: the type that the weights already have, such as “Q4_1”; None for floats.
    parameters: weights, in numbers. context: tokens.
    card: id of the card it came from; None for a file or a folder.
    """

    name: str
    task: Task
    architecture: str
    format: Literal["gguf", "safetensors", "ctranslate2"]
    path: str
    sha256: str
    quantisation: str | None
    parameters: int
    context: int
    languages: tuple[str, ...] = ()
    licence: str = "LicenseRef-unknown"
    licence_url: str = ""
    embed: Embed | None = None
    card: str | None = None


class Npu(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An NPU to compile for.

    backend: “qnn” (Qualcomm Hexagon) or “rknn” (Rockchip).
    soc_model, htp_arch: QNN's numbers of the chip and of its Hexagon generation.
    platform: RKNN's name of the chip.
    sequence: tokens of one static graph. sink: tokens kept before them, as past keys and values.
    """

    backend: Literal["qnn", "rknn"]
    soc_model: int | None = None
    htp_arch: int | None = None
    platform: str | None = None
    sequence: int = 128
    sink: int = 1


class Target(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A device (targets/*.toml).

    title, titre: what it is, in English and French.
    architecture: “x86_64” or “aarch64”; None for any.
    features: instructions that its engine uses, as the system names them (“avx2”, “i8mm”).
    formats: what its engines read. fast: tensor types that llama.cpp has its best kernels for
        there, the fastest first.
    ram, disk: bytes that a model may take of them.
    recipes: by task, what is tried, in order. gate: by task, what must hold unless said otherwise.
    sources: where the facts come from.
    """

    id: str
    title: str
    titre: str
    architecture: Literal["x86_64", "aarch64"] | None = None
    features: tuple[str, ...] = ()
    formats: tuple[Format, ...]
    fast: tuple[str, ...] = ()
    ram: int
    disk: int
    recipes: dict[Task, tuple[str, ...]]
    gate: dict[Task, str]
    npu: Npu | None = None
    sources: tuple[str, ...] = ()


class Texts(msgspec.Struct, frozen=True, kw_only=True):
    """What a model is calibrated and judged on; no text is in both lists (measure/texts).

    sha256: of the calibration texts, in order. origin: where they come from, for the report.
    """

    calibration: tuple[str, ...]
    evaluation: tuple[str, ...]
    sha256: str
    origin: str


class Suites(msgspec.Struct, frozen=True, kw_only=True):
    """Data of the task suites; None takes what ships with the program (measure/suites).

    kb: a base's name. questions, corpus, pairs, audio: files, as the `eval` commands take them.
    sample: at most so many rows of each.
    """

    kb: str | None = None
    questions: str | None = None
    corpus: str | None = None
    pairs: str | None = None
    audio: str | None = None
    sample: int | None = None


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """All that one step needs: what to make or judge, in which folder, for which device.

    recipe: its name. folder: the job's, on a disk that whoever runs the step can see.
    metrics: what is to be measured (metrics.METRICS); empty when only making.
    tokens: of text that divergence is measured on.
    """

    recipe: str
    source: Source
    target: Target
    folder: str
    texts: Texts
    suites: Suites = Suites()
    metrics: tuple[str, ...] = ()
    tokens: int = 6144
    threads: int = 0


class Artefact(msgspec.Struct, frozen=True, kw_only=True):
    """What a recipe made.

    path: file or folder, within the job's folder.
    bytes: of all its files. bits_per_weight: 8 × bytes of the weights over their number.
    types: from the real type of tensors to the share of the weights' bytes kept so.
    fallbacks: sentences on what is not as the recipe's name says.
    call_seconds: in the library's own function, of which the rest of the step is the overhead.
    details: what only this format has (delegation, shapes, versions…), plain JSON.
    """

    recipe: str
    format: Format
    path: str
    bytes: int
    bits_per_weight: float
    types: dict[str, float] = {}
    fallbacks: tuple[str, ...] = ()
    call_seconds: float | None = None
    details: dict[str, Any] = {}


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """An artefact and what making it took: wall and CPU seconds, most memory held (bytes).

    sha256: of its file, or of its folder (hashing.sha256_at).
    """

    artefact: Artefact
    seconds: float
    cpu_seconds: float
    peak_bytes: int
    sha256: str = ""


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured of an artefact, by name (metrics.METRICS); what was not, and why.

    conditions: what may have slowed the machine meanwhile.
    """

    values: dict[str, float]
    absent: dict[str, str] = {}
    details: dict[str, Any] = {}
    seconds: float = 0.0
    conditions: Conditions | None = None
