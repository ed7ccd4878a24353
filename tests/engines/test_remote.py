"""Engines in processes of their own: what comes back, and what goes wrong."""

import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from edge_slm.engines import Done, Message, Options, Piece
from edge_slm.engines.stopping import Stopped
from edge_slm.engines.workers.remote import cancelled_by
from edge_slm.errors import CrashError, EdgeSlmError, OverdueError, UsageError
from tests.engines.conftest import MakePool, Scripted, workers

FAULTS = ["SIGSEGV", "SIGILL", "SIGABRT", "SIGKILL", "SIGBUS"]


def test_a_reply_comes_piece_by_piece_then_its_end(model: Scripted) -> None:
    events = list(model.chat.stream([Message("user", "say one two")], 7, Options(seed=3)))
    assert [event.text for event in events if isinstance(event, Piece)] == ["one ", "two "]
    assert isinstance(events[-1], Done)
    assert events[-1].usage.completion_tokens == 7


def test_the_model_stays_loaded_between_requests(model: Scripted) -> None:
    assert model.say("pid") == model.say("pid") != str(os.getpid())
    assert (model.status.requests, model.status.restarts) == (2, 0)


def test_a_text_to_go_on_with_is_a_prompt_too(model: Scripted) -> None:
    assert len(list(model.chat.stream("say a b c", None))) == 4


def test_tokens_are_counted_by_the_model(model: Scripted) -> None:
    assert model.chat.count_tokens("one two three") == 3
    assert model.chat.prepare([Message("user", "a")]) is False


def test_vectors_come_back_as_they_were_made(model: Scripted) -> None:
    assert model.embedder.embed_query("deux mots").tolist() == [9, 2]
    texts = [f"{'x' * n}" for n in range(1, 21)]
    vectors = model.embedder.embed_passages(texts)
    assert vectors.dtype == np.float32
    assert vectors.tolist() == [[n, 1] for n in range(1, 21)]
    assert model.embedder.embed_passages([]).shape == (0, 2)


def test_segments_come_as_they_are_heard(model: Scripted, tmp_path: Path) -> None:
    audio = tmp_path / os.fsdecode(b"r\xc3\xa9union \xff.wav")
    audio.write_text("say bonjour madame")
    segments, language, duration = model.speech.transcribe(audio, None)
    assert (language, duration) == ("fr", 2.0)
    assert [segment.text for segment in segments] == ["bonjour ", "madame "]


def test_what_cannot_be_written_as_text_is_replaced(model: Scripted) -> None:
    assert model.say("say caf\udce9") == "caf? "
    assert model.chat.count_tokens("\ud800") == 1
    assert model.embedder.embed_query("a\udfffb").tolist() == [3, 1]


def test_an_error_of_the_engine_keeps_its_class_and_its_sentence(model: Scripted) -> None:
    with pytest.raises(UsageError, match=r"^Trop long\.$"):
        model.say("usage Trop long.")
    assert model.say("say on") == "on "
    assert model.status.restarts == 0


def test_an_error_of_ours_in_the_engine_is_a_sentence(model: Scripted) -> None:
    with pytest.raises(EdgeSlmError, match="RuntimeError: oops"):
        model.say("bug oops")
    assert model.say("say on") == "on "


def test_what_native_code_prints_does_not_disturb(model: Scripted) -> None:
    assert model.say("print noise\nsay clear") == "clear "


@pytest.mark.parametrize("fault", FAULTS)
def test_a_crash_before_the_first_word_is_tried_once_more(model: Scripted, fault: str) -> None:
    assert model.say(f"once signal {fault}\nsay well") == "well "
    assert model.status.restarts == 1


@pytest.mark.parametrize("fault", FAULTS)
def test_a_crash_each_time_is_one_sentence_and_the_pool_goes_on(
    model: Scripted, fault: str
) -> None:
    with pytest.raises(CrashError) as caught:
        model.say(f"signal {fault}")
    assert "\n" not in str(caught.value)
    assert "m" in str(caught.value)
    assert model.say("say on") == "on "


def test_a_crash_after_the_first_word_is_told_and_not_repeated(model: Scripted) -> None:
    pieces = model.stream("say one\nsignal SIGSEGV")
    assert next(pieces) == "one "
    with pytest.raises(CrashError, match="crashed"):
        next(pieces)
    assert model.say("say on") == "on "
    assert model.status.restarts == 1


def test_real_faults_are_told_apart(model: Scripted) -> None:
    with pytest.raises(CrashError, match=r"crashed \(SIGSEGV\)") as caught:
        model.say("null")
    assert "Segmentation fault" in "".join(caught.value.__notes__)
    if os.uname().machine in ("x86_64", "aarch64"):
        with pytest.raises(CrashError, match=r"SIGILL.*make setup"):
            model.say("illegal")
    with pytest.raises(CrashError, match=r"ended \(3\)"):
        model.say("exit 3")


@pytest.mark.parametrize("data", ["00000000", "ffffffff", "00000002c1c1", "deadbeef", "0000000193"])
def test_garbage_among_the_frames_is_a_crash(model: Scripted, data: str) -> None:
    with pytest.raises(CrashError):
        model.say(f"frame {data}\nsleep 60")
    assert model.say("say on") == "on "


def test_closing_a_reply_stops_it_and_keeps_the_model(model: Scripted) -> None:
    pid = model.say("pid")
    pieces = model.stream("say one\nsleep 60\nsay two")
    assert next(pieces) == "one "
    pieces.close()  # type: ignore[attr-defined]
    assert model.say("pid") == pid


def test_letting_go_of_a_reply_stops_it(model: Scripted) -> None:
    pieces = model.stream("say one\nsleep 60")
    next(pieces)
    del pieces
    assert model.say("say on") == "on "


def test_what_cannot_be_interrupted_is_ended(model: Scripted) -> None:
    pid = model.say("pid")
    pieces = model.stream("say one\ncompute 60")
    next(pieces)
    time.sleep(0.3)  # until it computes
    pieces.close()  # type: ignore[attr-defined]
    assert not psutil.pid_exists(int(pid))
    assert model.say("pid") != pid
    assert model.status.restarts == 0  # it was no crash


def test_letting_go_of_segments_stops_the_recording(model: Scripted, tmp_path: Path) -> None:
    audio = tmp_path / "a.wav"
    audio.write_text("say one\nsleep 60")
    segments, _, _ = model.speech.transcribe(audio, "fr")
    del segments
    segments, _, _ = model.speech.transcribe(audio, "fr")
    next(segments)
    del segments
    audio.write_text("say two")
    assert len(list(model.speech.transcribe(audio, "fr")[0])) == 1


@pytest.mark.parametrize("script", ["sleep 60", "compute 60", "say one\nsleep 60"])
def test_another_thread_cancels_what_is_computed(model: Scripted, script: str) -> None:
    event = threading.Event()
    threading.Timer(0.2, event.set).start()
    with cancelled_by(event), pytest.raises(Stopped):
        model.say(script)
    assert model.say("say on") == "on "


def test_another_thread_cancels_loading(make_pool: MakePool, tmp_path: Path) -> None:
    model = Scripted(make_pool(), tmp_path, script="compute 60")
    event = threading.Event()
    threading.Timer(0.3, event.set).start()
    with cancelled_by(event), pytest.raises(Stopped):
        model.say("say one")
    assert model.status.state == "absent"
    assert not workers()
    model.path.write_text("")
    assert model.say("say on") == "on "


def test_another_thread_cancels_waiting_in_line(model: Scripted) -> None:
    first = model.stream("say one\nsleep 60")
    next(first)
    event, seen = threading.Event(), []

    def second() -> None:
        with cancelled_by(event):
            try:
                model.say("say two")
            except Stopped as error:
                seen.append(error)

    thread = threading.Thread(target=second)
    thread.start()
    while model.status.waiting == 0:
        time.sleep(0.01)
    event.set()
    thread.join()
    assert len(seen) == 1
    assert model.status.waiting == 0
    del first
    assert model.say("say on") == "on "


def test_an_event_that_is_set_stops_at_once(model: Scripted) -> None:
    event = threading.Event()
    event.set()
    with cancelled_by(event), pytest.raises(Stopped):
        model.say("say one")
    assert model.say("say on") == "on "


def test_a_time_limit_is_a_sentence(make_pool: MakePool, tmp_path: Path) -> None:
    model = Scripted(make_pool(timeout=0.5), tmp_path)
    with pytest.raises(OverdueError, match=r"0\.5 s"):
        model.say("sleep 60")
    assert len(workers()) <= 1


def test_ctrl_c_stops_the_computation(model: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    import _thread

    # What starts the tests in the background may have had Ctrl-C ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        threading.Timer(0.5, _thread.interrupt_main).start()
        with pytest.raises(KeyboardInterrupt):
            model.say("sleep 60")
    finally:
        signal.signal(signal.SIGINT, before)
    assert model.say("say on") == "on "
