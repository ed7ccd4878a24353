"""A snapshot of a hub's repository: safetensors, configuration and tokenizer, nothing else.

A branch is resolved to a commit, and the folder that is returned is that commit's: its name is the
commit. Goes through huggingface_hub, its cache and its environment variables.
"""

import re
from pathlib import Path

from edge_slm.errors import MissingError
from edge_slm.i18n import t
from edge_slm.offline import network_allowed
from edge_slm.sources import Unreachable, disk_full_is_a_sentence, is_disk_full
from edge_slm.sources.hub import quiet_defaults, require_an_answer

_ID = re.compile(r"(?P<repository>[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)(@(?P<revision>[\w./-]+))?")
# Pickles and code are never fetched.
_UNWANTED = ("*/*.safetensors", "consolidated*")  # the same weights once more
_WANTED = ("*.safetensors", "*.json", "*.jinja", "README.md", "tokenizer.model", "vocab.txt")


def is_hub_id(given: str) -> bool:
    """Tell whether a text looks like organisation/name or organisation/name@revision."""
    return _ID.fullmatch(given) is not None


def snapshot(given: str) -> Path:
    """Fetch a repository, or what its snapshot here lacks, and return its folder.

    Args:
        given: organisation/name, with @ and a branch, tag or commit after it or not.

    Raises:
        MissingError: the hub is switched off, does not answer, or has no such repository.
        EdgeSlmError: the disk is full.
    """
    match = _ID.fullmatch(given)
    assert match is not None, given
    with network_allowed():
        quiet_defaults()
        from huggingface_hub import constants, snapshot_download
        from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]

        try:
            require_an_answer(constants.ENDPOINT, offline=constants.HF_HUB_OFFLINE)
        except Unreachable as error:
            raise _not_given(given, str(error)) from error
        with disk_full_is_a_sentence(Path(constants.HF_HUB_CACHE)):
            try:
                return Path(
                    snapshot_download(
                        match["repository"],
                        revision=match["revision"],
                        allow_patterns=list(_WANTED),
                        ignore_patterns=list(_UNWANTED),
                    )
                )
            except (OSError, ValueError, HTTPError) as error:
                if isinstance(error, OSError) and is_disk_full(error):
                    raise
                reason = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
                raise _not_given(given, reason) from error


def _not_given(given: str, reason: str) -> MissingError:
    return MissingError(
        t(
            "{given} is no file or folder here, and could not be fetched as a repository of the "
            "hub ({reason}): bring its folder, and give the path.",
            "{given} n'est ni un fichier ni un dossier ici, et n'a pas pu être récupéré comme "
            "dépôt du hub ({reason}) : apportez son dossier, et donnez le chemin.",
            given=given,
            reason=reason,
        )
    )
