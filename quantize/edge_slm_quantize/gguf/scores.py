"""What a GGUF model says of every token: its log-probabilities, by llama.cpp's C interface.

Chunks of 512 tokens, each read with nothing before it; outputs are asked for in the second half
only. Keys and values are f16 and attention is computed step by step, not by flash attention, which
adds up in f16 on a processor: what is compared is the weights. It knows nothing of divergence.
"""

import ctypes
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import numpy as np

from edge_slm.engines.llama.model import Model, library, unloadable
from edge_slm.engines.settings import REPACK
from edge_slm.errors import EdgeSlmError, IntegrityError
from edge_slm.i18n import t
from edge_slm.machine import compute_threads
from edge_slm_quantize.gguf.tokens import tokenised
from edge_slm_quantize.measure.reference import Rows, check_chunks, log_softmax, scored

CHUNK = 512  # tokens, as llama-perplexity's own default
_F16 = 1  # enum ggml_type of ggml.h


def tokenise(path: Path, texts: Sequence[str], tokens: int) -> list[list[int]]:
    """Return texts, one after the other, as chunks of 512 tokens.

    A model that begins texts with a token of its own finds it at the head of each chunk.

    Args:
        path: the GGUF file, of which only the vocabulary is read.
        texts: parted by blank lines.
        tokens: at most so many in all chunks together; what does not fill a chunk is left out.
    Raises:
        UsageError: less than two chunks come of it.
        IntegrityError: llama.cpp cannot load the file.
    """
    with closing(_Vocabulary(path)) as vocabulary:
        head = vocabulary.head()
        width = CHUNK - len(head)
        found = vocabulary.tokens("\n\n".join(texts))
    count = min(len(found) // width, tokens // CHUNK)
    chunks = [head + found[at * width : (at + 1) * width] for at in range(count)]
    check_chunks(chunks)
    return chunks


def texts_of(path: Path, groups: Sequence[Sequence[int]]) -> list[str]:
    """Return the text that each group of tokens stands for; bytes of a cut character as “�”."""
    with closing(_Vocabulary(path)) as vocabulary:
        return [
            b"".join(map(vocabulary.piece, group)).decode("utf-8", "replace") for group in groups
        ]


def log_probabilities(
    path: Path, tokens: Sequence[Sequence[int]], threads: int = 0
) -> Iterator[Rows]:
    """Yield for each chunk the log-probabilities (scored x vocabulary) of its second half.

    Row i is the distribution of token n // 2 + i of a chunk of n. One chunk is in memory at a time.

    Args:
        path: the GGUF file.
        tokens: chunks of at most 512.
        threads: of llama.cpp; 0 for one a physical core.
    Raises:
        IntegrityError: llama.cpp cannot load the file.
        EdgeSlmError: there is not enough memory.
    """
    with ExitStack() as stack:
        model = Model(path, repack=REPACK)
        stack.callback(model.close)
        handle = model.c.llama_init_from_model(model.handle, _parameters(model.c, threads))
        if not handle:
            raise EdgeSlmError(_no_room(path))
        stack.callback(model.c.llama_free, handle)
        batch = model.c.llama_batch_init(CHUNK, 0, 1)
        stack.callback(model.c.llama_batch_free, batch)
        for chunk in tokens:
            _read(model, handle, batch, chunk)
            pointer = model.c.llama_get_logits(handle)
            shape = (scored(chunk), model.words)
            # A copy: llama.cpp writes the next chunk to the same place, and gives it back.
            yield log_softmax(np.ctypeslib.as_array(pointer, shape).copy())


def _read(model: Model, handle: Any, batch: Any, chunk: Sequence[int]) -> None:
    first = len(chunk) - scored(chunk) - 1
    model.c.llama_memory_clear(model.c.llama_get_memory(handle), True)
    batch.n_tokens = len(chunk)
    for place, token in enumerate(chunk):
        batch.token[place] = token
        batch.pos[place] = place
        batch.n_seq_id[place] = 1
        batch.seq_id[place][0] = 0
        batch.logits[place] = first <= place < len(chunk) - 1
    if code := model.c.llama_decode(handle, batch):
        raise IntegrityError(
            t(
                "llama.cpp cannot compute with {name} (code {code}): the recipe or the file is "
                "not for it.",
                "llama.cpp ne calcule pas avec {name} (code {code}) : la recette ou le fichier ne "
                "lui convient pas.",
                name=model_name(model),
                code=code,
            )
        )


def model_name(model: Model) -> str:
    """Return what a file calls its model."""
    return model.metadata("general.name") or "GGUF"


def _parameters(c: Any, threads: int) -> Any:
    parameters = c.llama_context_default_params()
    parameters.n_ctx = parameters.n_batch = parameters.n_ubatch = CHUNK
    parameters.n_seq_max = 1
    parameters.n_outputs_max = CHUNK // 2
    parameters.n_threads = parameters.n_threads_batch = threads or compute_threads()
    parameters.flash_attn_type = c.LLAMA_FLASH_ATTN_TYPE_DISABLED
    parameters.type_k = parameters.type_v = _F16
    return parameters


class _Vocabulary:
    """The vocabulary of a file, without its weights."""

    def __init__(self, path: Path) -> None:
        self._c: Any = library()
        parameters = self._c.llama_model_default_params()
        parameters.vocab_only = True
        self._handle = self._c.llama_model_load_from_file(os.fsencode(path), parameters)
        if not self._handle:
            raise unloadable(path)
        self._vocabulary = self._c.llama_model_get_vocab(self._handle)

    def close(self) -> None:
        self._c.llama_model_free(self._handle)

    def head(self) -> list[int]:
        if not self._c.llama_vocab_get_add_bos(self._vocabulary):
            return []
        return [int(self._c.llama_vocab_bos(self._vocabulary))]

    def tokens(self, text: str) -> list[int]:
        return tokenised(self._c, self._vocabulary, text)

    def piece(self, token: int) -> bytes:
        room = 256
        buffer = ctypes.create_string_buffer(room)
        count = self._c.llama_token_to_piece(self._vocabulary, token, buffer, room, 0, True)
        return buffer.raw[: max(0, count)]


def _no_room(path: Path) -> str:
    return t(
        "There is not enough memory to judge {name}: close other programs.",
        "La mémoire manque pour juger {name} : fermez d'autres programmes.",
        name=path.name,
    )
