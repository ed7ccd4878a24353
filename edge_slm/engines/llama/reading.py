"""Reading a prompt: only what no state holds yet.

Where a kept prefix serves, the rest is read in the same batches as the first time, so that the
same prompt gives the same tokens whether its state was just made or comes from the disk.
"""

from edge_slm.engines.llama.chat_format import Tokens
from edge_slm.engines.llama.conversations import SHORTEST, Conversations, common_length
from edge_slm.engines.llama.model import Context
from edge_slm.engines.llama.prefix_store import PrefixStore


class Reader:
    """Brings a context to the end of a prompt."""

    def __init__(self, context: Context, store: PrefixStore, conversations: Conversations) -> None:
        """Read into `context`, with the states of `store` and `conversations`."""
        self._context, self._store, self._conversations = context, store, conversations
        self._personal = False  # whether the context holds what is not on the disk

    def read(self, prompt: Tokens, *, keep: bool) -> int:
        """Read a prompt, and return how many of its tokens needed no reading.

        Args:
            prompt: its tokens; at least one stands after the prefix.
            keep: the prefix may be kept on the disk.
        Raises:
            Stopped: the context's flag was set.
        """
        cached = self._recall_prefix(prompt)
        if cached is None:
            cached = 0 if keep else self._recall_conversation(prompt)
            self._go_back(cached)
            if len(prompt.prefix) > cached:
                self._context.read(prompt.prefix[cached:])
                if keep:
                    self._store.save(prompt.prefix, self._context.state())
        self._personal = not keep
        self._context.read(prompt.all[len(self._context.tokens) :])
        return cached

    def prepare(self, prefix: list[int]) -> bool:
        """Keep the state of a prefix on the disk; False where it was there or cannot be kept.

        Raises:
            Stopped: the context's flag was set.
        """
        if not prefix or self._store.holds(prefix):
            return False
        self._go_back(0)
        self._personal = False
        self._context.read(prefix)
        return self._store.save(prefix, self._context.state())

    def _recall_prefix(self, prompt: Tokens) -> int | None:
        """Bring the context to the end of the prefix, if its state is at hand."""
        prefix = prompt.prefix
        if not prefix:
            return None
        if common_length(self._context.tokens, prefix) == len(prefix):
            self._go_back(len(prefix))
            return len(prefix)
        state = self._store.load(prefix)
        if state is None:
            return None
        self._go_back(0)
        return len(prefix) if self._context.restore(state, prefix) else None

    def _recall_conversation(self, prompt: Tokens) -> int:
        """Bring the context to a conversation that the prompt goes on; return what they share."""
        wanted = prompt.all
        aside = self._conversations.best(wanted)
        if aside and common_length(aside.tokens, wanted) > common_length(
            self._context.tokens, wanted
        ):
            self._go_back(0)
            self._context.restore(aside.state, aside.tokens)
        # The last token is read anew: its logits are in no state.
        here = min(common_length(self._context.tokens, wanted), len(wanted) - 1)
        return here if here >= SHORTEST else 0

    def _go_back(self, length: int) -> None:
        """Forget all but the first tokens; what nothing else holds is set aside."""
        held = self._context.tokens
        if self._personal and len(held) - length >= SHORTEST:
            self._conversations.keep(held, self._context.state())
        self._context.rewind(length)
