"""A knowledge base: one SQLite file that holds documents, pages, passages and vectors.

Copying the file copies the base. A document is added in one transaction: a kill at any point
leaves the base as it was before. Searching is in search.py, approved
answers in approvals.py.
"""

import re
import sqlite3
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from edge_slm import paths
from edge_slm.engines import Embedder
from edge_slm.errors import IntegrityError, UsageError
from edge_slm.i18n import Language, t
from edge_slm.kb import rows, rungs, schema, vectors
from edge_slm.kb.calibration import Calibration, decoded
from edge_slm.kb.documents import Document, digest_of
from edge_slm.kb.passages import Passage, headed, split
from edge_slm.kb.rungs import Rungs
from edge_slm.kb.vocabulary import CIVIL_SERVICE

WAIT_SECONDS = 30.0  # for another program that writes a long document
_NAME = re.compile(r"[\w][\w.-]{0,63}")


@dataclass(frozen=True)
class StoredDocument:
    """A document as the base lists it."""

    name: str
    title: str
    pages: int
    passages: int
    date: str
    licence: str
    origin: str
    access: str
    added: str


class KnowledgeBase:
    """An open base. Use as a context manager, or close it."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        """Wrap an open connection; use `create` or `open`."""
        self.connection = connection
        self.path = path
        self.name = path.stem
        self.meta = schema.read_meta(connection)

    @classmethod
    def create(
        cls,
        path: Path,
        embedder: str,
        dimensions: int,
        language: Language = "fr",
        contact: str = "",
        audience: str | None = None,
    ) -> Self:
        """Make an empty base.

        Args:
            path: file of the base, `NAME.db`; it must not exist.
            embedder: model id of the vectors that it will hold.
            dimensions: length of a vector.
            language: language of the documents; it decides the stemming.
            contact: whom to ask when the base does not answer.
            audience: words that go without saying for those who ask, added to each question; None
                for civil servants (vocabulary.CIVIL_SERVICE).
        Raises:
            UsageError: the name is not a plain file name, or the base exists.
            EdgeSlmError: its folder cannot be written to, or the disk is full.
        """
        if not _NAME.fullmatch(path.stem) or path.suffix != ".db":
            raise UsageError(
                t(
                    "“{name}” cannot name a base: use letters, digits, “-”, “_” and “.”, or the "
                    "path of a .db file.",
                    "« {name} » ne peut pas nommer une base : lettres, chiffres, « - », « _ » "
                    "et « . », ou le chemin d'un fichier .db.",
                    name=path.stem,
                )
            )
        if path.exists():
            raise UsageError(
                t(
                    "The base “{name}” exists already: add documents to it with edge-slm kb add.",
                    "La base « {name} » existe déjà : complétez-la avec edge-slm kb add.",
                    name=path.stem,
                )
            )
        schema.create(
            path,
            {
                "uuid": uuid.uuid4().hex,
                "embedder": embedder,
                "dimensions": str(dimensions),
                "language": language,
                "contact": contact,
                "audience": CIVIL_SERVICE[language] if audience is None else audience,
                "calibration": "{}",
                "created": schema.now(),
            },
        )
        return cls.open(path)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a base.

        Raises:
            UsageError: there is no such base.
            IntegrityError: the file is not a base of this version, or is damaged.
            EdgeSlmError: it may not be read, or another program holds it.
        """
        if not path.is_file():
            raise UsageError(
                t(
                    "There is no base “{name}”: list them with edge-slm kb list.",
                    "Il n'y a pas de base « {name} » : listez-les avec edge-slm kb list.",
                    name=path.stem,
                )
            )
        with schema.explained():
            connection = sqlite3.connect(path, WAIT_SECONDS, check_same_thread=False)
        try:
            schema.check_size(connection, path)
            return cls(connection, path)
        except (sqlite3.DatabaseError, KeyError, ValueError) as error:
            connection.close()
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
                raise schema.in_use() from None
            raise IntegrityError(
                t(
                    "{path} is not a knowledge base, or it is damaged ({error}).",
                    "{path} n'est pas une base documentaire, ou elle est abîmée ({error}).",
                    path=path,
                    error=error,
                )
            ) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self.connection.close()

    @property
    def language(self) -> Language:
        """Language of the documents."""
        return "en" if self.meta["language"] == "en" else "fr"

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return int(self.meta["dimensions"])

    @property
    @schema.explained()
    def generation(self) -> int:
        """Number that grows with each change."""
        (value,) = self.connection.execute(
            "SELECT value FROM meta WHERE key = 'generation'"
        ).fetchone()
        return int(value)

    @property
    def contact(self) -> str:
        """Whom to ask when the base does not answer; may be empty."""
        return self.meta["contact"]

    @property
    def audience(self) -> str:
        """Words that go without saying for those who ask."""
        return self.meta["audience"]

    @property
    def calibration(self) -> Calibration:
        """What tells from a search whether the base holds an answer."""
        return decoded(self.meta["calibration"])

    @property
    def rungs(self) -> Rungs:
        """The rungs of the answer ladder that this base allows."""
        return rungs.decoded(self.meta["rungs"])

    @schema.explained()
    def add(
        self,
        document: Document,
        embedder: Embedder,
        *,
        access: str = "",
        on_passages: Callable[[int], None] = lambda _: None,
    ) -> bool:
        """Add a document, or replace the one of the same name; return whether anything changed.

        Args:
            document: what a reader made of a file.
            embedder: the embedder that the base was created for.
            access: label of who may read it; empty for everybody.
            on_passages: called with the number of passages just embedded.
        Raises:
            UsageError: the document holds no text, or what is no Unicode text.
            IntegrityError: the embedder is not the base's, or the base is damaged.
            EdgeSlmError: the base cannot be written to now.
        """
        self.check_embedder(embedder)
        digest = digest_of(document, access)
        known = self.connection.execute(
            "SELECT 1 FROM documents WHERE name = ? AND sha256 = ?", (document.name, digest)
        ).fetchone()
        if known:
            return False
        passages = split(document)
        if not passages:
            raise UsageError(
                t("{name} holds no text.", "{name} ne contient aucun texte.", name=document.name)
            )
        matrix = self._embed(document, passages, embedder, on_passages)
        with schema.transaction(self.connection) as db:
            rows.replace_document(db, document, digest, access, self.language, passages, matrix)
            schema.next_generation(db.conn)
        return True

    def check_embedder(self, embedder: Embedder) -> None:
        """Check that an embedder makes vectors like those of the base.

        Raises:
            IntegrityError: its vectors have another length.
        """
        if embedder.dimensions != self.dimensions:
            raise IntegrityError(
                t(
                    "The base “{name}” holds vectors of {ours} numbers ({model}), and the model "
                    "in use makes {theirs}: use the base's model, or make the base again.",
                    "La base « {name} » contient des vecteurs de {ours} nombres ({model}), et le "
                    "modèle utilisé en produit {theirs} : prenez le modèle de la base, ou refaites "
                    "la base.",
                    name=self.name,
                    ours=self.dimensions,
                    model=self.meta["embedder"],
                    theirs=embedder.dimensions,
                )
            )

    def change(self, **facts: str) -> None:
        """Change what the base says of itself (schema.CHANGEABLE), all together.

        Raises:
            ValueError: a fact that is no such one, or whose value cannot be read.
            EdgeSlmError: the base cannot be written to now.
        """
        if unknown := facts.keys() - schema.CHANGEABLE:
            raise ValueError(", ".join(sorted(unknown)))
        decoded(facts.get("calibration", "{}"))
        rungs.decoded(facts.get("rungs", ""))
        with schema.transaction(self.connection) as db:
            for key, value in facts.items():
                db.table("meta").upsert({"key": key, "value": value}, pk="key")
        self.meta.update(facts)

    def remove(self, name: str) -> bool:
        """Remove a document; return whether it was there."""
        with schema.transaction(self.connection) as db:
            removed = rows.delete_document(db.conn, name)
            if removed:
                schema.next_generation(db.conn)
        return removed

    @schema.explained()
    def documents(self) -> list[StoredDocument]:
        """Return all documents, by name."""
        rows = self.connection.execute(
            """SELECT d.name, d.title, d.pages, count(p.id), d.date, d.licence, d.origin,
                      d.access, d.added
               FROM documents d LEFT JOIN passages p ON p.document = d.id
               GROUP BY d.id ORDER BY d.name"""
        )
        return [StoredDocument(*row) for row in rows]

    @schema.explained()
    def page(self, name: str, number: int) -> str | None:
        """Return the text of a page (from 1), or None where there is none."""
        row = self.connection.execute(
            """SELECT pages.text FROM pages JOIN documents d ON d.id = pages.document
               WHERE d.name = ? AND pages.number = ?""",
            (name, number),
        ).fetchone()
        return str(row[0]) if row else None

    @schema.explained()
    def passage_count(self) -> int:
        """Return the number of passages."""
        (count,) = self.connection.execute("SELECT count(*) FROM passages").fetchone()
        return int(count)

    @schema.explained()
    def matrix(self) -> tuple[vectors.Ids, vectors.Vectors]:
        """Return the ids of all passages, ascending, and their vectors, memory-mapped."""
        cached = paths.cache_dir() / "vectors" / f"{self.meta['uuid']}-{self.generation}.f32"
        return vectors.load_matrix(self.connection, self.dimensions, self.passage_count(), cached)

    def _embed(
        self,
        document: Document,
        passages: Sequence[Passage],
        embedder: Embedder,
        on_passages: Callable[[int], None],
    ) -> vectors.Vectors:
        batches = []
        for start in range(0, len(passages), 16):
            batch = passages[start : start + 16]
            batches.append(embedder.embed_passages([headed(document.title, p) for p in batch]))
            on_passages(len(batch))
        return np.concatenate(batches)


def base_path(name: str) -> Path:
    """Return the file of a base: a path as it is, a plain name in the user's folder of bases."""
    if name.endswith(".db") or "/" in name or "\\" in name:
        return Path(name)
    return paths.bases_dir() / f"{name}.db"


def list_bases() -> list[Path]:
    """Return the files of the user's bases, by name."""
    return sorted(paths.bases_dir().glob("*.db"))
