"""An assistant that is open, with its models loaded, and asked nothing more: what it costs to wait.

Says “ready” on standard output when it has answered one request of each kind, and waits until its
standard input ends.
"""

import os
import sys
from contextlib import suppress

from edge_slm.bench.commands import QUESTION, WRITTEN
from edge_slm.paths import examples_dir

RECORDING = examples_dir() / "audio" / "question.flac"


def wait_open(model: str | None) -> None:
    """Open the assistant, ask what loads its models, and wait.

    Raises:
        MissingError: no chat model is installed.
    """
    from edge_slm.assistant import Assistant
    from edge_slm.errors import MissingError

    with Assistant.open(model=model) as assistant:
        assistant.ask(QUESTION)  # the embedder, where there is a base
        assistant.translate(WRITTEN)  # the chat model
        with suppress(MissingError):  # no speech model on this machine
            assistant.transcribe(RECORDING)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    os.environ["EDGE_SLM_LEDGER"] = "off"  # a benchmark's answers are nobody's
    wait_open(sys.argv[1] if len(sys.argv) > 1 else None)
