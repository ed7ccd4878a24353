"""Parts of the ZIP archives that DOCX and ODT files are, and their XML, against hostile files.

Each part is read up to a bound whatever its header declares, and a DOCTYPE, which is where
entity-expansion bombs live, is refused. Knows nothing of what the parts mean.
"""

import io
import struct
import xml.etree.ElementTree as ET
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path

from edge_slm.errors import UsageError
from edge_slm.i18n import size, t
from edge_slm.kb.readers.source import damaged, protected, read_bytes

MAX_PART_BYTES = 200 * 10**6
_CHUNK_BYTES = 1 << 20
_OLE_HEADER = b"\xd0\xcf\x11\xe0"  # encrypted DOCX and the old .doc
# What zipfile raises on broken archives; RuntimeError covers NotImplementedError too.
_ZIP_ERRORS = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError, ValueError,
    LookupError, OverflowError,
)  # fmt: skip


class Archive:
    """A DOCX or ODT file.

    Args:
        path: the file.
        kind: what an error calls its format: "DOCX" or "ODT".

    Raises:
        UsageError: it is not a ZIP archive, or a truncated one.
    """

    def __init__(self, path: Path, kind: str) -> None:
        self.path = path
        self.kind = kind
        data = read_bytes(path)
        if data.startswith(_OLE_HEADER):
            raise protected(path) if _is_encrypted_ole(data) else self.wrong_format()
        if not data.startswith(b"PK"):
            raise self.wrong_format()
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except _ZIP_ERRORS as error:
            raise damaged(path, kind) from error
        self._names = frozenset(self._zip.namelist())

    def __contains__(self, part: str) -> bool:
        return part in self._names

    def read(self, part: str) -> bytes:
        """Return the bytes of a part that is there.

        Raises:
            UsageError: it is broken, encrypted, or larger than 200 MB unpacked.
        """
        info = self._zip.getinfo(part)
        if info.flag_bits & 1:
            raise protected(self.path)
        # The other methods unpack without bound, and neither format allows them.
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise damaged(self.path, self.kind)
        if info.file_size > MAX_PART_BYTES:
            raise self._bomb()
        data = bytearray()
        try:
            with self._zip.open(info) as file:
                while chunk := file.read(_CHUNK_BYTES):
                    data += chunk
                    if len(data) > MAX_PART_BYTES:
                        raise self._bomb()
        except _ZIP_ERRORS as error:
            raise damaged(self.path, self.kind) from error
        return bytes(data)

    def xml(self, part: str) -> ET.Element | None:
        """Return the root element of a part, None when there is no such part.

        Raises:
            UsageError: like `read`, or it is not XML, or it holds a DOCTYPE.
        """
        if part not in self:
            return None
        parser = ET.XMLParser(target=_SafeBuilder())
        try:
            parser.feed(self.read(part))
            root = parser.close()
        except _DoctypeError as error:
            raise UsageError(
                t(
                    "“{name}” holds a document type declaration, which no {kind} file needs: "
                    "save it again with a word processor.",
                    "« {name} » contient une déclaration de type de document, inutile dans un "
                    "fichier {kind} : enregistrez-le à nouveau avec un traitement de texte.",
                    name=self.path.name,
                    kind=self.kind,
                )
            ) from error
        except (ET.ParseError, ValueError, LookupError) as error:
            raise damaged(self.path, self.kind) from error
        if not isinstance(root, ET.Element):
            raise damaged(self.path, self.kind)
        return root

    def wrong_format(self) -> UsageError:
        """Return the error for a file that is something else than its suffix says."""
        return UsageError(
            t(
                "“{name}” is not a {kind} file, in spite of its suffix: save it as {kind} with a "
                "word processor.",
                "« {name} » n'est pas un fichier {kind} malgré son extension : enregistrez-le en "
                "{kind} avec un traitement de texte.",
                name=self.path.name,
                kind=self.kind,
            )
        )

    def _bomb(self) -> UsageError:
        return UsageError(
            t(
                "“{name}” unpacks to more than {limit}: split it into smaller documents.",
                "« {name} » dépasse {limit} une fois décompressé : découpez-le en documents plus "
                "petits.",
                name=self.path.name,
                limit=size(MAX_PART_BYTES),
            )
        )


def local(element: ET.Element) -> str:
    """Return the name of an element without its namespace (strict and usual DOCX differ in it)."""
    return element.tag.rpartition("}")[2]


def attribute(element: ET.Element, name: str) -> str:
    """Return an attribute by its name without namespace, "" when it is absent."""
    for key, value in element.attrib.items():
        if key.rpartition("}")[2] == name:
            return value
    return ""


def children(element: ET.Element | None) -> Iterable[ET.Element]:
    """Return the children of an element that may be absent."""
    return () if element is None else element


class _DoctypeError(Exception):
    """A DOCTYPE was met; it is raised before any entity is declared."""


class _SafeBuilder(ET.TreeBuilder):
    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        raise _DoctypeError(name)


def _is_encrypted_ole(data: bytes) -> bool:
    return "EncryptedPackage".encode("utf-16-le") in data
