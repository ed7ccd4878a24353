"""The data of the task suites: the user's files, else the samples that ship with the program."""

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import msgspec

from edge_slm import paths
from edge_slm.bench.tasks_hr import make_base
from edge_slm.bench.tasks_translation import COLUMNS, Segment, read_segments
from edge_slm.engines.loaded import Engines
from edge_slm.errors import MissingError, UsageError
from edge_slm.evaluation.answers import Question
from edge_slm.evaluation.corpus import indexed
from edge_slm.evaluation.rows import read_rows
from edge_slm.i18n import t
from edge_slm.kb.base import KnowledgeBase, base_path
from edge_slm.kb.documents import Document
from edge_slm.kb.ingest import find_files
from edge_slm.kb.readers import read_documents
from edge_slm.language import code_of
from edge_slm_quantize.records import Suites

Item = TypeVar("Item")


class Recording(msgspec.Struct, frozen=True):
    """A row of a manifest: a sound file, relative to the manifest's folder, and what is said."""

    file: str
    text: str


def spaced(rows: Sequence[Item], count: int | None) -> list[Item]:
    """Return at most `count` rows, evenly spaced and always the same; all of them for None."""
    if count is None or count >= len(rows):
        return list(rows)
    return [rows[at * len(rows) // count] for at in range(max(0, count))]


def questions(suites: Suites) -> list[Question]:
    """Return the questions, answerable or not.

    Raises:
        UsageError: the file cannot be read, or a base or corpus is given without questions.
    """
    if suites.questions is None and (suites.kb or suites.corpus):
        raise UsageError(
            t(
                "Questions on {name} are needed: give a file with --questions.",
                "Il faut des questions sur {name} : donnez un fichier avec --questions.",
                name=suites.kb or suites.corpus,
            )
        )
    file = paths.examples_dir() / "rh" / "questions.jsonl"
    return read_rows(Path(suites.questions or file), Question)


@contextmanager
def base(suites: Suites, engines: Engines) -> Iterator[KnowledgeBase]:
    """Open the base to ask: the user's, one of a corpus, or the sample handbook in a new file.

    Args:
        suites: what is given.
        engines: have the embedder.
    Raises:
        UsageError: there is no such base or file.
        MissingError: the embedder is not installed.
    """
    if suites.kb:
        with KnowledgeBase.open(base_path(suites.kb)) as found:
            yield found
    elif suites.corpus:
        with indexed([Path(suites.corpus)], engines.embedder()) as found:
            yield found
    else:
        with TemporaryDirectory(prefix="edge-slm-quantize-") as folder:
            path = Path(folder) / "handbook.db"
            make_base(path, quick=False, approved=False, engines=engines)
            with KnowledgeBase.open(path) as found:
                yield found


def documents(suites: Suites) -> list[Document]:
    """Return the documents to search: of the corpus, else of the sample handbook.

    Raises:
        UsageError: a file cannot be read.
    """
    given = Path(suites.corpus) if suites.corpus else paths.examples_dir() / "rh"
    return [document for file in find_files([given]) for document in read_documents(file)]


def segments(suites: Suites) -> list[Segment]:
    """Return the segments to translate.

    A file of the user's is of tab-separated columns that the first line names: those of
    examples/translation, or two of which the names are codes of languages, the first the source.

    Raises:
        UsageError: the file is neither.
    """
    if suites.pairs is None:
        return read_segments(paths.examples_dir() / "translation" / "segments.tsv")
    path = Path(suites.pairs)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    except (OSError, ValueError, csv.Error) as error:  # ValueError: not UTF-8, or a null
        raise UsageError(
            t(
                "{path} cannot be read: {error}.",
                "{path} ne se lit pas : {error}.",
                **_of(path, error),
            )
        ) from None
    if rows and tuple(rows[0]) == COLUMNS:
        return read_segments(path)
    return _pairs(path, rows)


def _of(path: Path, error: Exception) -> dict[str, object]:
    return {"path": path, "error": getattr(error, "strerror", None) or error}


def _pairs(path: Path, rows: Sequence[Sequence[str]]) -> list[Segment]:
    head = [name.strip().lower() for name in rows[0]] if rows else []
    codes = [at for at, name in enumerate(head) if len(name) == 2 and code_of(name) == name]
    if len(codes) != 2:
        raise UsageError(
            t(
                "{path} names no two languages: its first line needs columns such as “en” and "
                "“fr”, with tabs between.",
                "{path} ne nomme pas deux langues : sa première ligne doit avoir des colonnes "
                "comme « en » et « fr », séparées par des tabulations.",
                path=path,
            )
        )
    one, other = codes
    found = []
    for number, row in enumerate(rows[1:], 2):
        if len(row) != len(head) or not row[one].strip() or not row[other].strip():
            raise UsageError(
                t(
                    "Line {number} of {path} needs {count} columns, none of the two texts empty.",
                    "La ligne {number} de {path} doit avoir {count} colonnes, et ses deux textes.",
                    number=number,
                    path=path,
                    count=len(head),
                )
            )
        found.append(Segment(str(number), head[one], head[other], row[one], row[other]))
    if not found:
        raise UsageError(t("{path} holds no row.", "{path} ne contient aucune ligne.", path=path))
    return found


def recordings(suites: Suites) -> list[tuple[Path, str]]:
    """Return sound files and what is said in them.

    Raises:
        UsageError: the manifest cannot be read, or names a file that is not there.
        MissingError: the sample recordings are not there.
    """
    if suites.audio is None:
        return _sample_recordings()
    manifest = Path(suites.audio)
    found = [(manifest.parent / row.file, row.text) for row in read_rows(manifest, Recording)]
    for path, _ in found:
        if not path.is_file():
            raise UsageError(
                t("There is no file {path}.", "Il n'y a pas de fichier {path}.", path=path)
            )
    return found


def _sample_recordings() -> list[tuple[Path, str]]:
    folder = paths.examples_dir() / "audio"
    files = [path for path in sorted(folder.glob("*.flac")) if path.with_suffix(".txt").is_file()]
    if not files:
        raise MissingError(
            t(
                "The sample recordings are not in {folder}: reinstall Edge-SLM.",
                "Les enregistrements d'exemple ne sont pas dans {folder} : réinstallez Edge-SLM.",
                folder=folder,
            )
        )
    return [(path, path.with_suffix(".txt").read_text("utf-8")) for path in files]
