"""What all contenders are asked, and what a sound answer is.

Each asking begins with another number, so that no cache of anybody's knows its beginning.
"""

from collections.abc import Callable
from dataclasses import dataclass

from edge_slm.bench.runtime.first_token import conversation
from edge_slm.bench.runtime.passages import passage
from edge_slm.engines import Message
from edge_slm.language import detect

PASSAGE_TOKENS = 400
PASSAGE = 0  # of the sample handbook: accidents on duty
REPLY_TOKENS = 64


@dataclass(frozen=True)
class Question:
    """A case: a text, what is asked about it, and a word that a right answer holds."""

    name: str
    text: str
    ask: str
    expected: str

    def messages(self) -> tuple[Message, ...]:
        """Return the conversation, its beginning new each time."""
        return conversation(self.text, self.ask)

    def sound(self, answer: str) -> bool:
        """Return whether an answer is words of the question's language."""
        return any(c.isalpha() for c in answer) and detect(answer, fallback="en") == "fr"

    def right(self, answer: str) -> bool:
        """Return whether an answer is sound and holds the word expected."""
        return self.sound(answer) and self.expected.casefold() in answer.casefold()


def questions(count_tokens: Callable[[str], int]) -> tuple[Question, ...]:
    """Return a short question, and one about a passage of 400 tokens.

    Args:
        count_tokens: `ChatEngine.count_tokens`.
    Raises:
        MissingError: the sample documents are not there.
    """
    return (
        Question(
            "question",
            "La tour Eiffel a été inaugurée à Paris en 1889.",
            "Écris un article d'au moins dix phrases sur la tour Eiffel ; commence par la date de "
            "son inauguration.",
            "1889",
        ),
        Question(
            "passage",
            passage(PASSAGE_TOKENS, count_tokens, PASSAGE),
            "Que faut-il faire après un accident, étape par étape, et dans quels délais ?",
            "chef de service",
        ),
    )
