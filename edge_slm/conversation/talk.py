"""A conversation: an assistant and the questions asked of it so far, in memory only."""

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from edge_slm.conversation.follow_up import TURNS, Turn
from edge_slm.conversation.turns import is_question

if TYPE_CHECKING:
    from edge_slm.answer import Answer
    from edge_slm.assistant import Assistant


class Conversation:
    """Asks an assistant questions that may lean on one another.

    It keeps the last questions, never an answer, and writes nothing down.
    """

    def __init__(self, assistant: "Assistant") -> None:
        """Begin a conversation; `Assistant.conversation` does."""
        self._assistant = assistant
        self._turns: deque[Turn] = deque(maxlen=TURNS)

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The questions kept, oldest first."""
        return tuple(self._turns)

    def ask(self, text: str, on_piece: Callable[[str], None] = lambda _: None) -> "Answer":
        """Answer a request, which may lean on the earlier questions.

        Arguments and errors are those of `Assistant.ask`. `understood` of the answer is the
        self-contained question, where the request leaned on an earlier one.
        """
        answer = self._assistant.ask(text, on_piece, earlier=self.turns)
        if is_question(text):
            self._turns.append(Turn(text, answer.understood or text))
        return answer

    def forget(self) -> None:
        """Forget all questions: the next one stands by itself."""
        self._turns.clear()
