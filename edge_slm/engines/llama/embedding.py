"""Embeddings by llama.cpp, through its C interface.

llama-cpp-python's own class reserves outputs for 256 sequences of the whole vocabulary, 256 MB for
this one, and copies each vector number by number; one sequence at a time needs neither.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_slm.engines.llama.e5_text import normalise
from edge_slm.engines.llama.model import Model, fill, unloadable, watch
from edge_slm.engines.stopping import StopFlag
from edge_slm.machine import compute_threads

Vectors = NDArray[np.float32]


class LlamaEmbedder:
    """A multilingual E5 model in a GGUF file: mean pooling, unit vectors.

    Source of the prefixes: the model card of intfloat/multilingual-e5-small.
    """

    QUERY_PREFIX = "query: "
    PASSAGE_PREFIX = "passage: "
    LONGEST = 512  # tokens, the model's positions

    def __init__(self, path: Path, *, stop: StopFlag | None = None) -> None:
        """Load the model.

        Args:
            path: the GGUF file.
            stop: stops loading and embedding when it is set.
        Raises:
            MissingError: llama-cpp-python is not installed.
            IntegrityError: llama.cpp cannot load the file.
            Stopped: `stop` was set meanwhile.
        """
        self._stop = StopFlag() if stop is None else stop
        self._stack = ExitStack()
        self._loaded = Model(path, stop=self._stop)
        self._stack.callback(self._loaded.close)
        self._c: Any = self._loaded.c
        self._context = self._c.llama_init_from_model(self._loaded.handle, self._parameters())
        if not self._context:
            self._stack.close()
            raise unloadable(path)
        self._stack.callback(self._c.llama_free, self._context)
        self._batch = self._c.llama_batch_init(self.LONGEST, 0, 1)
        self._stack.callback(self._c.llama_batch_free, self._batch)
        self.dimensions = int(self._c.llama_model_n_embd(self._loaded.handle))

    def embed_query(self, text: str) -> Vectors:
        """Return the unit vector of a question (dimensions,)."""
        # One thread: a question is too short to share, and threads that wait for one another at
        # every layer are slow on a busy machine.
        return self._embed(self.QUERY_PREFIX + text, threads=1)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Return the unit vectors of passages (texts x dimensions); each is cut at 512 tokens."""
        # One text at a time: several in a batch are no faster, and llama.cpp reserves its output
        # for all of them together, a megabyte a token.
        threads = compute_threads()
        vectors = [self._embed(self.PASSAGE_PREFIX + text, threads) for text in texts]
        return np.asarray(vectors, np.float32).reshape(len(texts), self.dimensions)

    def close(self) -> None:
        """Give the memory back; reading long passages has cost up to a megabyte a token."""
        self._stack.close()

    def _parameters(self) -> Any:
        parameters = self._c.llama_context_default_params()
        parameters.n_ctx = parameters.n_batch = parameters.n_ubatch = self.LONGEST
        parameters.n_seq_max = 1
        parameters.embeddings = True
        parameters.pooling_type = self._c.LLAMA_POOLING_TYPE_MEAN
        parameters.flash_attn_type = self._c.LLAMA_FLASH_ATTN_TYPE_ENABLED  # twice as fast here
        watch(self._c, parameters, self._stop)
        return parameters

    def _embed(self, text: str, threads: int) -> Vectors:
        tokens = self._tokens(normalise(text))
        self._c.llama_set_n_threads(self._context, threads, threads)
        fill(self._batch, tokens, 0, last=True, every=True)  # the mean is over all tokens
        if code := self._c.llama_decode(self._context, self._batch):
            self._stop.check()
            raise RuntimeError(f"llama_decode: {code}")
        pointer = self._c.llama_get_embeddings_seq(self._context, 0)
        vector: Vectors = np.ctypeslib.as_array(pointer, (self.dimensions,)).copy()
        return vector / np.linalg.norm(vector)

    def _tokens(self, text: str) -> list[int]:
        tokens = self._loaded.tokenize(text, special=False, first=True)
        if len(tokens) <= self.LONGEST:
            return tokens
        return [*tokens[: self.LONGEST - 1], tokens[-1]]
