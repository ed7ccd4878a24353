"""Prompt lookup: drafts, their length, and the proofs that they may be trusted."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_slm.engines.llama.lookup import LONGEST_DRAFT, Pace, Proofs, draft

_TOKENS = st.lists(st.integers(0, 3), max_size=40)


@given(_TOKENS, st.integers(0, LONGEST_DRAFT))
def test_a_draft_really_followed_an_earlier_occurrence(tokens: list[int], longest: int) -> None:
    drafted = draft(tokens, longest)
    assert len(drafted) <= longest
    if drafted:
        held = len(tokens)
        assert any(
            tokens[begin - 2 : begin] == tokens[-2:]
            and tokens[begin : begin + len(drafted)] == drafted
            for begin in range(2, held)
        )


@given(_TOKENS)
def test_an_end_that_stood_before_is_never_missed(tokens: list[int]) -> None:
    repeated = any(tokens[at : at + 2] == tokens[-2:] for at in range(len(tokens) - 2))
    assert bool(draft(tokens, 3)) == repeated


@pytest.mark.parametrize("tokens", [[], [1], [1, 1], [1, 2], [1, 2, 3, 4, 5, 6]])
def test_nothing_is_drafted_where_nothing_repeats(tokens: list[int]) -> None:
    assert draft(tokens, 6) == []


def test_repeated_tokens_draft_what_stands_between_the_runs() -> None:
    assert draft([7, 7, 7], 6) == [7]
    assert draft([7, 7, 7, 7], 6) == [7]


def test_the_longest_run_wins_over_the_latest() -> None:
    tokens = [1, 2, 3, 4, 9, 9, 8, 3, 4, 5, 5, 1, 2, 3, 4]
    assert draft(tokens, 3) == [9, 9, 8]


def test_the_latest_of_equal_runs_wins() -> None:
    assert draft([1, 2, 3, 8, 1, 2, 3, 9, 1, 2, 3], 1) == [9]


def test_a_run_of_two_drafts_only_two() -> None:
    assert draft([1, 2, 5, 6, 7, 8, 1, 2], 6) == [5, 6]


@given(st.lists(st.tuples(st.integers(1, LONGEST_DRAFT), st.integers(0, LONGEST_DRAFT))))
def test_a_draft_is_always_between_one_token_and_the_most(fates: list[tuple[int, int]]) -> None:
    pace = Pace()
    for drafted, accepted in fates:
        pace.learn(drafted, min(drafted, accepted))
        assert 1 <= pace.longest <= LONGEST_DRAFT


def test_drafts_grow_while_they_hold_and_shrink_when_they_do_not() -> None:
    pace = Pace()
    for _ in range(4):
        pace.learn(pace.longest, pace.longest)
    assert pace.longest == LONGEST_DRAFT
    pace.learn(LONGEST_DRAFT, 0)
    assert pace.longest == 1


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "exact.json"


def test_nothing_is_known_at_first(path: Path) -> None:
    assert Proofs("k", path).known(1) is None
    assert not path.exists()


@pytest.mark.parametrize(
    ("noted", "still_known", "unknown"), [(7, 256, 257), (256, 256, 257), (257, 512, 513)]
)
def test_a_proof_serves_for_its_block_and_shorter_texts(
    path: Path, noted: int, still_known: int, unknown: int
) -> None:
    Proofs("k", path).note(noted, exact=True)
    proofs = Proofs("k", path)
    assert proofs.known(1) is True
    assert proofs.known(still_known) is True
    assert proofs.known(unknown) is None


def test_a_later_proof_of_a_shorter_text_takes_nothing_back(path: Path) -> None:
    proofs = Proofs("k", path)
    proofs.note(1000, exact=True)
    proofs.note(10, exact=True)
    assert proofs.known(1000) is True


def test_a_proof_serves_for_its_own_key_only(path: Path) -> None:
    Proofs("k", path).note(100, exact=True)
    other = Proofs("other", path)
    assert other.known(100) is None
    other.note(100, exact=False)
    assert Proofs("k", path).known(100) is True
    assert Proofs("other", path).known(100) is False


@given(st.lists(st.tuples(st.integers(1, 2000), st.booleans()), min_size=1, max_size=6))
def test_a_failure_stands_whatever_is_found_later(
    tmp_path_factory: pytest.TempPathFactory, findings: list[tuple[int, bool]]
) -> None:
    path = tmp_path_factory.mktemp("proofs") / "exact.json"
    proofs = Proofs("k", path)
    for length, exact in findings:
        proofs.note(length, exact)
    failed = not all(exact for _, exact in findings)
    for one in (proofs, Proofs("k", path)):
        assert (one.known(1) is False) == failed


def test_a_failure_that_another_process_found_stands(path: Path) -> None:
    mine = Proofs("k", path)
    Proofs("k", path).note(100, exact=False)
    mine.note(100, exact=True)
    assert mine.known(100) is False
    assert Proofs("k", path).known(100) is False


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"null", b"[1]", b'{"k": "256"}', b'{"k": true}', b'{"k": 1e999}', b"\xff\xfe\x00"],
)
def test_a_damaged_file_proves_nothing_and_is_made_anew(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    proofs = Proofs("k", path)
    assert proofs.known(10) is None
    proofs.note(10, exact=True)
    assert json.loads(path.read_bytes()) == {"k": 256}


@pytest.mark.parametrize("exact", [True, False])
def test_a_folder_that_takes_no_file_leaves_the_finding_in_memory(
    tmp_path: Path, exact: bool
) -> None:
    (tmp_path / "file").touch()
    proofs = Proofs("k", tmp_path / "file" / "exact.json")
    proofs.note(10, exact)
    assert proofs.known(10) is exact
    proofs.note(10, exact=True)
    assert proofs.known(10) is exact


def test_the_file_lies_in_the_users_cache(home: Path) -> None:
    Proofs("k").note(10, exact=True)
    assert (home / "cache" / "exact.json").is_file()
