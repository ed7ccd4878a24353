"""A measure in a process of its own: what it loads is gone with it, what it crashes is only itself.

The order goes in as JSON on standard input, the result comes out as JSON on standard output.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from edge_slm.errors import EdgeSlmError
from edge_slm.i18n import t

Order = TypeVar("Order")


def run_apart(module: str, order: msgspec.Struct) -> dict[str, Any]:
    """Run `python -m module` on an order, and return the object that it prints.

    Raises:
        EdgeSlmError: it failed, or printed no object; its last line is in the sentence.
    """
    done = subprocess.run(
        [sys.executable, "-P", "-m", module],
        input=msgspec.json.encode(order),
        capture_output=True,
        check=False,
    )
    try:
        if done.returncode == 0:
            return msgspec.json.decode(done.stdout, type=dict[str, Any])
        reason = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
    except msgspec.DecodeError as error:
        reason = [str(error)]
    raise EdgeSlmError(
        t(
            "The measure {module} failed ({reason}): try again, and report it if it happens again.",
            "La mesure {module} a échoué ({reason}) : réessayez, et signalez-le si cela se répète.",
            module=module.rpartition(".")[2],
            reason="".join(reason) or done.returncode,
        )
    )


def serve_order(kind: type[Order], answer: Callable[[Order], dict[str, Any]]) -> None:
    """Read an order, and print the answer; what native code prints goes to standard error."""
    result = os.dup(1)
    os.dup2(2, 1)
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=kind)
    with os.fdopen(result, "wb") as output:
        output.write(msgspec.json.encode(answer(order)))
