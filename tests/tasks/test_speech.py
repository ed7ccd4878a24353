"""Subtitles, and what is no recording."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_slm.answer import Segment
from edge_slm.errors import UsageError
from edge_slm.tasks.speech import check_recording, to_srt, to_vtt

SEGMENTS = [Segment(0.0, 1.5, "Bonjour à tous."), Segment(3661.25, 3662.0, "a < b & c > d --> e")]


def test_srt() -> None:
    assert to_srt(SEGMENTS) == (
        "1\n00:00:00,000 --> 00:00:01,500\nBonjour à tous.\n\n"
        "2\n01:01:01,250 --> 01:01:02,000\na < b & c > d --> e\n"
    )


def test_vtt_escapes_what_would_be_markup() -> None:
    assert to_vtt(SEGMENTS) == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nBonjour à tous.\n\n"
        "01:01:01.250 --> 01:01:02.000\na &lt; b &amp; c &gt; d --&gt; e\n"
    )


def test_nothing_said_is_an_empty_file_of_its_kind() -> None:
    assert to_srt([]) == ""
    assert to_vtt([]) == "WEBVTT\n\n"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.0004, "00:00:00,000"),
        (59.9994, "00:00:59,999"),
        (59.9996, "00:01:00,000"),
        (3599.9999, "01:00:00,000"),
        (360_000.0, "100:00:00,000"),
    ],
)
def test_times_are_rounded_once(seconds: float, shown: str) -> None:
    assert f"{shown} --> {shown}" in to_srt([Segment(seconds, seconds, "x")])


@given(st.floats(0, 1e6))
def test_a_time_is_always_well_formed_and_near(seconds: float) -> None:
    found = re.search(r"(\d\d+):([0-5]\d):([0-5]\d),(\d{3}) -->", to_srt([Segment(seconds, 0, "")]))
    assert found
    hours, minutes, rest, thousandths = map(int, found.groups())
    assert hours * 3600 + minutes * 60 + rest + thousandths / 1000 == pytest.approx(
        seconds, abs=0.00051
    )


def test_a_file_with_something_in_it_may_be_a_recording(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"x")
    check_recording(path)


@pytest.mark.parametrize("name", ["absent.wav", "a" * 300 + ".wav", "nul\0.wav", "folder.wav"])
def test_what_is_no_file_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder.wav").mkdir()
    with pytest.raises(UsageError, match="There is no file"):
        check_recording(tmp_path / name)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "vide.wav"
    path.touch()
    with pytest.raises(UsageError, match=r"vide\.wav is empty"):
        check_recording(path)
