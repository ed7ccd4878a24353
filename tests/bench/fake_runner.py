"""A stand-in for a runner of a peer: answers in JSON lines, or misbehaves as told.

What it does is the name of the model: `words`, `crash`, `hang`, `garbage`, `huge`, `complain`,
`silent`, `refuse`, `leave`, `binary`, `english`.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any


def say(line: str) -> None:
    """Write a line."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


parser = argparse.ArgumentParser()
parser.add_argument("--model", type=Path)
for option in ("--threads", "--context", "--work"):
    parser.add_argument(option, required=True)
GIVEN = parser.parse_args()
DEED = GIVEN.model.stem

if DEED == "refuse":
    say(json.dumps({"error": "no such form of blocks"}))
    sys.exit(1)
if DEED == "leave":
    sys.exit("loading\nout of memory")
say(json.dumps({"ready": True, "note": "made up"}))


def reply(asked: dict[str, Any]) -> dict[str, Any]:
    """Return what a runner that works would say."""
    words = {"silent": " ", "english": "This is what the answer would be, and the year is 1889."}
    text = words.get(
        DEED, f"Voici ce que vous avez demandé pour 1889 : {asked.get('text', '')[:9]}"
    )
    tokens = {"prompt_tokens": 9, "completion_tokens": asked.get("max_tokens", 0)}
    return {"text": text, **tokens, "first_token_s": 0.001, "seconds": 0.002}


for line in sys.stdin:
    match DEED:
        case "crash":
            sys.stderr.write("segmentation fault, so to speak\n")
            sys.stderr.flush()
            os.kill(os.getpid(), 9)
        case "hang":
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
            Path(GIVEN.work).write_text(str(child.pid))
            time.sleep(600)
        case "garbage":
            say("here you are:")
        case "binary":
            sys.stdout.buffer.write(b"\xff\x00\xfe\n")
            sys.stdout.buffer.flush()
        case "huge":
            say("[" * (3 << 20))
        case "complain":
            say(json.dumps({"error": "too long"}))
        case _:
            say(json.dumps(reply(json.loads(line))))
