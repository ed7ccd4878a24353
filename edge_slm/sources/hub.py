"""The `hub` source: files of one commit, through huggingface_hub and its environment variables.

A partial file stays in the staging folder and the next run goes on from it. Knows nothing of
hashes beyond computing them: the card decides.
"""

import os
import sys
import urllib.error
import urllib.request
from pathlib import Path
from ssl import SSLError

from edge_slm.cards import CardFile, HubSource
from edge_slm.errors import MissingError
from edge_slm.files import sha256_of
from edge_slm.i18n import t
from edge_slm.progress import progress
from edge_slm.sources import Fetched, Unreachable, is_disk_full

PROBE_SECONDS = 5


def fetch(source: HubSource, wanted: list[CardFile], staging: Path) -> list[Fetched]:
    """Download the wanted files into `staging`.

    Raises:
        Unreachable: when no hub answers.
        MissingError: when the hub answers but does not give a file.
    """
    quiet_defaults()
    try:
        from huggingface_hub import constants
    except ImportError as error:
        raise MissingError(
            t(
                "huggingface-hub is not installed.",
                "huggingface-hub n'est pas installé.",
            )
        ) from error
    require_an_answer(constants.ENDPOINT, offline=constants.HF_HUB_OFFLINE)
    remote = {local: name for name, local in source.files.items()}
    return [_download(source, remote.get(file.name, file.name), file, staging) for file in wanted]


def quiet_defaults() -> None:
    """Set short waits and no telemetry, before huggingface_hub is imported and reads them once.

    What the user has set stays.
    """
    os.environ.setdefault("HF_HUB_ETAG_TIMEOUT", "5")
    os.environ.setdefault("HF_HUB_DOWNLOAD_TIMEOUT", "15")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    if not sys.stderr.isatty():
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")


def require_an_answer(endpoint: str, *, offline: bool) -> None:
    """Ask the hub for anything at all: the library itself retries for 23 s before it gives up.

    Raises:
        Unreachable: it is switched off, or does not answer.
    """
    if offline:
        raise Unreachable(
            t(
                "the hub is switched off by HF_HUB_OFFLINE",
                "le hub est coupé par HF_HUB_OFFLINE",
            )
        )
    try:
        request = urllib.request.Request(endpoint, method="HEAD")
        urllib.request.urlopen(request, timeout=PROBE_SECONDS).close()
    except urllib.error.HTTPError:
        return
    except (OSError, ValueError) as error:
        # A private certificate that only huggingface_hub was told of is an answer too.
        if isinstance(getattr(error, "reason", error), SSLError):
            return
        raise Unreachable(
            t(
                "the hub {endpoint} does not answer",
                "le hub {endpoint} ne répond pas",
                endpoint=endpoint,
            )
        ) from error


def _download(source: HubSource, remote: str, file: CardFile, staging: Path) -> Fetched:
    from huggingface_hub import hf_hub_url

    # HTTPError is that of requests, httpx or httpx2, by the version of the hub's library.
    from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]

    partial = staging / f"{file.name}.partial"
    try:
        url = hf_hub_url(source.repository, remote, revision=source.revision)
        _append(url, partial, file)
    except (OSError, ValueError, HTTPError) as error:
        if isinstance(error, OSError) and is_disk_full(error):
            raise
        raise MissingError(
            t(
                "the hub did not give {remote} of {repository}: {reason}",
                "le hub n'a pas donné {remote} de {repository} : {reason}",
                remote=remote,
                repository=source.repository,
                reason=_first_line(error),
            )
        ) from error
    path = partial.replace(staging / file.name)
    size = path.stat().st_size
    label = t("Checking {name}", "Vérification de {name}", name=file.name)
    with progress(label, size, "bytes") as advance:
        return Fetched(path, size, sha256_of(path, advance))


def _append(url: str, partial: Path, file: CardFile) -> None:
    """Fetch what the partial file lacks.

    `hf_hub_download` gives its partial file a new name at each run since version 1, so that only
    the layer below it can go on from one.
    """
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import logging
    from huggingface_hub.utils._headers import build_hf_headers

    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    with partial.open("ab") as out:
        have = out.tell()
        # As long as it should be: an earlier run was stopped before the hash, which will tell.
        if have < file.size:
            http_get(
                url,
                out,
                resume_size=have,
                headers=build_hf_headers(library_name="edge-slm"),
                displayed_filename=file.name,
            )


def _first_line(error: BaseException) -> str:
    """Return the first line of the error at the root: the outer ones say the same at length."""
    while error.__cause__ is not None:
        error = error.__cause__
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
