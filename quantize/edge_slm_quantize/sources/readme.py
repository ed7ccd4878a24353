"""The licence and the languages that a published model's README gives in its head."""

import re
from pathlib import Path

_LONGEST_README = 1 << 20
_FRONT = re.compile(r"\A---\r?\n(.*?)\r?\n---", re.DOTALL)
_LICENCE = re.compile(r"^license:\s*([A-Za-z0-9][\w.+-]{0,60})\s*$", re.MULTILINE)
_LANGUAGES = re.compile(r"^language:((?:\s*\n\s*- *[\w-]+)+|[ \t]*\[?[\w, -]+\]?)", re.MULTILINE)


def readme(path: Path) -> tuple[str, tuple[str, ...]]:
    """Return a licence (SPDX, or LicenseRef-unknown) and language codes; a file may be absent."""
    text = ""
    if path.is_file() and path.stat().st_size <= _LONGEST_README:
        text = path.read_text("utf-8", errors="replace")
    front = _FRONT.match(text)
    if front is None:
        return "LicenseRef-unknown", ()
    licence = _LICENCE.search(front[1])
    languages = _LANGUAGES.search(front[1])
    found = re.findall(r"[A-Za-z]{2,3}(?:-[A-Za-z]+)?", languages[1]) if languages else []
    return licence[1] if licence else "LicenseRef-unknown", tuple(found)
