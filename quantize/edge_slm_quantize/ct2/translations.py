"""Translations by a CTranslate2 model of the Marian, NLLB or M2M100 kind, scored by chrF.

Texts become tokens through the sentencepiece models that lie in the folder. Marian models know one
direction, that of their tokenizer_config.json; the others take languages as tokens.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from edge_slm.bench.tasks_translation import Segment
from edge_slm.errors import IntegrityError, UsageError
from edge_slm.evaluation.text_scores import chrf
from edge_slm.i18n import t
from edge_slm_quantize.extra import need
from edge_slm_quantize.measure import suite_data
from edge_slm_quantize.records import Order
from edge_slm_quantize.sources.json_files import read_json_if_there

_END = "</s>"
# Codes of FLORES-200, which NLLB's tokens are (NLLB Team, 2022, appendix A).
_FLORES = {
    **{"ar": "arb_Arab", "de": "deu_Latn", "en": "eng_Latn", "es": "spa_Latn"},
    **{"fr": "fra_Latn", "it": "ita_Latn", "nl": "nld_Latn", "pt": "por_Latn"},
}


def read(order: Order, folder: Path) -> list[Segment]:
    """Return the segments that a model can translate, at most `sample` of them, evenly spread.

    Raises:
        UsageError: the file cannot be read, or none of its directions is the model's.
    """
    segments = suite_data.segments(order.suites)
    if (direction := _direction(folder)) is not None:
        segments = [one for one in segments if (one.source, one.target) == direction]
    if not segments:
        raise UsageError(
            t(
                "There is no pair of texts that {name} translates: give pairs of its languages.",
                "Il n'y a aucune paire de textes que {name} traduise : donnez des paires de ses "
                "langues.",
                name=order.source.name,
            )
        )
    return suite_data.spaced(segments, order.suites.sample)


def _direction(folder: Path) -> tuple[str, str] | None:
    if not (folder / "source.spm").is_file():
        return None
    config = read_json_if_there(folder / "tokenizer_config.json")
    # OPUS-MT names some sides by groups: “roa”; those match no segment, which is then said.
    return str(config.get("source_lang")), str(config.get("target_lang"))


def opened(folder: Path, threads: int) -> Callable[[Segment], str]:
    """Load a model as its weights are kept; return what translates a segment.

    Raises:
        IntegrityError: the folder cannot be loaded.
        MissingError: a package of the extra is not installed.
    """
    library, pieces = need("ctranslate2"), need("sentencepiece")
    try:
        model = library.Translator(
            str(folder), device="cpu", compute_type="default", intra_threads=threads
        )
        if (folder / "source.spm").is_file():
            sides = [_pieces(pieces, folder / f"{side}.spm") for side in ("source", "target")]
            return _marian(model, *sides)
        words = set(json.loads((folder / "shared_vocabulary.json").read_bytes()))
        return _multilingual(model, _pieces(pieces, folder / "sentencepiece.bpe.model"), words)
    except (RuntimeError, ValueError, OSError) as error:
        raise IntegrityError(
            t(
                "The translation model in {folder} cannot be loaded ({error}): make it again.",
                "Le modèle de traduction de {folder} ne se charge pas ({error}) : refaites-le.",
                folder=folder,
                error=error,
            )
        ) from error


def _pieces(library: Any, path: Path) -> Any:
    return library.SentencePieceProcessor(model_file=str(path))


def _marian(model: Any, source: Any, target: Any) -> Callable[[Segment], str]:
    def translate(segment: Segment) -> str:
        tokens = [*source.encode(segment.text, out_type=str), _END]
        found = model.translate_batch([tokens])[0].hypotheses[0]
        return str(target.decode(found))

    return translate


def _multilingual(model: Any, pieces: Any, words: set[str]) -> Callable[[Segment], str]:
    def language(code: str) -> str:
        for token in (_FLORES.get(code, ""), f"__{code}__"):
            if token in words:
                return token
        raise UsageError(
            t(
                "The model knows no language {code}: leave its pairs out.",
                "Le modèle ne connaît pas la langue {code} : ôtez ses paires.",
                code=code,
            )
        )

    def translate(segment: Segment) -> str:
        tokens = [language(segment.source), *pieces.encode(segment.text, out_type=str), _END]
        prefix = [[language(segment.target)]]
        found = model.translate_batch([tokens], target_prefix=prefix)[0].hypotheses[0]
        return str(pieces.decode(found[1:]))

    return translate


def scores(
    segments: Sequence[Segment], written: Sequence[str]
) -> tuple[dict[str, float], dict[str, Any]]:
    """Return chrF over all segments, and, in the details, by direction."""
    found: dict[str, list[tuple[str, str]]] = {}
    for segment, text in zip(segments, written, strict=True):
        direction = f"{segment.source}-{segment.target}"
        found.setdefault(direction, []).append((text, segment.reference))
    details: dict[str, Any] = {
        "segments": len(segments),
        "directions": {
            name: chrf([one for one, _ in rows], [two for _, two in rows])
            for name, rows in found.items()
        },
    }
    return {"chrf": chrf(written, [one.reference for one in segments])}, details
