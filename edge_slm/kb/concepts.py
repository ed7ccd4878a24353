"""What agents name in many words, in French and in English, for comparing two questions.

A line of concepts.txt gives a kind, the group and the name of a concept, then wordings that say it;
words are compared by their stems, without accents and function words, the longest wording first.
The kind says how two questions compare:

- `=` is a condition of the answer: two questions that do not name the same concepts of a group have
  different answers (twins and triplets, a contract agent and a tenured one, to take and to carry
  over);
- `~` is what is done: two questions that name different ones differ, but one may leave it unsaid;
- `+` is a plain synonym, and counts as a word.

fillers.txt holds the words of asking and of courtesy, and those that go without saying among public
agents: they count for nothing.
"""

from functools import cache
from importlib.resources import files


@cache
def concepts() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return each concept, its kind first (“=multiple twins”), and its wordings."""
    parts = (line.split(": ", 1) for line in _text("concepts.txt").splitlines() if line)
    return tuple((concept, tuple(wordings.split(", "))) for concept, wordings in parts)


@cache
def fillers() -> tuple[str, ...]:
    """Return the words that count for nothing."""
    return tuple(_text("fillers.txt").split())


def _text(name: str) -> str:
    return files("edge_slm.kb").joinpath(name).read_text("utf-8")
