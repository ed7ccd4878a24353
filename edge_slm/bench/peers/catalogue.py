"""Which peers there are, and which of them are made on this machine.

packaging/peers/make_peer.py makes them. It knows no model and starts nothing.
"""

from dataclasses import dataclass
from typing import Literal

from edge_slm.bench.runtime.peer import Peer, find
from edge_slm.i18n import t

Task = Literal["chat", "speech"]
Talk = Literal["http", "lines"]


@dataclass(frozen=True)
class Kind:
    """A peer that can be made.

    Attributes:
        name: of the peer and of its folder.
        task: what it is compared in.
        talk: how it is spoken to: as llama-server by HTTP, or in JSON lines (runner.py).
        package: the package that counts; empty where it is built.
        disk: bytes of its environment, measured on Linux x86-64 with the processor build of torch;
            of llama-server, of its sources and program. What a compiler or pip needs meanwhile and
            converted models come on top.
        exact: whether the very file of our engine is read, so that the words must be ours too.
    """

    name: str
    task: Task
    talk: Talk
    package: str
    disk: int
    exact: bool = False


KINDS = {
    kind.name: kind
    for kind in (
        Kind("llama-server", "chat", "http", "", 243_000_000, exact=True),
        Kind("xllamacpp", "chat", "http", "xllamacpp", 133_000_000, exact=True),
        Kind("transformers", "chat", "lines", "transformers", 1_190_000_000),
        Kind("onnxruntime-genai", "chat", "lines", "onnxruntime-genai", 1_390_000_000),
        Kind("openvino-genai", "chat", "lines", "openvino-genai", 323_000_000),
        Kind("pywhispercpp", "speech", "lines", "pywhispercpp", 122_000_000),
    )
}


def made(name: str) -> Peer | None:
    """Return a peer that was made on this machine, or None."""
    return find([name])


def of(task: Task) -> list[Kind]:
    """Return the peers of a task."""
    return [kind for kind in KINDS.values() if kind.task == task]


def absent(name: str) -> str:
    """Return the sentence that says that a peer is not here, and how to make it."""
    return t(
        "{name} is left out, it is not made here: python packaging/peers/make_peer.py {name}.",
        "{name} manque, il n'est pas fait ici : python packaging/peers/make_peer.py {name}.",
        name=name,
    )
