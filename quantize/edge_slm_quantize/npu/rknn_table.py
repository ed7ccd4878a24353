"""The table of layers that rknn-toolkit2 prints when it builds: where each runs, on what.

    ID OpType DataType Target InputShape OutputShape Cycles(DDR/NPU/Total) RW(KB) FullName

Layers stand in the order in which they run. What the toolkit does not say is why a layer is left
to the CPU: the reasons here are rules, from what it leaves there.
"""

import math
import re
from collections import Counter
from typing import NamedTuple

from edge_slm.i18n import t
from edge_slm_quantize.npu.delegation import Delegation, Fallen

NPU, CPU = "NPU", "CPU"
_HEAD = "Network Layer Information Table"
_ROW = re.compile(
    r"^D RKNN: \[[^\]]*\] (?P<id>\d+) +(?P<operation>\S+) +(?P<type>[A-Z]+\d*) +"
    r"(?P<target>NPU|CPU|GPU) +(?P<inputs>\S+) +(?P<outputs>\S+) +\d+/\d+/\d+ ",
    re.ASCII,
)
_SHAPE = re.compile(r"\((\d+(?:,\d+)*)\)", re.ASCII)
_ENDS = ("InputOperator", "OutputOperator")  # the graph's doors, which compute nothing
_WIDTHS = {"INT8": 1, "UINT8": 1, "INT16": 2, "FLOAT16": 2, "FLOAT": 4, "INT32": 4, "INT64": 8}
_NAMES = {"INT8": "int8", "INT16": "int16", "FLOAT16": "float16", "FLOAT": "float32"}


class Layer(NamedTuple):
    """A layer: its operation, the type and the back end it runs with, and its inputs' shapes.

    The table shows three inputs at most.
    """

    operation: str
    type: str
    target: str
    inputs: tuple[tuple[int, ...], ...]

    @property
    def weights(self) -> int:
        """Bytes of its matrix, table or scale, and of its bias where the table shows it."""
        if self.operation == "Gather":
            constants = self.inputs[:1]
        elif self.operation.startswith("Conv"):
            constants = self.inputs[1:3]
        elif self.operation == "exNorm":
            constants = self.inputs[1:2]
        else:
            constants = ()
        return sum(map(math.prod, constants)) * _WIDTHS.get(self.type, 4)


def read(log: str) -> list[Layer]:
    """Return the layers of the last table in what the toolkit printed; empty without one."""
    _, found, table = log.rpartition(_HEAD)
    rows = [_ROW.match(line) for line in table.splitlines()] if found else []
    layers: list[Layer] = []
    for row in rows:
        if row and int(row["id"]) == len(layers):
            shapes = tuple(tuple(map(int, one.split(","))) for one in _SHAPE.findall(row["inputs"]))
            layers.append(Layer(row["operation"], row["type"], row["target"], shapes))
    return layers


def delegation(layers: list[Layer]) -> Delegation:
    """Return where layers run, without the graph's doors; back ends are “NPU” and “CPU”."""
    inner = [one for one in layers if one.operation not in _ENDS]
    sizes: Counter[str] = Counter()
    for one in inner:
        sizes[one.target] += one.weights
    targets = [one.target for one in inner]
    fallen = Counter((one.operation, one.type) for one in inner if one.target != NPU)
    return Delegation(
        nodes=dict(Counter(targets)),
        bytes={name: number for name, number in sizes.items() if number},
        islands=sum(
            one == NPU != before for before, one in zip(["", *targets], targets, strict=False)
        ),
        fallen=tuple(
            Fallen(operation, number, _why(operation, kind))
            for (operation, kind), number in fallen.most_common()
        ),
    )


def share(found: Delegation) -> float:
    """Return the share of the layers that run on the NPU, 0 to 1."""
    return found.nodes.get(NPU, 0) / max(1, sum(found.nodes.values()))


def types(layers: list[Layer]) -> dict[str, float]:
    """Return the share of the weights' bytes kept in each type."""
    sizes: Counter[str] = Counter()
    for one in layers:
        sizes[_NAMES.get(one.type, one.type.lower())] += one.weights
    total = sum(sizes.values())
    return {name: number / total for name, number in sizes.most_common() if number}


def _why(operation: str, kind: str) -> str:
    if operation == "Gather":
        return t(
            "The toolkit looks words up in their table on the CPU.",
            "L'outil cherche les mots dans leur table sur le processeur.",
        )
    if kind == "INT64":
        return t(
            "It takes 64-bit integers, which the NPU does not compute with.",
            "Il prend des entiers de 64 bits, avec lesquels le NPU ne calcule pas.",
        )
    return t("The toolkit gives no reason.", "L'outil ne donne pas de raison.")
