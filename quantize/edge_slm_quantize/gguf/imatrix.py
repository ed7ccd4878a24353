"""The importance matrix of a job: computed once from its calibration texts, kept, and reused.

llama.cpp weighs the rounding of each weight by the mean square of the input that it meets
(tools/imatrix and `quantize_row_*_impl` of ggml-quants.c).
"""

import hashlib
from pathlib import Path

from edge_slm.errors import IntegrityError
from edge_slm.gguf_layout import Layout, read_layout
from edge_slm.i18n import t
from edge_slm.progress import progress
from edge_slm_quantize.gguf.collector import Needs, collect
from edge_slm_quantize.gguf.imatrix_file import Matrix, check, load, save
from edge_slm_quantize.gguf.types import TYPES
from edge_slm_quantize.records import Order

# A chunk is the context of llama.cpp's tool, which asks for two at least; four, so that no single
# document decides. Measured on SmolLM2-135M (Q4_0 and Q4_K_M, texts of one kind): the rounding
# error weighed by 8 held-out chunks, as a share of that without a matrix, is 0.642 and 0.630 with
# 4 chunks, 0.639 and 0.628 with 32, 0.639 and 0.627 with 64.
NEEDS = Needs(chunk=512, least=4, most=32)
_FORM = 1  # of what is summed: another one is another file


def matrix_of(order: Order, source: Path) -> Matrix:
    """Return the matrix of a job's source and texts, computed unless an earlier recipe did.

    Args:
        order: of a recipe with +imatrix.
        source: the GGUF file of the source.
    Raises:
        UsageError, IntegrityError, EdgeSlmError: as `collector.collect` does.
    """
    path = matrix_path(order)
    if path.is_file():
        try:
            matrix = load(path)
            check(matrix, read_layout(source), path)
        except IntegrityError:
            path.unlink(missing_ok=True)  # damaged since: made anew
        else:
            return matrix
    label = t("Importance matrix", "Matrice d'importance")
    with progress(label, NEEDS.most) as advance:
        matrix = collect(source, order.texts.calibration, NEEDS, order.threads, advance)
    save(path, matrix, order.texts.origin)
    return load(path)  # as every later recipe will: the same numbers whichever came first


def matrix_path(order: Order) -> Path:
    """Return where a job keeps its matrix: the name tells source, texts and settings apart."""
    what = f"{_FORM} {order.source.sha256} {order.texts.sha256} {NEEDS}"
    digest = hashlib.sha256(what.encode()).hexdigest()
    return Path(order.folder) / "shared" / f"imatrix-{digest[:16]}.gguf"


def uncovered(matrix: Matrix, layout: Layout) -> tuple[str, ...]:
    """Tell of quantised matrices of blocks that the importance matrix does not weigh, if any.

    Args:
        matrix: the importance matrix.
        layout: of the file that was made.
    """
    bare = [
        name
        for name, one in layout.tensors.items()
        if name.startswith("blk.")
        and one.type in TYPES
        and TYPES[one.type].block > 1
        and name not in matrix.sums
    ]
    if not bare:
        return ()
    return (
        t(
            "Matrices rounded without importance, which is not gathered for them: {count}, such as "
            "{name}.",
            "Matrices arrondies sans importance, celle-ci n'étant pas relevée pour elles : "
            "{count}, dont {name}.",
            count=len(bare),
            name=bare[0],
        ),
    )
