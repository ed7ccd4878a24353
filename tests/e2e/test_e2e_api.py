"""The Python API, in this process, on real models."""

from collections.abc import Iterator

import pytest

from edge_slm import Assistant

from .runner import CHAT, MONGOLIA, SAMPLE, TWINS, Runner

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def assistant(run: Runner, sample: str) -> Iterator[Assistant]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGE_SLM_HOME", str(run.home))
        patch.setenv("EDGE_SLM_LANG", "fr")
        with Assistant.open(model=CHAT, kb=[SAMPLE]) as assistant:
            yield assistant


@pytest.mark.parametrize(
    "request_", [TWINS, MONGOLIA, "traduis en anglais : La porte est ouverte.", "Bonjour"]
)
def test_ask_and_stream_say_the_same(assistant: Assistant, request_: str) -> None:
    pieces: list[str] = []
    answer = assistant.ask(request_, pieces.append)
    assert "".join(pieces) == answer.text != ""
    assert "".join(assistant.stream(request_)) == answer.text


def test_an_answer_has_attributes(assistant: Assistant) -> None:
    answer = assistant.ask(TWINS)
    assert answer.sources[0].page == 1
    assert answer.sources[0].kb == SAMPLE
    assert answer.energy.joules is None or answer.energy.joules > 0
    assert answer.kind in ("quote", "written")
