"""States of prompts' beginnings on the disk: what was read once is not read again.

One file a state, in a folder for each model and way of running it. A file names what it was made
from and carries its own checksum; one that is damaged or foreign is removed and made again. The
least recently used go first when all together pass the cap. Knows nothing of llama.cpp.

A state holds the text that it was made from, in another form: only the beginnings of prompts that
hold documents are kept here, never a person's own words, and only the owner may read the files.
"""

import hashlib
import os
import struct
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from edge_slm import paths
from edge_slm.engines.llama.state_codec import CodecError, compress, decompress
from edge_slm.files import replacing
from edge_slm.sizes import parse_size

MAGIC = b"EDGEKV1\n"
SHORTEST = 32  # tokens: reading fewer again costs less than a file
DEFAULT_CAP = 2_000_000_000
_LENGTH = struct.Struct("<I")


class Maker(msgspec.Struct, frozen=True):
    """What a state depends on besides its tokens; a state of another maker is foreign."""

    model: str
    template: str
    kv_type: str
    flash_attention: bool
    repack: bool
    engine: str

    @property
    def digest(self) -> str:
        """A short name for it."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:16]


class _Header(msgspec.Struct, frozen=True):
    maker: Maker
    tokens: str  # hash of the tokens
    count: int
    size: int  # of the state, before it is compressed
    sha256: str  # of what lies on the disk
    compressed: bool = False


class PrefixStore:
    """The stored states of one maker, under one cap with those of all others."""

    def __init__(self, maker: Maker, root: Path | None = None, cap: int | None = None) -> None:
        """Open the store; nothing is created before the first state is kept.

        Args:
            maker: what the states depend on.
            root: folder of all states; the user's cache by default.
            cap: bytes that all states may take together; EDGE_SLM_PREFIX_CACHE by default.

        EDGE_SLM_PREFIX_COMPRESS=1 has new states compressed; both kinds are read.
        """
        self.root = root or root_dir()
        self.cap = cap_bytes() if cap is None else cap
        self._compress = os.environ.get("EDGE_SLM_PREFIX_COMPRESS") == "1"
        self._maker = maker
        self._folder = self.root / maker.digest

    def load(self, tokens: Sequence[int]) -> bytes | None:
        """Return the state of exactly these tokens, or None; a bad file is removed."""
        path = self._path(tokens)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        state = self._checked(data, tokens)
        with suppress(OSError):  # a read-only disk, or another process removed the file
            if state is None:
                path.unlink()
            else:
                os.utime(path)  # the clock of the least recently used
        return state

    def holds(self, tokens: Sequence[int]) -> bool:
        """Return whether there is a file for these tokens; it is not read."""
        return self._path(tokens).is_file()

    def save(self, tokens: Sequence[int], state: bytes) -> bool:
        """Keep a state; False where it was not: too short, too large, or the disk refuses."""
        body = compress(state) if self._compress else state
        header = _Header(
            self._maker,
            _hash(tokens),
            len(tokens),
            len(state),
            hashlib.sha256(body).hexdigest(),
            self._compress,
        )
        head = msgspec.json.encode(header)
        size = len(MAGIC) + _LENGTH.size + len(head) + len(body)
        if len(tokens) < SHORTEST or size > self.cap:
            return False
        path = self._path(tokens)
        try:
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._folder.mkdir(exist_ok=True, mode=0o700)
            with replacing(path) as temporary, temporary.open("wb") as file:
                temporary.chmod(0o600)
                file.write(MAGIC + _LENGTH.pack(len(head)) + head)
                file.write(body)
            trim(self.root, self.cap, keep=path)
        except OSError:  # a full or read-only disk: the state is only worth time
            return False
        return True

    def _path(self, tokens: Sequence[int]) -> Path:
        return self._folder / f"{_hash(tokens)[:32]}.kv"

    def _checked(self, data: bytes, tokens: Sequence[int]) -> bytes | None:
        begin = len(MAGIC) + _LENGTH.size
        if len(data) < begin or not data.startswith(MAGIC):
            return None
        (length,) = _LENGTH.unpack(data[len(MAGIC) : begin])
        try:
            header = msgspec.json.decode(data[begin : begin + length], type=_Header)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return None
        body = data[begin + length :]
        wanted = (self._maker, _hash(tokens), len(tokens), hashlib.sha256(body).hexdigest())
        if (header.maker, header.tokens, header.count, header.sha256) != wanted:
            return None
        if not header.compressed:
            return body if len(body) == header.size else None
        try:
            return decompress(body, header.size)
        except CodecError:
            return None


def root_dir() -> Path:
    """Return the folder of all states: EDGE_SLM_PREFIX_DIR, or a part of the user's cache."""
    folder = os.environ.get("EDGE_SLM_PREFIX_DIR")
    return Path(folder) if folder else paths.cache_dir() / "prefixes"


def cap_bytes() -> int:
    """Return the bytes that all states may take: EDGE_SLM_PREFIX_CACHE, or 2 GB; 0 keeps none.

    Raises:
        UsageError: the variable is not a size.
    """
    value = os.environ.get("EDGE_SLM_PREFIX_CACHE")
    if not value:
        return DEFAULT_CAP
    return 0 if value.strip() == "0" else parse_size(value)


def usage(root: Path | None = None) -> tuple[int, int]:
    """Return how many states are kept, and their bytes."""
    sizes = [size for _, size, _ in _files(root or root_dir())]
    return len(sizes), sum(sizes)


def clear(root: Path | None = None) -> int:
    """Remove all states and return the bytes freed."""
    files = _files(root or root_dir())
    for _, _, path in files:
        path.unlink(missing_ok=True)
    return sum(size for _, size, _ in files)


def trim(root: Path, cap: int, keep: Path | None = None) -> None:
    """Remove the least recently used states until all together take `cap` bytes at most."""
    files = _files(root)
    total = sum(size for _, size, _ in files)
    for _, size, path in sorted(files):
        if total <= cap:
            return
        if path != keep:
            path.unlink(missing_ok=True)
            total -= size


def _files(root: Path) -> list[tuple[float, int, Path]]:
    found = []
    for path in root.glob("*/*.kv*"):  # with those that a process killed meanwhile left unfinished
        try:
            status = path.stat()
        except OSError:  # another process removed it
            continue
        found.append((status.st_mtime, status.st_size, path))
    return found


def _hash(tokens: Sequence[int]) -> str:
    return hashlib.sha256(struct.pack(f"<{len(tokens)}i", *tokens)).hexdigest()
