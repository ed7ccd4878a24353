"""Opens the model that a user names: of the store, a file, a folder, or a repository of the hub.

What it returns is checked: whole, of a known architecture, with a tokenizer, without pickles or
code, and every weight a number. Each format has a module of its own; this one only joins them.
"""

import re
import unicodedata
from collections.abc import Callable
from pathlib import Path

import msgspec

from edge_slm.cards import Card, get_card
from edge_slm.errors import MissingError, UsageError
from edge_slm.files import sha256_of
from edge_slm.i18n import t
from edge_slm.progress import progress
from edge_slm.store import Store
from edge_slm_quantize.hashing import joined
from edge_slm_quantize.records import Source
from edge_slm_quantize.sources import hub
from edge_slm_quantize.sources.checks import refuse_pickles
from edge_slm_quantize.sources.open_ct2 import is_ct2, open_ct2
from edge_slm_quantize.sources.open_gguf import open_gguf
from edge_slm_quantize.sources.open_safetensors import open_safetensors
from edge_slm_quantize.sources.open_seq2seq import is_seq2seq, open_seq2seq

_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
# What publishers put after a model's name to say how its weights are kept.
_SUFFIX = re.compile(
    r"[-_.](i?q[1-8]_[a-z0-9_]+|tq[12]_0|mxfp4|bf16|f16|f32|fp16|fp32|float16|float32|int8\w*)$",
    re.IGNORECASE,
)


def open_source(given: str) -> Source:
    """Open and check a model.

    Args:
        given: a store id, a GGUF file, a folder of safetensors or of CTranslate2, or the id of a
            repository, organisation/name[@revision], when no such folder exists.

    Raises:
        UsageError: it is no model, of an unknown architecture, a pickle, or needs code of its own.
        MissingError: it is absent, or a file of it.
        IntegrityError: a file is cut, damaged, or holds weights that are no numbers.
    """
    place = _existing(given)
    a_file = given.lower().endswith(".gguf")
    if _ID.fullmatch(given) and not a_file and (place is None or _has_card(given)):
        return _of_card(get_card(given))
    if place is not None:
        return _of_path(place, _plain(place.stem if place.is_file() else place.resolve().name))
    if hub.is_hub_id(given):
        name = given.partition("@")[0].rpartition("/")[2]
        return _of_path(hub.snapshot(given), _plain(name))
    raise MissingError(
        t(
            "{given} does not exist: give a model's id, a GGUF file, a folder, or organisation/"
            "name of a repository.",
            "{given} n'existe pas : donnez l'identifiant d'un modèle, un fichier GGUF, un dossier, "
            "ou organisation/nom d'un dépôt.",
            given=given[:200],
        )
    )


def _existing(given: str) -> Path | None:
    try:
        return Path(given) if given and Path(given).exists() else None
    except (OSError, ValueError):  # a name too long, or with a null in it
        return None


def _has_card(given: str) -> bool:
    try:
        get_card(given)
    except UsageError:
        return False
    return True


def _of_card(card: Card) -> Source:
    """Open a model of the store: its card says what its bytes do not."""
    place = Store().path(card.id)
    known = joined((file.name, file.sha256) for file in card.files)
    source = _of_path(place, _plain(card.id), card.files[0].sha256 if place.is_file() else known)
    return msgspec.structs.replace(
        source,
        task=card.task,
        context=card.context,
        languages=card.languages,
        licence=card.licence,
        licence_url=card.licence_url,
        embed=card.embed or source.embed,
        card=card.id,
    )


def _of_path(place: Path, name: str, sha256: str | None = None) -> Source:
    if place.is_file():
        refuse_pickles(place)
        files = [place]
        opened = open_gguf(place)
    elif is_ct2(place):
        files = sorted(file for file in place.iterdir() if file.is_file())
        opened = open_ct2(place)
    else:
        opened = open_seq2seq(place) if is_seq2seq(place) else open_safetensors(place)
        files = _files_of(place)
    total = sum(file.stat().st_size for file in files)
    label = t("Checking {name}", "Vérification de {name}", name=name)
    with progress(label, total if sha256 else 2 * total, "bytes") as advance:
        opened.check_weights(advance)
        found = sha256 or _hash(files, place, advance)
    return msgspec.structs.replace(opened.source, name=name, sha256=found)


def _files_of(folder: Path) -> list[Path]:
    """Return the files that decide what is made of a folder of safetensors."""
    kinds = ("*.safetensors", "*.json", "*.jinja", "*.spm", "*.model", "*/config.json")
    return sorted({file for kind in kinds for file in folder.glob(kind) if file.is_file()})


def _hash(files: list[Path], place: Path, advance: Callable[[int], None]) -> str:
    if place.is_file():
        return sha256_of(place, advance)
    return joined((str(file.relative_to(place)), sha256_of(file, advance)) for file in files)


def _plain(name: str) -> str:
    """Return a name as that of an id, without what says how the weights are kept."""
    letters = unicodedata.normalize("NFKD", _SUFFIX.sub("", name).lower())
    bare = "".join(one for one in letters if not unicodedata.combining(one))
    low = re.sub(r"[^a-z0-9._]+", "-", bare).strip("-._")
    return low[:80] or "model"
