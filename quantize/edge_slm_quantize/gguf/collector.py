"""Inputs of the matrices, gathered while llama.cpp reads texts: in process, by its callback.

The sums are those of llama.cpp's tools/imatrix (`collect_imatrix`): for each product of a matrix of
a block with 16 rows or more, the squares of the inputs, column by column. Matrices of experts
(MUL_MAT_ID) are not gathered.
"""

import ctypes
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from edge_slm.engines.llama.model import fill, library
from edge_slm.errors import EdgeSlmError, IntegrityError, UsageError
from edge_slm.gguf_layout import Layout, read_layout
from edge_slm.i18n import t
from edge_slm.machine import compute_threads
from edge_slm_quantize.gguf.failures import failure
from edge_slm_quantize.gguf.imatrix_file import Matrix
from edge_slm_quantize.gguf.llama_log import captured
from edge_slm_quantize.gguf.tensor_mirror import Ggml, Tensor, ggml
from edge_slm_quantize.gguf.tokens import tokenised

_LEAST_ROWS = 16  # as llama.cpp's tool
_FLOATS = 0  # GGML_TYPE_F32
_LAST = b"result_norm"  # llama.cpp's name of what goes into the output matrix
# Tokens of one step of a causal model. Each takes room for the whole vocabulary, twice; the means
# do not change with it.
_STEP = 128
_PIECE = 1 << 16  # characters tokenised at once: a text may be larger than what is needed of it


class Needs(NamedTuple):
    """Tokens of a chunk, and the fewest and the most chunks that are read."""

    chunk: int
    least: int
    most: int


def collect(
    path: Path, texts: Sequence[str], needs: Needs, threads: int, advance: Callable[[int], None]
) -> Matrix:
    """Have a model read texts, and sum the squares of what goes into its matrices.

    Args:
        path: the GGUF file; one that is quantised is dequantised as it computes.
        texts: what is read, in order.
        needs: how much of it.
        threads: 0 takes the physical cores.
        advance: called with 1 after each chunk.
    Raises:
        UsageError: the texts are too short, or the model has no tokenizer.
        IntegrityError: the file cannot be loaded, or computes numbers that are not finite.
        EdgeSlmError: llama.cpp cannot be listened to, or fails.
    """
    c = library()
    tensors = ggml(c)  # before anything is loaded: it may refuse
    layout = read_layout(path)
    chunk = min(needs.chunk, layout.number("context_length", needs.chunk) or needs.chunk)
    gathered = _Gathered(tensors)
    with captured(c) as said, _Reader(c, path, layout, chunk, threads, gathered) as reader:
        if reader.failed:
            raise failure("".join(said), path, "imatrix", path.parent)
        chunks = reader.chunks(texts, chunk, needs)
        for tokens in chunks:
            reader.read(tokens)
            gathered.check(path)
            advance(1)
    return Matrix(gathered.sums, gathered.counts, len(chunks), chunk)


class _Gathered:
    """The sums, as llama.cpp's callback adds to them."""

    def __init__(self, tensors: Ggml) -> None:
        self.sums: dict[str, Any] = {}
        self.counts: dict[str, int] = {}
        self._tensors = tensors
        self._broken = ""
        self._first: dict[str, int] = {}
        self._chunks = 0

    def __call__(self, address: int, ask: bool, _data: int | None) -> bool:
        """Answer whether a node is of interest (`ask`), or take it; False then ends the graph."""
        node = Tensor.from_address(address)
        if node.name == _LAST:
            return ask  # the product with the output matrix, that no one needs, is left out
        if node.op != self._tensors.product:
            return False
        weight, rows = node.src[0].contents, node.src[1].contents
        name = _plain(weight.name)
        if not _wanted(name, weight, rows):
            return False
        if ask:
            return True
        return self._add(name, rows)

    def check(self, path: Path) -> None:
        """Raise where the chunk that was just read was not gathered as it should be."""
        if self._broken:
            raise IntegrityError(_not_finite(path, self._broken))
        self._chunks += 1
        self._first = self._first or dict(self.counts)
        every = {name: count * self._chunks for name, count in self._first.items()}
        if not every or every != self.counts:
            raise EdgeSlmError(_uneven(path))

    def _add(self, name: str, rows: Tensor) -> bool:
        import numpy as np

        if not self._tensors.base.ggml_backend_buffer_is_host(rows.buffer):
            self._broken = name
            return False
        inputs = _array(rows)
        # Read-only view of llama.cpp's memory, gone after this call: only sums are kept.
        squares = np.einsum("abij,abij->j", inputs, inputs)
        if not np.isfinite(squares).all():
            self._broken = name
            return False
        if name in self.sums:
            self.sums[name] += squares
        else:
            self.sums[name] = squares.astype(np.float64)
        self.counts[name] = self.counts.get(name, 0) + inputs[..., 0].size
        return True


class _Reader:
    """A model and a context of llama.cpp that read chunks from an empty memory."""

    def __init__(
        self, c: Any, path: Path, layout: Layout, chunk: int, threads: int, gathered: _Gathered
    ) -> None:
        self._c, self._context = c, None
        c.llama_backend_init()
        parameters = c.llama_model_default_params()
        parameters.n_gpu_layers = 0
        parameters.use_extra_bufts = False  # they hold the weights a second time
        self._model = c.llama_model_load_from_file(bytes(path), parameters)
        if self._model:
            settings = c.llama_context_default_params()
            architecture = layout.fields.get("general.architecture")
            causal = layout.fields.get(f"{architecture}.attention.causal", True)
            self._step = min(_STEP, chunk) if causal else chunk
            settings.n_ctx = chunk
            settings.n_batch = settings.n_ubatch = self._step
            settings.n_threads = settings.n_threads_batch = threads or compute_threads()
            settings.op_offload = False
            settings.cb_eval = self._callback = c.ggml_backend_sched_eval_callback(gathered)
            self._context = c.llama_init_from_model(self._model, settings)
            self._vocabulary = c.llama_model_get_vocab(self._model)
            self._batch = c.llama_batch_init(self._step, 0, 1)
        self.failed = not self._context

    def __enter__(self) -> "_Reader":
        return self

    def __exit__(self, *_: object) -> None:
        if self._model:
            self._c.llama_batch_free(self._batch)
            if self._context:
                self._c.llama_free(self._context)
            self._c.llama_model_free(self._model)

    def chunks(self, texts: Iterable[str], chunk: int, needs: Needs) -> list[list[int]]:
        """Return the texts' tokens in chunks, each begun as the model begins a text."""
        if self._c.llama_vocab_type(self._vocabulary) == self._c.LLAMA_VOCAB_TYPE_NONE:
            raise UsageError(_no_tokenizer())
        tokens = list(islice(self._tokens(texts), chunk * needs.most))
        if len(tokens) < chunk * needs.least:
            raise UsageError(_too_short(len(tokens), chunk * needs.least))
        found = [tokens[at : at + chunk] for at in range(0, len(tokens) - chunk + 1, chunk)]
        if self._c.llama_vocab_get_add_bos(self._vocabulary):
            first = self._c.llama_vocab_bos(self._vocabulary)
            found = [[first, *one[1:]] for one in found]
        return found

    def _tokens(self, texts: Iterable[str]) -> Iterator[int]:
        for text in texts:
            for at in range(0, len(text), _PIECE):
                piece = f"{text[at : at + _PIECE]}\n"
                yield from tokenised(self._c, self._vocabulary, piece)

    def read(self, tokens: Sequence[int]) -> None:
        """Compute the chunk from its first token on, with the outputs of all."""
        memory = self._c.llama_get_memory(self._context)
        if memory:  # an encoder has none
            self._c.llama_memory_clear(memory, True)
        for at in range(0, len(tokens), self._step):
            fill(self._batch, tokens[at : at + self._step], at, last=True, every=True)
            if self._c.llama_decode(self._context, self._batch):
                raise EdgeSlmError(_unread())


def _plain(name: bytes) -> str:
    """Return a weight's name without what a back end puts around it: “CUDA0#NAME#0”."""
    parts = name.decode("utf-8", "replace").split("#")
    return parts[1] if len(parts) > 1 else parts[0]


def _wanted(name: str, weight: Tensor, rows: Tensor) -> bool:
    return bool(
        name.startswith("blk.")
        and weight.ne[2] * weight.ne[3] == 1
        and rows.type == _FLOATS
        and rows.ne[1] >= _LEAST_ROWS
    )


def _array(tensor: Tensor) -> Any:
    """Return a view of a float32 tensor, its sizes the slowest first."""
    import numpy as np

    sizes, steps = tuple(tensor.ne)[::-1], tuple(tensor.nb)[::-1]
    room = sum((size - 1) * step for size, step in zip(sizes, steps, strict=True)) + 4
    buffer = (ctypes.c_char * room).from_address(tensor.data)
    return np.ndarray(sizes, np.float32, buffer, strides=steps)


def _too_short(found: int, needed: int) -> str:
    return t(
        "The calibration text has {found} tokens; an importance matrix needs {needed}: give more "
        "text, or a recipe without +imatrix.",
        "Le texte de calibration a {found} jetons ; une matrice d'importance en demande {needed} : "
        "donnez plus de texte, ou une recette sans +imatrix.",
        found=found,
        needed=needed,
    )


def _no_tokenizer() -> str:
    return t(
        "The model has no tokenizer, so it reads no text: get it whole, or use a recipe without "
        "+imatrix.",
        "Le modèle n'a pas de tokeniseur et ne lit donc aucun texte : obtenez-le entier, ou prenez "
        "une recette sans +imatrix.",
    )


def _not_finite(path: Path, name: str) -> str:
    return t(
        "{file} computes numbers that are not finite in {name}: the model is damaged, get it "
        "again.",
        "{file} calcule des nombres non finis dans {name} : le modèle est abîmé, obtenez-le de "
        "nouveau.",
        file=path.name,
        name=name or "?",
    )


def _uneven(path: Path) -> str:
    return t(
        "Not all matrices of {file} were seen as often, so no importance matrix is made: use "
        "recipes without +imatrix.",
        "Les matrices de {file} n'ont pas toutes été vues aussi souvent, aucune matrice "
        "d'importance n'est donc faite : prenez des recettes sans +imatrix.",
        file=path.name,
    )


def _unread() -> str:
    return t(
        "llama.cpp could not read the calibration text: use recipes without +imatrix.",
        "llama.cpp n'a pas pu lire le texte de calibration : prenez des recettes sans +imatrix.",
    )
