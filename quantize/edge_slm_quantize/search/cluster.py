"""Where the steps of a job run: here, one after the other, or on the machines of a Dask cluster.

    with executor(address, folder) as cluster:
        future = cluster.submit(step, order)
        made = outcome(future)

The same code either way. Workers must have Edge-SLM installed in the same version and see the job's
folder under the same path: both are checked before anything is sent. What is sent runs there with
the rights of the workers, and nothing is encrypted: a cluster is the user's own, on a network of
the user's own; the offline guard lets through the one address that was named.
"""

import contextlib
import logging
import re
import secrets
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from pathlib import Path
from typing import Any, Protocol, TypeVar

from edge_slm import __version__
from edge_slm.errors import CrashError, EdgeSlmError, MissingError, UsageError
from edge_slm.i18n import t
from edge_slm.offline import allow_host, is_loopback

Answer = TypeVar("Answer")
TIMEOUT_S = 15.0  # to reach the scheduler, and for all workers to answer
_ADDRESS = re.compile(r"(?:tcp|dask)://(\[[0-9a-fA-F:.%\w]+\]|[\w.-]{1,253}):(\d{1,5})")


class Cluster(Protocol):
    """What runs steps. `workers`: how many run at once."""

    workers: int

    def submit(self, step: Callable[..., Answer], *arguments: Any) -> "Future[Answer]":
        """Run a step, now or later."""
        ...


class Here:
    """This process: a step has run when `submit` returns."""

    workers = 1

    def submit(self, step: Callable[..., Answer], *arguments: Any) -> "Future[Answer]":
        """Run a step; its error waits in the future, an interrupt does not."""
        future: Future[Answer] = Future()
        future.set_running_or_notify_cancel()
        try:
            future.set_result(step(*arguments))
        except (EdgeSlmError, OSError, MemoryError, ValueError) as error:
            future.set_exception(error)
        return future


class _Dask:
    def __init__(self, executor: Any, workers: int) -> None:
        self._executor = executor
        self.workers = workers

    def submit(self, step: Callable[..., Answer], *arguments: Any) -> "Future[Answer]":
        future: Future[Answer] = self._executor.submit(step, *arguments)
        return future


@contextlib.contextmanager
def executor(address: str | None, folder: Path | None = None) -> Iterator[Cluster]:
    """Yield what runs steps.

    Args:
        address: “tcp://host:8786” or “dask://host:8786” of a Dask scheduler; None for here.
        folder: the job's, which all workers must see; None when steps need none.
    Raises:
        UsageError: no address, not on the local network, or the workers are not fit.
        MissingError: `distributed` is not installed.
        EdgeSlmError: nobody answers there.
    """
    if address is None:
        yield Here()
        return
    host, port = _parsed(address)
    distributed = _distributed()
    if not is_loopback(host):
        host = allow_host(host, port)
    with _quiet(), contextlib.ExitStack() as stack:
        client = _connected(distributed, f"tcp://{_bracketed(host)}:{port}", address)
        stack.callback(client.close, timeout=TIMEOUT_S)
        workers = _checked(client, address, folder)
        pool = client.get_executor(pure=False)
        stack.callback(pool.shutdown, wait=False)  # an interrupt must not wait for the steps
        yield _Dask(pool, workers)


def outcome(future: "Future[Answer]") -> Answer:
    """Return what a step gave, once it is there.

    Raises:
        EdgeSlmError: as the step raised it; CrashError where its worker was lost.
    """
    try:
        error = future.exception()
    except CancelledError as cancelled:
        raise CrashError(_lost()) from cancelled
    if error is not None and type(error).__module__.startswith("distributed"):
        raise CrashError(_lost()) from error
    return future.result()


def _parsed(address: str) -> tuple[str, int]:
    found = _ADDRESS.fullmatch(address)
    if found is None or not 0 < int(found[2]) < 65536:
        raise UsageError(
            t(
                "{address} is no address of a cluster: write tcp://HOST:8786, as dask scheduler "
                "shows it.",
                "{address} n'est pas l'adresse d'une grappe : écrivez tcp://HÔTE:8786, comme "
                "l'affiche dask scheduler.",
                address=repr(address[:80]),
            )
        )
    return found[1].strip("[]"), int(found[2])


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _distributed() -> Any:
    try:
        import distributed
    except ModuleNotFoundError as error:
        raise MissingError(
            t(
                "Working on several machines needs Dask: install edge-slm[cluster].",
                "Travailler sur plusieurs machines demande Dask : installez edge-slm[cluster].",
            )
        ) from error
    return distributed


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep what Dask says of lost connections and versions off standard error: sentences do."""
    logger = logging.getLogger("distributed")
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)


def _connected(distributed: Any, numeric: str, address: str) -> Any:
    try:
        return distributed.Client(numeric, timeout=TIMEOUT_S, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise EdgeSlmError(
            t(
                "No Dask scheduler answers at {address}: start one with dask scheduler, or leave "
                "--engine out to work on this machine.",
                "Aucun ordonnanceur Dask ne répond à {address} : lancez-en un avec dask scheduler, "
                "ou retirez --engine pour travailler sur cette machine.",
                address=address,
            )
        ) from error


def _checked(client: Any, address: str, folder: Path | None) -> int:
    """Return the number of workers; all of them have this program and see the folder."""
    token = secrets.token_hex(16)
    path = folder / f".seen-{token}" if folder else None
    try:
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(token, encoding="ascii")
        # The scheduler reads the steps on their way, and so must know them too.
        chief = _of_scheduler(client)
        seen = client.run(look, str(path) if path else "", on_error="return")
    except (OSError, TimeoutError) as error:
        raise EdgeSlmError(_lost()) from error
    finally:
        if path:
            path.unlink(missing_ok=True)
    if not seen:
        raise EdgeSlmError(
            t(
                "The cluster at {address} has no worker: start some with dask worker {address}.",
                "La grappe à {address} n'a aucun ouvrier : lancez-en avec dask worker {address}.",
                address=address,
            )
        )
    wanted = (__version__, token if path else "")
    if chief != __version__:
        raise UsageError(_unfit(address, chief, folder))
    for worker, found in sorted(seen.items()):
        if found != wanted:
            raise UsageError(_unfit(str(worker), found, folder))
    return len(seen)


def _of_scheduler(client: Any) -> object:
    try:
        return client.run_on_scheduler(look, "")[0]
    except (ImportError, AttributeError, RuntimeError) as error:
        return error


def look(path: str) -> tuple[str, str]:
    """Return this program's version and what a file holds; runs on a worker."""
    try:
        return __version__, Path(path).read_text(encoding="ascii") if path else ""
    except (OSError, ValueError):
        return __version__, "-"


def _unfit(worker: str, found: object, folder: Path | None) -> str:
    if isinstance(found, tuple) and found[0] == __version__:
        return t(
            "The worker {worker} does not see {folder}: put the job's folder (-o) on a disk that "
            "all machines mount under the same path.",
            "L'ouvrier {worker} ne voit pas {folder} : mettez le dossier du travail (-o) sur un "
            "disque que toutes les machines montent sous le même chemin.",
            worker=worker,
            folder=folder,
        )
    return t(
        "{worker} of the cluster does not have Edge-SLM {version}: install edge-slm[quantize] and "
        "edge-slm[cluster] of this version there.",
        "{worker} de la grappe n'a pas Edge-SLM {version} : installez-y edge-slm[quantize] et "
        "edge-slm[cluster] dans cette version.",
        worker=worker,
        version=__version__,
    )


def _lost() -> str:
    return t(
        "The cluster lost the step: a worker stopped or was ended for want of memory; run the "
        "command again, what is done stays done.",
        "La grappe a perdu l'étape : un ouvrier s'est arrêté, ou a été arrêté faute de mémoire ; "
        "relancez la commande, ce qui est fait reste fait.",
    )
