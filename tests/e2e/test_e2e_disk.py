"""A full disk, an interruption, a reader that leaves: what was there stays whole."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from .runner import CHAT, HANDBOOK, TWINS, Runner, sentence

pytestmark = [
    pytest.mark.model,
    pytest.mark.skipif(sys.platform != "linux", reason="limits and signals of Linux"),
]


def at_most(size: int) -> Callable[[], None]:
    """Return what bounds the files that a new process may write: a disk that is soon full."""

    def limit() -> None:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return limit


def whole(path: Path) -> None:
    """Check that a base is a sound database."""
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_a_full_disk_leaves_no_half_copy_of_a_base(
    run: Runner, sample: str, tmp_path: Path
) -> None:
    for name in ("copy.db", "copy.jsonl"):
        result = run("kb", "export", sample, tmp_path / name, before=at_most(50_000))
        sentence(result, 1)
        assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_no_half_translation(run: Runner, tmp_path: Path) -> None:
    out = tmp_path / "out.txt"
    out.write_text("what was there", encoding="utf-8")
    result = run(
        *("translate", "--model", CHAT, "Bonjour à tous.", "--to", "en", "-o", out),
        before=at_most(1),
    )
    assert "disk" in sentence(result, 1)
    assert out.read_text(encoding="utf-8") == "what was there"
    assert list(tmp_path.iterdir()) == [out]


def test_a_full_disk_leaves_the_base_as_it_was(run: Runner, base: str, tmp_path: Path) -> None:
    first = tmp_path / "first.md"
    first.write_text("# Badge\n\nLe badge est remplacé en 3 jours.\n", encoding="utf-8")
    assert run("kb", "add", base, first).returncode == 0
    path = run.home / "kb" / f"{base}.db"
    size = path.stat().st_size
    more = HANDBOOK / "conges-annuels.md"
    result = run("kb", "add", base, more, before=at_most(size + 4096))
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert "Internal error" not in result.stderr
    assert "disk" in result.stderr
    whole(path)
    assert run.documents(base) == ["first.md"]
    assert run("kb", "add", base, more).returncode == 0
    assert run.documents(base) == [more.name, "first.md"]


@pytest.mark.skipif(shutil.which("unshare") is None, reason="unshare is not installed")
def test_a_disk_that_is_really_full(run: Runner, sample: str, tmp_path: Path) -> None:
    probe = ["unshare", "-rm", "mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path)]
    if subprocess.run(probe, capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let us mount a small disk")
    script = 'mount -t tmpfs -o size=64k tmpfs "$1" && shift && "$@"; code=$?; ls -A . ; exit $code'
    result = run(
        *("kb", "export", sample, "copy.db"),
        prefix=(
            *("unshare", "-rm", "sh", "-c", script, "sh"),
            *(str(tmp_path), "env", "-C", str(tmp_path)),
        ),
    )
    sentence(result, 1)
    assert "copy" not in result.stdout


def test_nowhere_to_print(run: Runner, sample: str) -> None:
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(
            [run.executable, "kb", "list"],
            stdout=full,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            env=run.environment(),
            check=False,
        )
    assert "disk is full" in sentence(result, 1)


def test_an_interruption_keeps_what_was_read(run: Runner, base: str) -> None:
    process = subprocess.Popen(
        [run.executable, "kb", "add", base, HANDBOOK],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env=run.environment(),
        # A job in the background ignores the signal, and so would what it starts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    path = run.home / "kb" / f"{base}.db"
    while process.poll() is None and count(path) < 2:
        time.sleep(0.05)
    assert process.poll() is None, "it ended before it could be interrupted"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    assert process.returncode == 130
    assert errors.split("\n", 1)[1].strip() == "Interrupted."
    whole(path)
    kept = run.documents(base)
    assert 2 <= len(kept) < len(list(HANDBOOK.iterdir()))
    # What was read is not read again.
    first = HANDBOOK / kept[0]
    assert "0 added, 1 unchanged" in run("kb", "add", base, first).stderr


def count(path: Path) -> int:
    """Return the documents that a base holds by now."""
    connection = sqlite3.connect(path)
    try:
        return int(connection.execute("SELECT count(*) FROM documents").fetchone()[0])
    finally:
        connection.close()


@pytest.mark.parametrize(
    "arguments", [("kb", "show", "exemple-rh"), ("kb", "show", "exemple-rh", "--json"), ("ask",)]
)
def test_a_reader_that_leaves(run: Runner, sample: str, arguments: tuple[str, ...]) -> None:
    more = (TWINS, "--json") if arguments == ("ask",) else ()
    read, write = os.pipe()
    os.close(read)  # it has left before the first line
    try:
        result = subprocess.run(
            [run.executable, *arguments, *more],
            stdin=subprocess.DEVNULL,
            stdout=write,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            env=run.environment(),
            check=False,
        )
    finally:
        os.close(write)
    assert result.stderr == ""
    assert result.returncode == 0
