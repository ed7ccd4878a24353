"""What a GGUF file says of itself, and whether it is whole. Loads no model."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edge_slm.errors import IntegrityError, UsageError
from edge_slm.i18n import t

if TYPE_CHECKING:
    from gguf import GGUFReader, ReaderField


@dataclass(frozen=True)
class Header:
    """The metadata that a card needs. `context` is in tokens, `embedding` in numbers a vector."""

    name: str
    architecture: str
    context: int
    embedding: int
    parameters: int
    quantisation: str
    licence: str
    licence_url: str
    languages: tuple[str, ...]


def read_header(path: Path) -> Header:
    """Read and check the header of a GGUF file.

    Raises:
        UsageError: when the file is not GGUF at all.
        IntegrityError: when it is cut or its header is damaged.
    """
    with path.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise UsageError(
                t(
                    "{path} is not a GGUF file, and no card names its hash.",
                    "{path} n'est pas un fichier GGUF, et aucune fiche ne nomme son empreinte.",
                    path=path,
                )
            )
    from gguf import GGUFReader

    # A damaged header can name any length or type; the reader meets them in as many ways.
    try:
        reader = GGUFReader(path)
        end = max((int(x.data_offset) + int(x.n_bytes) for x in reader.tensors), default=0)
        if not reader.tensors or end > path.stat().st_size:
            raise ValueError("tensors beyond the end of the file")
        fields = {name: field.contents() for name, field in _small(reader).items()}
        architecture = str(fields["general.architecture"])
        return Header(
            name=str(fields.get("general.name") or path.stem),
            architecture=architecture,
            context=max(1, int(fields.get(f"{architecture}.context_length") or 1)),
            embedding=max(1, int(fields.get(f"{architecture}.embedding_length") or 1)),
            parameters=max(1, sum(int(x.n_elements) for x in reader.tensors)),
            quantisation=_file_type(fields.get("general.file_type")),
            licence=str(fields.get("general.license") or "LicenseRef-unknown"),
            licence_url=str(fields.get("general.license.link") or ""),
            languages=tuple(str(x) for x in fields.get("general.languages") or ()),
        )
    except (
        ArithmeticError,
        AttributeError,
        LookupError,
        MemoryError,
        OSError,
        TypeError,
        ValueError,
    ) as error:
        raise IntegrityError(
            t(
                "{path} is cut or damaged: it is not a whole GGUF file; copy it again.",
                "{path} est coupé ou abîmé : ce n'est pas un fichier GGUF entier ; recopiez-le.",
                path=path,
            )
        ) from error


def _small(reader: "GGUFReader") -> "dict[str, ReaderField]":
    """Return the fields that are not the vocabulary: its lists are long to decode."""
    return {
        name: field for name, field in reader.fields.items() if not name.startswith("tokenizer.")
    }


def _file_type(number: object) -> str:
    from gguf import LlamaFileType

    if number is None:
        return "unknown"
    return str(LlamaFileType(number).name).removeprefix("MOSTLY_").removeprefix("ALL_")
