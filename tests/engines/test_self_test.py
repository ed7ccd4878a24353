"""The first words that a model reads on a processor: a build for another one crashes there."""

from pathlib import Path

import pytest

from edge_slm.engines.workers import ledger
from edge_slm.errors import CrashError
from tests.engines.conftest import MakePool, Scripted


def test_the_first_load_reads_some_words_and_the_next_ones_do_not(
    make_pool: MakePool, tmp_path: Path
) -> None:
    model = Scripted(make_pool(), tmp_path)
    spec = model.spec("chat")
    assert ledger.self_test_result(spec) is None
    model.say("say x")
    assert ledger.self_test_result(spec) == ledger.OK
    assert spec.order(self_test=True) != spec.order(self_test=False)


@pytest.mark.parametrize("fault", ["SIGILL", "SIGSEGV", "SIGABRT"])
def test_a_build_that_crashes_on_this_processor_is_told_with_its_remedy(
    make_pool: MakePool, tmp_path: Path, fault: str
) -> None:
    model = Scripted(make_pool(), tmp_path, script=f"signal {fault}")
    with pytest.raises(CrashError, match=rf"on this processor \({fault}\).*make setup"):
        model.say("say x")
    assert ledger.self_test_result(model.spec("chat")) == fault
    model.path.write_text("")
    assert model.say("say mended") == "mended "
    assert ledger.self_test_result(model.spec("chat")) == ledger.OK


def test_a_crash_of_one_load_is_tried_again_and_accuses_nobody(
    make_pool: MakePool, tmp_path: Path
) -> None:
    model = Scripted(make_pool(), tmp_path, script="once signal SIGSEGV")
    assert model.say("say well") == "well "
    assert ledger.self_test_result(model.spec("chat")) == ledger.OK


def test_a_model_that_read_before_is_not_told_to_be_rebuilt(
    make_pool: MakePool, tmp_path: Path
) -> None:
    model = Scripted(make_pool(), tmp_path)
    model.say("say x")
    model.chat.close()
    model.path.write_text("signal SIGSEGV")
    with pytest.raises(CrashError, match="see edge-slm doctor") as caught:
        model.say("say x")
    assert "make" not in str(caught.value)


def test_a_load_killed_for_want_of_memory_accuses_no_build(
    make_pool: MakePool, tmp_path: Path
) -> None:
    model = Scripted(make_pool(), tmp_path, script="signal SIGKILL")
    with pytest.raises(CrashError, match="memory ran out"):
        model.say("say x")
    assert ledger.self_test_result(model.spec("chat")) is None


def test_loading_alone_tells_whether_a_model_works_here(
    make_pool: MakePool, tmp_path: Path
) -> None:
    model = Scripted(make_pool(), tmp_path, script="signal SIGILL")
    with pytest.raises(CrashError, match="make setup"):
        model.pool.load(model.spec("chat"))
    model.path.write_text("")
    model.pool.load(model.spec("chat"))
    assert model.status.state == "idle"
