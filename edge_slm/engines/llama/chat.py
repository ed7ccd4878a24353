"""Chat by llama.cpp: a prompt is read once, its beginning is kept, the reply is streamed."""

from collections.abc import Iterator
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path

from edge_slm.answer import Usage
from edge_slm.engines import GREEDY, Done, Options, Piece, Prompt
from edge_slm.engines.llama.chat_format import ChatFormat
from edge_slm.engines.llama.conversations import Conversations
from edge_slm.engines.llama.lookup import Proofs
from edge_slm.engines.llama.model import Context, Model
from edge_slm.engines.llama.prefix_store import Maker, PrefixStore
from edge_slm.engines.llama.reading import Reader
from edge_slm.engines.llama.reply_text import ReplyText
from edge_slm.engines.llama.sampling import Sampler, logprob_of
from edge_slm.engines.llama.writing import one_by_one, with_drafts
from edge_slm.engines.settings import Settings
from edge_slm.engines.stopping import StopFlag
from edge_slm.errors import UsageError
from edge_slm.i18n import t
from edge_slm.machine import cpu_name


class LlamaChat:
    """A chat model in a GGUF file."""

    def __init__(
        self,
        path: Path,
        template: str | None = None,
        *,
        model_sha256: str = "",
        settings: Settings | None = None,
        stop: StopFlag | None = None,
        store_root: Path | None = None,
    ) -> None:
        """Load the model.

        Args:
            path: the GGUF file.
            template: Jinja template of a conversation, for a file that has none.
            model_sha256: names the model where states are kept; without it none is.
            settings: how to run it; what was tuned for the model by default.
            stop: stops loading, reading and writing when it is set.
            store_root: folder of the states; in the user's cache by default.
        Raises:
            IntegrityError: llama.cpp cannot load the file, or it has no template.
            UsageError: EDGE_SLM_PREFIX_CACHE is not a size.
            Stopped: `stop` was set meanwhile.
        """
        self.settings = settings or Settings.for_model(model_sha256)
        with ExitStack() as stack:
            self._model = Model(path, repack=self.settings.repack, stop=stop)
            stack.callback(self._model.close)
            self._context = Context(self._model, self.settings, stop)
            stack.callback(self._context.close)
            self._format = ChatFormat(self._model, template)
            maker = Maker(
                model=model_sha256 or str(path),
                template=self._format.text,
                kv_type=self.settings.kv_type,
                flash_attention=self.settings.flash_attention,
                repack=self.settings.repack,
                engine=f"llama-cpp-python {version('llama-cpp-python')}",
            )
            store = PrefixStore(maker, store_root, cap=None if model_sha256 else 0)
            self._stack = stack.pop_all()
        conversations = Conversations(self.settings.conversations)
        self._reader = Reader(self._context, store, conversations)
        self._proofs = Proofs(f"{maker.digest} {self.settings.thread_count} {cpu_name()}")

    def count_tokens(self, text: str) -> int:
        """Return the number of tokens of a text."""
        return len(self._model.tokenize(text, special=False))

    def stream(
        self, prompt: Prompt, max_tokens: int | None, options: Options = GREEDY
    ) -> Iterator[Piece | Done]:
        """Yield the reply piece by piece, then `Done`.

        Args:
            prompt: a conversation, or a text to go on with.
            max_tokens: the longest reply; None for all that the context has room for.
            options: how to write it.
        Raises:
            UsageError: the prompt does not fit the context, or the options cannot be met.
            Stopped: the flag was set.
        """
        tokens = self._format.tokens(prompt)
        length = len(tokens.all)
        limit = self._room(length, max_tokens)
        sampler = Sampler(self._model, options)
        try:
            cached = self._reader.read(tokens, keep=options.keep_prefix)
            yield from self._write(sampler, options, length, cached, limit)
        finally:
            sampler.close()

    def prepare(self, prompt: Prompt) -> bool:
        """Read and keep what stands before the last message; False where that was kept already.

        Raises:
            UsageError: it does not fit the context.
            Stopped: the flag was set.
        """
        prefix = self._format.tokens(prompt).prefix
        self._room(len(prefix), 0)
        return self._reader.prepare(prefix)

    def close(self) -> None:
        """Give the memory back."""
        self._stack.close()

    def _write(
        self, sampler: Sampler, options: Options, length: int, cached: int, limit: int
    ) -> Iterator[Piece | Done]:
        told = options.logprobs
        lookup = options.lookup and sampler.greedy and told is None
        tokens = (
            with_drafts(self._context, self._proofs)
            if lookup
            else one_by_one(self._context, sampler)
        )
        text = ReplyText(options.stop)
        logprobs = []
        written = 0
        ended = False
        for token in tokens if limit else ():
            if ended := self._model.ends(token):
                break
            written += 1
            if told is not None:
                logprobs.append(logprob_of(self._model, self._context.logits(), token, told))
            if whole := text.feed(self._model.piece(token)):
                yield Piece(whole, Usage(length, cached, written), tuple(logprobs))
                logprobs.clear()
            if text.stopped or written == limit:
                break
        # Drafts may have been read beyond the end.
        self._context.rewind(min(len(self._context.tokens), length + written))
        usage = Usage(length, cached, written)
        if rest := text.finish():
            yield Piece(rest, usage, tuple(logprobs))
        yield Done(usage, complete=ended or text.stopped)

    def _room(self, read: int, wanted: int | None) -> int:
        limit = self.settings.context
        needed = read + (1 if wanted is None else wanted)
        if needed <= limit:
            return limit - read if wanted is None else wanted
        raise UsageError(
            t(
                "The request takes {needed} tokens and the model reads {limit}: shorten it.",
                "La demande prend {needed} jetons et le modèle en lit {limit} : raccourcissez-la.",
                needed=needed,
                limit=limit,
            )
        )
