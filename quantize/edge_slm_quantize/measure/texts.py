"""What a model is calibrated and judged on: passages of the user's own texts, in two lists.

Which list a passage is in depends on a hash of its text alone, so that it stays there when others
are added. What is judged shares no run of words with what was calibrated on: a passage that does is
left out, as are repeated ones.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from edge_slm import paths
from edge_slm.errors import MissingError, UsageError
from edge_slm.i18n import t
from edge_slm.kb import passages
from edge_slm.kb.base import KnowledgeBase, base_path
from edge_slm.kb.ingest import find_files, nothing_found
from edge_slm.kb.readers import read_documents
from edge_slm_quantize.records import Texts

BASE = "kb:"
SHARE = 0.6  # of the passages are for calibration
# Characters read at most: half a million tokens and more, of which even the smallest starter model
# reads 100,000 in some four minutes. They go to every step of a job, maybe to another machine.
MOST = 2_000_000
# Characters that each list needs. The sample handbook has 2.8 characters a token with SmolLM2's
# vocabulary and 3.5 with Qwen's, English some 5: two chunks of 512 tokens, the least that an
# interval can be made of.
LEAST = 6_000
# Words in a row that nobody writes twice by chance. PaLM's authors looked for the same number to
# find what a model had seen (Chowdhery et al. 2022, 8); they allow some, here none is.
RUN = 8

_WORD = re.compile(r"\w+")
_DIGIT = re.compile(r"\d")


def texts_from(given: Sequence[str], *, share: float = SHARE) -> Texts:
    """Return the passages to calibrate and to judge on.

    Args:
        given: files and folders of documents (edge_slm.kb.readers), and bases as `kb:NAME`; none
            for the sample handbook, which is in French.
        share: of the passages (0 to 1) that are for calibration.
    Raises:
        UsageError: one cannot be read, or there is too little text.
        MissingError: the sample handbook is not there.
    """
    if not 0 < share < 1:
        raise ValueError("share must be between 0 and 1")
    found, whole = _capped(_passages(given))
    kept = list({_key(text): text for text in reversed(found)}.values())[::-1]
    calibration = [text for text in kept if _draw(text) < share]
    seen = {run for text in calibration for run in _runs(text)}
    evaluation = [
        text for text in kept if _draw(text) >= share and not seen.intersection(_runs(text))
    ]
    _check(calibration, evaluation, given)
    return Texts(
        calibration=tuple(calibration),
        evaluation=tuple(evaluation),
        sha256=hashlib.sha256(msgspec.json.encode(calibration)).hexdigest(),
        origin=_origin(given, len(found), whole),
    )


def _passages(given: Sequence[str]) -> Iterator[str]:
    if not given:
        yield from _handbook()
    for one in given:
        if one.startswith(BASE):
            yield from _of_base(one.removeprefix(BASE))
        else:
            yield from _of_files(Path(one))


def _handbook() -> Iterator[str]:
    folder = paths.examples_dir() / "rh"
    if not folder.is_dir():
        raise MissingError(
            t(
                "The sample handbook is not in {folder}: reinstall Edge-SLM, or give texts.",
                "Le recueil d'exemple n'est pas dans {folder} : réinstallez Edge-SLM, ou donnez "
                "des textes.",
                folder=folder,
            )
        )
    yield from _of_files(folder)


def _of_base(name: str) -> Iterator[str]:
    with KnowledgeBase.open(base_path(name)) as base:
        for (text,) in base.connection.execute("SELECT text FROM passages ORDER BY id"):
            yield _clean(text)


def _of_files(path: Path) -> Iterator[str]:
    try:
        folder = path.is_dir()
    except (OSError, ValueError):  # a name too long, or with a null in it: its reader says so
        folder = False
    files = find_files([path]) if folder else [path]
    if not files:
        raise nothing_found([path])
    failed = None
    read = False
    for file in files:
        try:
            for document in read_documents(file):
                read = True
                yield from (_clean(one.text) for one in passages.split(document))
        except UsageError as error:
            if not folder:
                raise
            failed = error  # one bad file of a folder is no reason to give up
    if failed and not read:
        raise failed


def _clean(text: str) -> str:
    """Replace lone surrogates, which no tokenizer and no JSON takes."""
    return text.encode("utf-8", "replace").decode()


def _capped(found: Iterator[str]) -> tuple[list[str], bool]:
    """Return the first passages, up to `MOST` characters, and whether they are all."""
    kept: list[str] = []
    length = 0
    for text in found:
        length += len(text)
        if length > MOST:
            return kept, False
        kept.append(text)
    return kept, True


def _draw(text: str) -> float:
    """Return a number (0 to 1) that a text alone decides on, whatever its case and figures."""
    digest = hashlib.sha256(" ".join(_words(text)).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def _key(text: str) -> str:
    return " ".join(_words(text))


def _words(text: str) -> list[str]:
    # Two notices that differ in their dates only are the same.
    return [_DIGIT.sub("0", word) for word in _WORD.findall(text.casefold())]


def _runs(text: str) -> set[str]:
    words = _words(text)
    return {" ".join(words[at : at + RUN]) for at in range(max(1, len(words) - RUN + 1))}


def _check(calibration: Sequence[str], evaluation: Sequence[str], given: Sequence[str]) -> None:
    found = min(sum(map(len, calibration)), sum(map(len, evaluation)))
    if found >= LEAST:
        return
    raise UsageError(
        t(
            "There is too little text in {given}: {count} characters would be left to calibrate or "
            "to judge on, and {least} are needed for each; give more documents, none twice.",
            "Il y a trop peu de texte dans {given} : il resterait {count} caractères pour calibrer "
            "ou pour juger, et il en faut {least} pour chaque ; donnez plus de documents, chacun "
            "une fois.",
            given=", ".join(given) or "examples/rh",
            count=found,
            least=LEAST,
        )
    )


def _origin(given: Sequence[str], count: int, whole: bool) -> str:
    named = ", ".join(given) or t("the sample handbook (French)", "le recueil d'exemple (français)")
    if whole:
        return t(
            "{given}: {count} passages", "{given} : {count} passages", given=named, count=count
        )
    return t(
        "{given}: the first {count} passages, up to {most} characters",
        "{given} : les {count} premiers passages, jusqu'à {most} caractères",
        given=named,
        count=count,
        most=MOST,
    )
