"""Steps here and on a Dask cluster: the same answers, and a sentence for each way it goes wrong."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from edge_slm.errors import CrashError, EdgeSlmError, MissingError, UsageError
from edge_slm_quantize import apart
from edge_slm_quantize.search import cluster
from tests.quantize.orders import SOURCE, an_order
from tests.quantize.search.steps import die, name_of, refuse
from tests.quantize.tiny import tiny_gguf

ROOT = Path(__file__).parents[3]


@contextlib.contextmanager
def dask(folder: Path, *words: str) -> Iterator[Path]:
    """Run a scheduler or a worker in a group of processes of its own; yield its folder."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "quantize")])
    process = subprocess.Popen(
        [sys.executable, "-m", *words, "--host", "127.0.0.1", "--no-dashboard"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        stdin=subprocess.PIPE,
        stdout=(folder / "out").open("wb"),
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield folder
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    pytest.importorskip("distributed")
    with dask(
        tmp_path_factory.mktemp("scheduler"), "distributed.cli.dask_scheduler", "--port", "0"
    ) as folder:
        yield said(folder, "Scheduler at:").split()[-1]


@pytest.fixture(scope="module")
def address(scheduler: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a scheduler with one worker, which its nanny starts again."""
    words = ["distributed.cli.dask_worker", scheduler, "--nthreads", "1"]
    with dask(tmp_path_factory.mktemp("worker"), *words) as folder:
        said(folder, "Starting established connection")
        yield scheduler


def said(folder: Path, words: str) -> str:
    """Wait until a program has written some words, and return their line."""
    while True:
        for line in (folder / "out").read_text(errors="replace").splitlines():
            if words in line:
                return line
        time.sleep(0.05)


def test_without_an_address_steps_run_here_one_after_the_other(tmp_path: Path) -> None:
    with cluster.executor(None, tmp_path) as here:
        future = here.submit(name_of, an_order(tmp_path))
        assert future.done()
        assert cluster.outcome(future) == f"Q8_0 in {tmp_path.name}"


def test_the_error_of_a_step_here_waits_in_its_future(tmp_path: Path) -> None:
    with cluster.executor(None) as here:
        future = here.submit(refuse, an_order(tmp_path))
        with pytest.raises(UsageError, match="no Q8_0"):
            cluster.outcome(future)


def test_an_interrupt_of_a_step_here_is_not_kept_for_later() -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    with cluster.executor(None) as here, pytest.raises(KeyboardInterrupt):
        here.submit(interrupt)


def test_a_scheduler_without_workers_is_a_sentence(scheduler: str, tmp_path: Path) -> None:
    with pytest.raises(EdgeSlmError, match="has no worker"), cluster.executor(scheduler, tmp_path):
        pass


def test_a_step_on_a_worker_gives_what_it_gives_here(address: str, tmp_path: Path) -> None:
    with cluster.executor(address, tmp_path) as there, cluster.executor(None) as here:
        order = an_order(tmp_path)
        assert there.workers == 1
        assert cluster.outcome(there.submit(name_of, order)) == cluster.outcome(
            here.submit(name_of, order)
        )
        with pytest.raises(UsageError, match="no Q8_0"):
            cluster.outcome(there.submit(refuse, order))
    assert list(tmp_path.iterdir()) == []


def test_a_worker_makes_a_real_artefact_in_the_job_s_folder(address: str, tmp_path: Path) -> None:
    model = tiny_gguf(tmp_path / "tiny.gguf")
    source = msgspec.structs.replace(SOURCE, path=str(model), parameters=100_000)
    order = an_order(tmp_path, "Q8_0", source)
    (tmp_path / "shared").mkdir()
    (tmp_path / "made").mkdir()
    with cluster.executor(address, tmp_path) as there:
        made = cluster.outcome(there.submit(apart.make, order, tmp_path / "made"))
    path = tmp_path / "made" / made.artefact.path
    assert path.read_bytes().startswith(b"GGUF")
    assert path.stat().st_size == made.artefact.bytes


def test_a_folder_that_workers_do_not_see_is_refused(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Path.write_text

    def elsewhere(path: Path, text: str, encoding: str | None = None) -> int:
        return write(path, text[::-1], encoding)

    monkeypatch.setattr(Path, "write_text", elsewhere)
    with pytest.raises(UsageError, match="does not see"), cluster.executor(address, tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_worker_of_another_version_is_refused(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "__version__", "0.0.0")
    with (
        pytest.raises(UsageError, match=r"does not have Edge-SLM 0\.0\.0"),
        cluster.executor(address),
    ):
        pass


def test_a_worker_that_dies_with_every_try_is_a_sentence(address: str, tmp_path: Path) -> None:
    with (
        cluster.executor(address, tmp_path) as there,
        pytest.raises(CrashError, match="lost the step"),
    ):
        cluster.outcome(there.submit(die))


def test_nobody_at_the_address_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr(cluster, "TIMEOUT_S", 0.5)
    with (
        pytest.raises(EdgeSlmError, match="No Dask scheduler answers"),
        cluster.executor("tcp://127.0.0.1:1"),
    ):
        pass


@pytest.mark.parametrize("bad", ["", "ray://host:1", "tcp://host", "tcp://host:99999", "x" * 5000])
def test_what_is_no_address_is_refused(bad: str) -> None:
    with pytest.raises(UsageError, match="no address of a cluster"), cluster.executor(bad):
        pass


def test_an_address_of_the_internet_is_refused() -> None:
    pytest.importorskip("distributed")
    with (
        pytest.raises(UsageError, match="not on the local network"),
        cluster.executor("tcp://8.8.8.8:8786"),
    ):
        pass


def test_without_dask_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with (
        pytest.raises(MissingError, match=r"edge-slm\[cluster\]"),
        cluster.executor("tcp://127.0.0.1:8786"),
    ):
        pass
