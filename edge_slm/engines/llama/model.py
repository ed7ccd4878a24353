"""A model and its context in llama.cpp, through its C interface.

One sequence of tokens at a time. Knows nothing of templates, sampling and stored states.
"""

import ctypes
import logging
import os
from collections.abc import Sequence
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_slm.engines.settings import KvType, Settings
from edge_slm.engines.stopping import StopFlag, Stopped
from edge_slm.errors import IntegrityError, MissingError
from edge_slm.i18n import t

# Threads that spin while they wait make everything crawl on a machine that also does other things:
# two models at work on two cores were 20 times slower. OpenMP reads this when llama.cpp is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

# Rows of logits that one batch may ask for; each takes room for the whole vocabulary.
MOST_OUTPUTS = 8
_KV_TYPES: dict[KvType, int] = {"f16": 1, "q8_0": 8, "bf16": 30}  # enum ggml_type of ggml.h


def library() -> Any:
    """Return llama_cpp, its log silenced.

    Raises:
        MissingError: llama-cpp-python is not installed.
    """
    try:
        import llama_cpp
    except ImportError as error:
        raise MissingError(
            t(
                "llama-cpp-python is not installed ({error}): see the README.",
                "llama-cpp-python n'est pas installé ({error}) : voir le README.",
                error=error,
            )
        ) from None
    logging.getLogger("llama-cpp-python").setLevel(logging.CRITICAL)
    return llama_cpp


def unloadable(path: Path) -> IntegrityError:
    """Return the error of a file that llama.cpp cannot load."""
    return IntegrityError(
        t(
            "{name} cannot be loaded, it is damaged or of an unknown kind: "
            "check it with edge-slm models verify.",
            "{name} ne se charge pas, il est abîmé ou d'un genre inconnu : "
            "vérifiez-le avec edge-slm models verify.",
            name=path.name,
        )
    )


def watch(c: Any, parameters: Any, stop: StopFlag) -> None:
    """Have a context look at a flag while it computes; the flag must outlive it."""
    parameters.abort_callback = ctypes.cast(StopFlag.reader(), c.ggml_abort_callback)
    parameters.abort_callback_data = stop.address


def fill(batch: Any, tokens: Sequence[int], position: int, *, last: bool, every: bool) -> None:
    """Put tokens of the one sequence into a batch.

    Args:
        batch: of llama.cpp, with room for them.
        tokens: the tokens.
        position: of the first one.
        last: ask for the output of the last one.
        every: ask for the outputs of all.
    """
    batch.n_tokens = len(tokens)
    for place, token in enumerate(tokens):
        batch.token[place] = token
        batch.pos[place] = position + place
        batch.n_seq_id[place] = 1
        batch.seq_id[place][0] = 0
        batch.logits[place] = every or (last and place == len(tokens) - 1)


class Model:
    """The weights and the vocabulary of a GGUF file."""

    def __init__(self, path: Path, *, repack: bool = False, stop: StopFlag | None = None) -> None:
        """Load the file.

        Args:
            path: the GGUF file.
            repack: lay the weights out anew for this processor.
            stop: ends the loading when it is set.
        Raises:
            IntegrityError: llama.cpp cannot load the file.
            Stopped: `stop` was set meanwhile.
        """
        self.c: Any = library()
        parameters = self.c.llama_model_default_params()
        # Weights that are read are counted and given back with certainty; mapped ones are not.
        parameters.load_mode = self.c.LLAMA_LOAD_MODE_NONE
        parameters.use_extra_bufts = repack
        stop = StopFlag() if stop is None else stop
        go_on = self.c.llama_progress_callback(lambda *_: not stop)
        parameters.progress_callback = go_on
        self.handle = self.c.llama_model_load_from_file(os.fsencode(path), parameters)
        if not self.handle:
            stop.check()
            raise unloadable(path)
        self.vocabulary = self.c.llama_model_get_vocab(self.handle)
        self.words = int(self.c.llama_vocab_n_tokens(self.vocabulary))

    def close(self) -> None:
        """Give the memory back."""
        self.c.llama_model_free(self.handle)

    @cached_property
    def begins_with_bos(self) -> bool:
        """Whether a text begins with the vocabulary's first token."""
        return bool(self.c.llama_vocab_get_add_bos(self.vocabulary))

    def tokenize(self, text: str, *, special: bool, first: bool = False) -> list[int]:
        """Return the tokens of a text.

        Args:
            text: the text.
            special: read the names of control tokens as such.
            first: the text opens the prompt: add what the model expects there.
        """
        data = text.encode("utf-8", "replace")
        room = len(data) + 2  # nearly always enough: a token is a byte at least
        while True:
            buffer = (ctypes.c_int32 * room)()
            count = self.c.llama_tokenize(
                self.vocabulary, data, len(data), buffer, room, first, special
            )
            if count >= 0:
                return list(buffer[:count])
            room = -count

    def control_names(self, text: str) -> set[str]:
        """Return the control tokens that a text spells out, such as "</s>"."""
        is_control = self.c.llama_vocab_is_control
        found = {
            token
            for token in self.tokenize(text, special=True)
            if is_control(self.vocabulary, token)
        }
        return {self.piece(token, special=True).decode("utf-8", "replace") for token in found}

    def piece(self, token: int, *, special: bool = False) -> bytes:
        """Return the bytes that a token stands for; control tokens are empty unless `special`."""
        room = 256
        while True:
            buffer = ctypes.create_string_buffer(room)
            count = self.c.llama_token_to_piece(self.vocabulary, token, buffer, room, 0, special)
            if count >= 0:
                return buffer.raw[:count]
            room = -count

    def ends(self, token: int) -> bool:
        """Return whether a token ends the reply."""
        return bool(self.c.llama_vocab_is_eog(self.vocabulary, token))

    def metadata(self, key: str) -> str | None:
        """Return a value of the file's header as text."""
        room = 1 << 16
        while True:
            buffer = ctypes.create_string_buffer(room)
            count = self.c.llama_model_meta_val_str(self.handle, key.encode(), buffer, room)
            if count < 0:
                return None
            if count < room:
                return buffer.raw[:count].decode("utf-8", "replace")
            room = count + 1


class Context:
    """What the model has read: `tokens`, with their keys and values in memory."""

    def __init__(self, model: Model, settings: Settings, stop: StopFlag | None = None) -> None:
        """Reserve the memory.

        Args:
            model: the model; must outlive the context.
            settings: context, batch, threads, attention.
            stop: ends the reading when it is set.
        """
        self.model, self.settings = model, settings
        self.tokens: list[int] = []
        self._c = model.c
        self._stop = StopFlag() if stop is None else stop
        self._stack = ExitStack()
        self._handle = self._c.llama_init_from_model(model.handle, self._parameters())
        if not self._handle:
            raise MemoryError("llama_init_from_model")
        self._stack.callback(self._c.llama_free, self._handle)
        self._memory = self._c.llama_get_memory(self._handle)
        self._batch = self._c.llama_batch_init(settings.batch, 0, 1)
        self._stack.callback(self._c.llama_batch_free, self._batch)

    @property
    def handle(self) -> Any:
        """The llama.cpp context, for its samplers."""
        return self._handle

    def close(self) -> None:
        """Give the memory back."""
        self._stack.close()

    def read(self, tokens: Sequence[int], *, every: bool = False) -> None:
        """Read tokens after those already read.

        Args:
            tokens: at least one.
            every: keep the logits of each (`MOST_OUTPUTS` at most), not of the last only.
        Raises:
            Stopped: the flag was set; what was read before this call is still there.
        """
        held = len(self.tokens)
        for begin in range(0, len(tokens), self.settings.batch):
            part = tokens[begin : begin + self.settings.batch]
            last = begin + len(part) == len(tokens)
            fill(self._batch, part, held + begin, last=last, every=every)
            code = self._c.llama_decode(self._handle, self._batch)
            if code:
                self.rewind(held)
                if code == 2:  # the abort callback spoke (llama.h)
                    raise Stopped
                raise RuntimeError(f"llama_decode: {code}")
            self.tokens.extend(part)

    def logits(self, row: int = -1) -> NDArray[np.float32]:
        """Return the logits (words,) of a row of the last batch; good until the next `read`."""
        pointer = self._c.llama_get_logits_ith(self._handle, row)
        return np.ctypeslib.as_array(pointer, (self.model.words,))

    def rewind(self, length: int) -> None:
        """Forget all but the first `length` tokens."""
        if not self._c.llama_memory_seq_rm(self._memory, 0, length, -1):
            self._c.llama_memory_clear(self._memory, False)  # kinds that cannot forget a part
            length = 0
        del self.tokens[length:]

    def state(self) -> bytes:
        """Return the keys and values of what was read."""
        size = self._c.llama_state_seq_get_size(self._handle, 0)
        buffer = (ctypes.c_uint8 * size)()
        return bytes(
            memoryview(buffer)[: self._c.llama_state_seq_get_data(self._handle, buffer, size, 0)]
        )

    def restore(self, state: bytes, tokens: Sequence[int]) -> bool:
        """Take up a state that `state` gave when `tokens` had been read; False if it cannot be."""
        self.rewind(0)
        buffer = (ctypes.c_uint8 * len(state)).from_buffer_copy(state)
        taken = self._c.llama_state_seq_set_data(self._handle, buffer, len(state), 0)
        last = self._c.llama_memory_seq_pos_max(self._memory, 0)
        if taken != len(state) or last != len(tokens) - 1:
            self._c.llama_memory_clear(self._memory, False)
            return False
        self.tokens = list(tokens)
        return True

    def _parameters(self) -> Any:
        c, settings = self._c, self.settings
        parameters = c.llama_context_default_params()
        parameters.n_ctx = settings.context
        parameters.n_batch = parameters.n_ubatch = settings.batch
        parameters.n_seq_max = 1
        parameters.n_outputs_max = MOST_OUTPUTS
        parameters.n_threads = parameters.n_threads_batch = settings.thread_count
        flash = "ENABLED" if settings.flash_attention else "DISABLED"
        parameters.flash_attn_type = getattr(c, f"LLAMA_FLASH_ATTN_TYPE_{flash}")
        parameters.type_k = parameters.type_v = _KV_TYPES[settings.kv_type]
        watch(c, parameters, self._stop)
        return parameters
