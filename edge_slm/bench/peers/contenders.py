"""Ours, a server and a runner, all asked in one way."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge_slm.answer import Usage
from edge_slm.bench.peers.catalogue import Kind
from edge_slm.bench.peers.runner import Runner
from edge_slm.bench.runtime import peer as servers
from edge_slm.bench.runtime.peer import Peer, peers_dir
from edge_slm.bench.runtime.timing import Timed, timed
from edge_slm.engines import Message
from edge_slm.engines.workers.remote import RemoteChat
from edge_slm.engines.workers.spec import Spec

OURS = "edge-slm"
Ask = Callable[[Sequence[Message], int], Timed]


@dataclass(frozen=True)
class Contender:
    """Who is asked.

    Attributes:
        name: “edge-slm”, or of the peer.
        ask: puts a conversation and gives the reply of so many tokens at most; raises EdgeSlmError.
        exact: it computes with the very file, so that its words must be ours.
        about: version, build and form of the weights, for the line of the benchmark.
    """

    name: str
    ask: Ask
    exact: bool
    about: dict[str, Any] = field(default_factory=dict)


def ours(chat: RemoteChat) -> Contender:
    """Return our engine, its model loaded."""
    chat.count_tokens("")
    return Contender(OURS, lambda m, n: timed(chat.stream(m, n)), exact=True)


def started(
    kind: Kind, peer: Peer, spec: Spec, render: Callable[[Sequence[Message]], str]
) -> AbstractContextManager[Contender]:
    """Start a peer for a chat model; it ends with the block.

    Args:
        kind, peer: of the catalogue.
        spec: our model, whose file, threads and context it gets too.
        render: puts a conversation into the model's own template.
    Raises:
        EdgeSlmError: it does not start.
    """
    return _server(kind, peer, spec) if kind.talk == "http" else _runner(kind, peer, spec, render)


def work_folder(kind: Kind, spec: Spec) -> Path:
    """Return the folder of what a peer has converted from a model: one a content of the file."""
    return peers_dir() / kind.name / "models" / (spec.load.sha256[:16] or spec.model)


@contextmanager
def _server(kind: Kind, peer: Peer, spec: Spec) -> Iterator[Contender]:
    settings = spec.load.settings
    with servers.serving(peer, spec.path, settings.thread_count, settings.context) as chat:
        about = _about(peer, "same file")
        yield Contender(kind.name, lambda m, n: timed(chat.stream(m, n)), kind.exact, about)


@contextmanager
def _runner(
    kind: Kind, peer: Peer, spec: Spec, render: Callable[[Sequence[Message]], str]
) -> Iterator[Contender]:
    settings = spec.load.settings
    runner = Runner(
        peer,
        spec.path,
        threads=settings.thread_count,
        context=settings.context,
        work=work_folder(kind, spec),
    )
    try:

        def ask(messages: Sequence[Message], tokens: int) -> Timed:
            return asked(runner, {"text": render(messages), "max_tokens": tokens})

        yield Contender(kind.name, ask, kind.exact, _about(peer, runner.note))
    finally:
        runner.close()


def asked(runner: Runner, request: dict[str, Any]) -> Timed:
    """Ask a runner, and read its own clocks: the way through the pipe is not its work."""
    said = runner.ask(request)
    usage = Usage(said.prompt_tokens or 0, 0, said.completion_tokens or 0)
    first = said.seconds if said.first_token_s is None else said.first_token_s
    return Timed(said.text, first, said.seconds, usage)


def _about(peer: Peer, weights: str) -> dict[str, Any]:
    return {"peer_version": peer.version, "peer_build": peer.build, "weights": weights}


def renderer(spec: Spec) -> Callable[[Sequence[Message]], str]:
    """Return what puts a conversation into the template of a GGUF file, or of its card.

    Peers get the finished text, so that all read the same tokens whatever template they would use.
    """
    from gguf import GGUFReader
    from llama_cpp.llama_chat_format import Jinja2ChatFormatter

    fields = GGUFReader(spec.path).fields

    def word(name: str) -> str:
        number = fields.get(f"tokenizer.ggml.{name}_token_id")
        return str(fields["tokenizer.ggml.tokens"].contents(number.contents())) if number else ""

    own = fields.get("tokenizer.chat_template")
    text = spec.load.template or (str(own.contents()) if own else "")
    form = Jinja2ChatFormatter(text, eos_token=word("eos"), bos_token=word("bos"))

    def render(messages: Sequence[Message]) -> str:
        rows: Any = [{"role": m.role, "content": m.content} for m in messages]
        return str(form(messages=rows).prompt)

    return render
