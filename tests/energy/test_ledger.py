"""The ledger: sums that stay apart, several writers, kills, files that are not what they seem."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_slm import paths
from edge_slm.answer import Answer, Energy, ModelUsed, Route, Usage
from edge_slm.energy.ledger import SWITCH, VERSION, Entry, Ledger, entry_of, keep_nothing, now
from edge_slm.errors import EdgeSlmError, IntegrityError, UsageError

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def switched_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep entries."""
    monkeypatch.setenv(SWITCH, "on")


@pytest.fixture
def paris(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Count days in one place on Earth."""
    with monkeypatch.context() as within:
        within.setenv("TZ", "Europe/Paris")
        time.tzset()
        yield
    time.tzset()


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """A ledger that is not there yet."""
    return Ledger(tmp_path / "sub" / "energy.db")


def entry(**changes: object) -> Entry:
    base = Entry(task="hr_faq", kind="quote", seconds=1.5, time="2026-03-10T12:00:00+00:00")
    return msgspec.structs.replace(base, **changes)


def fails(ledger: Ledger, kind: type[EdgeSlmError] = EdgeSlmError) -> str:
    """Return the sentence of an entry that cannot be written."""
    with pytest.raises(EdgeSlmError) as caught:
        ledger.add(entry())
    assert isinstance(caught.value, kind)
    assert "\n" not in str(caught.value)
    assert str(ledger.path) in str(caught.value)
    return str(caught.value)


def test_an_absent_ledger_is_empty_and_stays_absent(ledger: Ledger) -> None:
    for read in (ledger.days, ledger.by_rung, ledger.by_model, ledger.entries):
        assert list(read()) == []
    assert ledger.clear() == 0
    assert not ledger.path.parent.exists()


def test_it_lies_with_the_users_data() -> None:
    assert Ledger().path == paths.data_dir() / "energy.db"


def test_what_is_written_is_read_again(ledger: Ledger) -> None:
    whole = entry(
        model="m",
        model_sha256="ab",
        prompt_tokens=3,
        cached_tokens=2,
        completion_tokens=1,
        cpu_seconds=2.5,
        joules=10.0,
        low=4.0,
        high=40.0,
        method="estimate",
        scope="cpu",
    )
    ledger.add(whole)
    ledger.add(entry(kind="failed"))
    assert ledger.entries() == [whole, entry(kind="failed")]


def test_an_answer_becomes_an_entry_without_a_word_of_it(ledger: Ledger) -> None:
    answer = Answer(
        text="secret words",
        kind="written",
        task="hr_faq",
        language="fr",
        ai_generated=True,
        route=Route("hr_faq", 0.9, "secret reason"),
        model=ModelUsed("m", "ab", "Q4"),
        usage=Usage(9, 5, 4),
        energy=Energy(10.0, 5.0, 20.0, "rapl", 0.1, "package", 3.0),
        understood="secret question",
    )
    made = entry_of(answer, 2.0)
    assert (made.kind, made.task, made.model, made.model_sha256) == ("written", "hr_faq", "m", "ab")
    assert (made.prompt_tokens, made.cached_tokens, made.completion_tokens) == (9, 5, 4)
    assert (made.joules, made.low, made.high, made.cpu_seconds) == (10.0, 5.0, 20.0, 3.0)
    assert (made.method, made.scope, made.seconds) == ("rapl", "package", 2.0)
    assert abs(datetime.fromisoformat(made.time) - datetime.now(UTC)) < timedelta(days=1)
    ledger.add(made)
    written = b"".join(file.read_bytes() for file in ledger.path.parent.iterdir())
    assert b"secret" not in written
    quoted = entry_of(msgspec.structs.replace(answer, model=None, energy=Energy()), 1.0)
    assert quoted.model is None
    assert quoted.joules is None


def test_estimates_and_measurements_are_never_added(ledger: Ledger) -> None:
    for method, scope, joules in (
        ("estimate", "cpu", 1.0),
        ("rapl", "package", 10.0),
        ("rapl", "package+dram", 100.0),
        (None, None, None),
        ("rapl", "package", 1000.0),
    ):
        ledger.add(entry(method=method, scope=scope, joules=joules))
    sums = {(day.method, day.scope): day.joules for day in ledger.days()}
    assert sums == {
        ("estimate", "cpu"): 1.0,
        ("rapl", "package"): 1010.0,
        ("rapl", "package+dram"): 100.0,
        (None, None): None,
    }
    assert {(part.method, part.scope): part.joules for part in ledger.by_rung()} == sums
    assert {(part.method, part.scope): part.joules for part in ledger.by_model()} == sums


def test_what_is_unknown_is_counted_and_not_taken_for_zero(ledger: Ledger) -> None:
    ledger.add(entry(method="rapl", scope="package", joules=6.0, low=5.0, high=9.0))
    ledger.add(entry(method="rapl", scope="package", joules=None))
    ledger.add(entry(method="rapl", scope="package", joules=2.0, cpu_seconds=1.0))
    (day,) = ledger.days()
    assert (day.answers, day.without_joules) == (3, 1)
    assert (day.joules, day.low, day.high, day.cpu_seconds) == (8.0, 7.0, 11.0, 1.0)
    assert day.joules_per_answer == 4.0
    ledger.clear()
    ledger.add(entry())
    (day,) = ledger.days()
    assert (day.joules, day.low, day.high, day.cpu_seconds) == (None, None, None, None)
    assert day.joules_per_answer is None


def test_answers_without_a_token_are_those_that_no_model_wrote(ledger: Ledger) -> None:
    for one in (
        entry(),
        entry(kind="approved"),
        entry(kind="stopped"),
        entry(kind="failed"),
        entry(kind="transcript", model="whisper"),
        entry(kind="written", model="m", completion_tokens=4),
    ):
        ledger.add(one)
    (day,) = ledger.days()
    assert (day.answers, day.without_tokens) == (6, 2)
    assert day.kinds == dict.fromkeys(
        ("quote", "approved", "stopped", "failed", "transcript", "written"), 1
    )


@pytest.mark.usefixtures("paris")
def test_a_day_is_one_of_this_place(ledger: Ledger) -> None:
    ledger.add(entry(time="2026-03-10T22:59:59+00:00"))  # Paris is an hour ahead in winter
    ledger.add(entry(time="2026-03-10T23:00:00+00:00"))
    ledger.add(entry(time="2026-07-10T21:59:59+00:00"))  # and two in summer
    ledger.add(entry(time="2026-07-10T22:00:00+00:00"))
    assert [day.day for day in ledger.days()] == [
        "2026-03-10",
        "2026-03-11",
        "2026-07-10",
        "2026-07-11",
    ]
    some = ledger.days(date(2026, 3, 11), date(2026, 7, 10))
    assert [day.day for day in some] == ["2026-03-11", "2026-07-10"]
    assert len(ledger.entries(date(2026, 7, 11))) == 1
    assert sum(part.answers for part in ledger.by_rung(until=date(2026, 3, 10))) == 1


def test_parts_come_with_most_answers_first(ledger: Ledger) -> None:
    for kind, model in (("quote", None), ("written", "b"), ("quote", None), ("declined", None)):
        ledger.add(entry(kind=kind, model=model))
    assert [(part.name, part.answers) for part in ledger.by_rung()] == [
        ("quote", 2),
        ("declined", 1),
        ("written", 1),
    ]
    assert [(part.name, part.answers) for part in ledger.by_model()] == [(None, 3), ("b", 1)]


def test_clearing_leaves_an_empty_ledger_and_nothing_behind(ledger: Ledger) -> None:
    for number in range(50):
        ledger.add(entry(model=f"some-model-{number}"))
    assert ledger.clear() == 50
    assert ledger.entries() == []
    assert b"some-model" not in b"".join(p.read_bytes() for p in ledger.path.parent.iterdir())
    ledger.add(entry())
    assert len(ledger.entries()) == 1


def test_only_its_owner_may_read_it(ledger: Ledger) -> None:
    ledger.add(entry())
    assert ledger.path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("value", ["off", "OFF", " off "])
def test_switched_off_it_writes_nothing(
    value: str, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SWITCH, value)
    ledger.add(entry())
    assert not ledger.path.exists()


def test_a_program_may_keep_nothing(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SWITCH, "on")
    keep_nothing()
    ledger.add(entry())
    assert not ledger.path.exists()


def test_the_ledger_of_another_account_is_left_alone_without_a_word(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.add(entry())
    owner = ledger.path.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    assert ledger.belongs_to_another
    ledger.add(entry())
    monkeypatch.undo()
    monkeypatch.setenv(SWITCH, "on")
    assert len(ledger.entries()) == 1
    assert not Ledger(ledger.path.with_name("absent.db")).belongs_to_another


def test_a_switch_that_is_neither_writes_nothing_and_says_so(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SWITCH, "of")
    with pytest.raises(UsageError, match="on or off"):
        ledger.add(entry())
    assert not ledger.path.exists()


FOREIGN = {
    "text": b"not a ledger",
    "long text": b"not a ledger\n" * 500,
    "zeros": bytes(5000),
    "an image": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20,
}


@pytest.mark.parametrize("data", FOREIGN.values(), ids=FOREIGN)
def test_a_foreign_file_is_left_as_it_is(data: bytes, ledger: Ledger) -> None:
    ledger.path.parent.mkdir()
    ledger.path.write_bytes(data)
    fails(ledger, IntegrityError)
    for read in (ledger.days, ledger.by_rung, ledger.entries, ledger.clear):
        with pytest.raises(EdgeSlmError):
            read()
    assert ledger.path.read_bytes() == data
    assert list(ledger.path.parent.iterdir()) == [ledger.path]


@pytest.mark.parametrize(
    "script",
    [
        "CREATE TABLE notes (text)",
        "CREATE TABLE entries (id)",
        "CREATE TABLE entries (id); PRAGMA user_version = 1",
        "PRAGMA application_id = 12345",
    ],
)
def test_another_programs_database_is_left_as_it_is(script: str, ledger: Ledger) -> None:
    ledger.path.parent.mkdir()
    connection = sqlite3.connect(ledger.path)
    connection.executescript(script)
    connection.close()
    before = ledger.path.read_bytes()
    assert "no energy ledger" in fails(ledger, IntegrityError)
    with pytest.raises(IntegrityError):
        ledger.days()
    assert ledger.path.read_bytes() == before


def test_a_ledger_of_a_newer_version_is_left_as_it_is(ledger: Ledger) -> None:
    ledger.add(entry())
    ledger.close()
    _run(ledger.path, f"PRAGMA user_version = {VERSION + 1}")
    before = ledger.path.read_bytes()
    assert "newer version" in fails(ledger)
    with pytest.raises(EdgeSlmError, match="newer version"):
        ledger.clear()
    assert ledger.path.read_bytes() == before


def test_an_empty_file_becomes_a_ledger(ledger: Ledger) -> None:
    ledger.path.parent.mkdir()
    ledger.path.touch()
    assert ledger.days() == []
    ledger.add(entry())
    assert len(ledger.entries()) == 1


@pytest.mark.parametrize("where", [200, 4096, 5000, 8192])
def test_a_damaged_ledger_is_a_sentence(where: int, ledger: Ledger) -> None:
    _fill(ledger)
    ledger.close()
    data = bytearray(ledger.path.read_bytes())
    data[where:] = os.urandom(len(data) - where)
    ledger.path.write_bytes(data)
    with pytest.raises(EdgeSlmError) as caught:
        ledger.entries()
    assert "\n" not in str(caught.value)
    assert "damaged" in str(caught.value) or "no energy ledger" in str(caught.value)


@pytest.mark.parametrize("size", [1, 50, 100, 1000, 4096])
def test_a_ledger_that_is_cut_is_a_sentence(size: int, ledger: Ledger) -> None:
    _fill(ledger)
    ledger.close()
    with ledger.path.open("r+b") as file:
        file.truncate(size)
    fails(ledger)


def test_rows_that_someone_edited_are_a_sentence(ledger: Ledger) -> None:
    ledger.add(entry())
    _run(ledger.path, "UPDATE entries SET seconds = 'soon'")
    with pytest.raises(IntegrityError, match="damaged"):
        ledger.entries()
    _run(ledger.path, "DROP TABLE entries")
    assert "damaged" in fails(ledger)


def test_a_ledger_that_was_removed_or_replaced_meanwhile_is_made_anew(ledger: Ledger) -> None:
    ledger.add(entry(task="gone"))
    for name in ("", "-wal", "-shm"):
        ledger.path.with_name(f"{ledger.path.name}{name}").unlink(missing_ok=True)
    ledger.add(entry(task="new"))
    assert [found.task for found in Ledger(ledger.path).entries()] == ["new"]


def test_an_entry_that_failed_does_not_hinder_the_next(ledger: Ledger) -> None:
    ledger.add(entry(task="first"))
    with pytest.raises(EdgeSlmError):
        ledger.add(entry(prompt_tokens=1 << 70))
    ledger.add(entry(task="second"))
    assert len(ledger.entries()) == 2


def test_a_folder_in_its_place_is_a_sentence(ledger: Ledger) -> None:
    ledger.path.mkdir(parents=True)
    assert "EDGE_SLM_LEDGER=off" in fails(ledger)


def test_a_file_in_place_of_its_folder_is_a_sentence(ledger: Ledger) -> None:
    ledger.path.parent.write_text("a file")
    assert "EDGE_SLM_LEDGER=off" in fails(ledger)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_a_sentence(ledger: Ledger) -> None:
    ledger.path.parent.mkdir(mode=0o500)
    fails(ledger)
    assert list(ledger.path.parent.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device here")
def test_a_full_disk_leaves_the_ledger_as_it_was(ledger: Ledger) -> None:
    ledger.add(entry())
    code = f"""
import resource
from pathlib import Path
from edge_slm.energy.ledger import Entry, Ledger
from edge_slm.errors import EdgeSlmError
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    for number in range(1000):
        Ledger(Path({str(ledger.path)!r})).add(Entry(task="t", kind="quote", seconds=1.0))
except EdgeSlmError as error:
    print(error)
"""
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert str(ledger.path) in told
    kept = ledger.entries()
    assert kept[0].kind == "quote"
    assert _run(ledger.path, "PRAGMA integrity_check") == [("ok",)]
    ledger.add(entry())
    assert len(ledger.entries()) == len(kept) + 1


def test_a_locked_ledger_is_a_sentence(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_slm.energy.ledger.BUSY_S", 0.05)
    ledger.add(entry())
    other = sqlite3.connect(ledger.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert "another program" in fails(ledger)
    assert len(ledger.entries()) == 1  # who reads does not wait for who writes
    other.rollback()
    other.close()
    ledger.add(entry())
    assert len(ledger.entries()) == 2


_WRITING = """
import sys
from pathlib import Path
from edge_slm.energy.ledger import Entry, Ledger

ledger = Ledger(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(sys.argv[3])):
    ledger.add(Entry(task=sys.argv[2], kind="quote", seconds=1.0, prompt_tokens=number))
    print(number, flush=True)
"""


def _writer(path: Path, task: str, count: int) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", _WRITING, str(path), task, str(count)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    return process


def _begin(process: "subprocess.Popen[str]") -> None:
    assert process.stdin
    process.stdin.write("\n")
    process.stdin.flush()


def test_programs_that_write_at_once_lose_nothing(ledger: Ledger) -> None:
    writers = [_writer(ledger.path, task, 60) for task in ("a", "b", "c")]
    for writer in writers:
        _begin(writer)  # none has made the file yet: they race for that, too
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    for writer in writers:
        writer.communicate()
    found = ledger.entries()
    for task in ("a", "b", "c"):
        assert sorted(e.prompt_tokens for e in found if e.task == task) == list(range(60))


@pytest.mark.parametrize("after", [0, 1, 7, 25])
def test_a_kill_loses_no_entry_that_was_written(after: int, ledger: Ledger) -> None:
    ledger.add(entry(task="before"))
    writer = _writer(ledger.path, "killed", 100_000)
    _begin(writer)
    assert writer.stdout
    for _ in range(after):
        writer.stdout.readline()
    writer.send_signal(signal.SIGKILL)
    told, _ = writer.communicate()
    count = after + len(told.splitlines())
    kept = ledger.entries()
    numbers = sorted(e.prompt_tokens for e in kept if e.task == "killed")
    # Those after the last one that was read of may be there or not; none is missing between.
    assert numbers == list(range(len(numbers)))
    assert len(numbers) >= count
    assert sum(e.task == "before" for e in kept) == 1
    assert _run(ledger.path, "PRAGMA integrity_check") == [("ok",)]
    ledger.add(entry(task="after"))
    assert len(ledger.entries()) == len(kept) + 1


def test_a_failure_within_a_transaction_leaves_nothing(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = "INSERT INTO nowhere VALUES (" + ", ".join("?" * 15) + ")"
    monkeypatch.setattr("edge_slm.energy.ledger._PUT", broken)
    fails(ledger)
    monkeypatch.undo()
    assert _run(ledger.path, "SELECT count(*) FROM sqlite_master") == [(0,)]
    monkeypatch.setenv(SWITCH, "on")
    ledger.add(entry())
    assert len(ledger.entries()) == 1


@pytest.mark.parametrize(
    "hostile",
    [
        {"model": "'; DROP TABLE entries; --"},
        {"model": "\x00\x1b[31m", "task": "é" * 10_000},
        {"joules": float("inf"), "method": "rapl"},
    ],
)
def test_hostile_values_are_only_values(hostile: dict[str, object], ledger: Ledger) -> None:
    ledger.add(entry(**hostile))
    assert ledger.entries() == [entry(**hostile)]
    assert len(ledger.by_model()) == 1


@pytest.mark.parametrize("hostile", [{"model": "\ud800"}, {"prompt_tokens": 2**70}])
def test_values_that_no_database_holds_are_a_sentence(
    hostile: dict[str, object], ledger: Ledger
) -> None:
    with pytest.raises(EdgeSlmError):
        ledger.add(entry(**hostile))
    assert ledger.entries() == []


def test_the_time_is_utc_to_the_second() -> None:
    made = datetime.fromisoformat(now())
    assert made.utcoffset() == timedelta(0)
    assert made.microsecond == 0


_joules = st.none() | st.floats(0, 1e9)
_entries = st.lists(
    st.builds(
        Entry,
        time=st.datetimes(datetime(2000, 1, 2), datetime(2099, 1, 1)).map(
            lambda at: at.replace(tzinfo=UTC).isoformat(timespec="seconds")
        ),
        task=st.sampled_from(["hr_faq", "translation"]),
        kind=st.sampled_from(["quote", "written", "stopped"]),
        model=st.sampled_from([None, "a", "b"]),
        prompt_tokens=st.integers(0, 10**6),
        completion_tokens=st.integers(0, 10**6),
        seconds=st.floats(0, 1e6),
        cpu_seconds=_joules,
        joules=_joules,
        method=st.sampled_from([None, "estimate", "rapl"]),
        scope=st.sampled_from([None, "cpu", "package"]),
    ),
    max_size=25,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
@given(_entries)
def test_every_way_of_adding_up_gives_the_same(tmp_path: Path, entries: list[Entry]) -> None:
    ledger = Ledger(tmp_path / "energy.db")
    ledger.clear()
    for one in entries:
        ledger.add(one)
    assert sorted(map(repr, ledger.entries())) == sorted(map(repr, entries))
    for sums in (ledger.days(), ledger.by_rung(), ledger.by_model()):
        assert sum(part.answers for part in sums) == len(entries)
        assert sum(part.prompt_tokens for part in sums) == sum(e.prompt_tokens for e in entries)
        for way in {(e.method, e.scope) for e in entries}:
            known = [
                e.joules for e in entries if (e.method, e.scope) == way and e.joules is not None
            ]
            found = [p.joules for p in sums if (p.method, p.scope) == way and p.joules is not None]
            assert sum(found) == pytest.approx(sum(known))
    for day in ledger.days():
        assert sum(day.kinds.values()) == day.answers


def test_an_entry_is_plain_json_too() -> None:
    assert json.loads(msgspec.json.encode(entry()))["joules"] is None


def _fill(ledger: Ledger) -> None:
    """Write 512 entries, some thirty pages of the file."""
    ledger.add(entry(model="m" * 50))
    columns = ", ".join(Entry.__struct_fields__)
    for _ in range(9):
        _run(ledger.path, f"INSERT INTO entries ({columns}) SELECT {columns} FROM entries")


def _run(path: Path, statement: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path, isolation_level=None)
    rows = connection.execute(statement).fetchall()
    connection.close()
    return rows
