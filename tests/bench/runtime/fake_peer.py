"""A stand-in for a llama.cpp server: takes its options, streams words, or misbehaves as told.

What it does is the name of the model: `words`, `cut`, `garbage`, `refuse`, `hang-up`, `crash`.
"""

import argparse
import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

parser = argparse.ArgumentParser()
parser.add_argument("--model")
parser.add_argument("--host")
for option in ("--port", "--threads", "--threads-batch", "--ctx-size", "--parallel"):
    parser.add_argument(option, type=int, required=True)
GIVEN = parser.parse_args()
DEED = Path(GIVEN.model).stem


class Handler(BaseHTTPRequestHandler):
    """Answers /health and /v1/chat/completions."""

    def do_GET(self) -> None:
        """Say that the model is loaded."""
        self.send_response(200)
        self.end_headers()

    def do_POST(self) -> None:
        """Stream a reply, well or badly."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if DEED == "hang-up":
            return
        self.send_response(400 if DEED == "refuse" else 200)
        self.end_headers()
        if DEED == "refuse":
            self.wfile.write(b"too long")
            return
        if DEED == "garbage":
            self.wfile.write(b"data: \xff{\n\n")
            return
        for word in (None, "L'été ", asked["messages"][-1]["content"]):
            self._send({"choices": [{"delta": {"content": word}, "finish_reason": None}]})
        if DEED == "cut":
            return
        self._send({"choices": [{"delta": {}, "finish_reason": "stop"}]})
        usage = {"prompt_tokens": 9, "completion_tokens": GIVEN.ctx_size}
        self._send(
            {"choices": [], "usage": usage | {"prompt_tokens_details": {"cached_tokens": 4}}}
        )
        self.wfile.write(b"data: [DONE]\n\n")

    def _send(self, chunk: dict[str, Any]) -> None:
        self.wfile.write(b": a comment\ndata: " + json.dumps(chunk).encode() + b"\n\n")

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


if DEED == "crash":
    sys.exit("loading\nerror: no such model")
HTTPServer((GIVEN.host, GIVEN.port), Handler).serve_forever()
