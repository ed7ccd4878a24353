"""The assistant: what it does with any request, with scripted engines and a small base."""

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_slm.answer import Answer, ModelUsed, Segment
from edge_slm.assistant import LONGEST_REQUEST, Assistant
from edge_slm.engines import ChatEngine, Embedder, Transcriber
from edge_slm.engines.loaded import EMBEDDER, Engines
from edge_slm.errors import EdgeSlmError, MissingError, UsageError
from edge_slm.kb import approvals
from edge_slm.kb.base import KnowledgeBase
from edge_slm.kb.calibration import Calibration
from edge_slm.kb.documents import Block, Document
from tests.fakes import DIMENSIONS, FakeEmbedder, ScriptedChat

USED = ModelUsed("fake", "0" * 64, "none")
SENTENCE = "Un agent à temps plein a droit à 25 jours de congés annuels."
QUESTION = "Combien de jours de congés annuels pour un agent à temps plein ?"


class Recorder:
    """Hears the same segments in every recording."""

    def __init__(self, segments: list[Segment]) -> None:
        self.segments = segments

    def transcribe(self, audio: Path, language: str | None) -> tuple[Iterator[Segment], str, float]:
        """Return the segments, the language asked for or French, and ten seconds."""
        return iter(self.segments), language or "fr", 10.0


class FakeEngines(Engines):
    """Engines without models; counts how often the chat model was asked for."""

    def __init__(self, *replies: str, segments: list[Segment] | None = None) -> None:
        self.script = ScriptedChat(replies)
        self.recorder = Recorder(segments or [])
        self.fake_embedder = FakeEmbedder()
        self.chats = 0
        self.closed = False

    def chat(self, model: str | None = None) -> tuple[ChatEngine, ModelUsed]:
        self.chats += 1
        return self.script, USED

    def speech(self) -> tuple[Transcriber, ModelUsed]:
        return self.recorder, USED

    def embedder(self, model: str = "fake") -> Embedder:
        assert model == "fake"
        return self.fake_embedder

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def base(home: Path) -> Iterator[KnowledgeBase]:
    """A base of one document, `rh`."""
    document = Document("conges.md", "Les congés annuels", (Block(SENTENCE, 1, "Durée"),))
    with KnowledgeBase.create(home / "kb" / "rh.db", "fake", DIMENSIONS, contact="le RH") as base:
        base.add(document, FakeEmbedder())
        yield base


@pytest.fixture
def sure(base: KnowledgeBase, monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Make the base sure of its answer; the argument is how sure a quotation must be."""

    def set_to(quote_sure: float) -> None:
        calibration = msgspec.json.encode(Calibration(quote=quote_sure))
        base.change(calibration=calibration.decode())
        monkeypatch.setattr("edge_slm.kb.calibration.Calibration.confidence", lambda *_: 1.0)

    return set_to


def both_ways(engines: Callable[[], FakeEngines], text: str, *bases: KnowledgeBase) -> Answer:
    """Return the answer to a request, after checking that its pieces make up its text."""
    pieces: list[str] = []
    answer = Assistant(engines(), bases).ask(text, pieces.append)
    assert "".join(pieces) == answer.text
    assert "".join(Assistant(engines(), bases).stream(text)) == answer.text
    assert answer.timings_ms["total"] >= 0
    assert answer.ai_generated == (answer.model is not None)
    return answer


@pytest.mark.parametrize("text", ["", " ", "\n\t\u00a0\u2003"])
def test_an_empty_request_is_refused(text: str, base: KnowledgeBase) -> None:
    assistant = Assistant(FakeEngines(), [base])
    for ask in (assistant.ask, assistant.stream):
        with pytest.raises(UsageError, match="empty"):
            ask(text)


@pytest.mark.parametrize("length", [LONGEST_REQUEST + 1, 1_000_000])
def test_a_request_too_long_is_refused_with_its_length(length: int) -> None:
    assistant = Assistant(FakeEngines(), [])
    for ask in (assistant.ask, assistant.stream):
        with pytest.raises(UsageError, match=f"{length} characters, at most {LONGEST_REQUEST}"):
            ask("é" * length)


def test_the_longest_request_is_answered(base: KnowledgeBase) -> None:
    answer = both_ways(FakeEngines, " " + "é" * LONGEST_REQUEST + " ", base)
    assert answer.kind == "declined"


@pytest.mark.parametrize(
    ("text", "language", "word"),
    [
        (QUESTION, "fr", "documents"),
        ("How many days of leave does an agent get?", "en", "documents"),
        ("???", "fr", "edge-slm kb create"),
    ],
)
def test_without_a_base_it_declines_and_says_what_it_can_do(
    text: str, language: str, word: str
) -> None:
    answer = both_ways(FakeEngines, text)
    assert (answer.kind, answer.task, answer.language) == ("declined", "fallback", language)
    assert word in answer.text
    assert "edge-slm kb create" in answer.text
    assert answer.sources == ()


@pytest.mark.parametrize(
    ("text", "language", "reply"),
    [
        ("Bonjour", "fr", "Bonjour ! Que souhaitez-vous savoir ?"),
        ("Hello", "en", "Hello! What would you like to know?"),
        ("merci beaucoup !", "fr", "Je vous en prie."),
        ("Thanks", "en", "You are welcome."),
    ],
)
def test_small_talk_costs_no_token(
    text: str, language: str, reply: str, base: KnowledgeBase
) -> None:
    answer = both_ways(FakeEngines, text, base)
    assert (answer.text, answer.language, answer.kind) == (reply, language, "approved")
    assert answer.usage.completion_tokens == 0


def test_a_quotation_loads_no_chat_model(
    base: KnowledgeBase, sure: Callable[[float], None]
) -> None:
    sure(0.0)
    engines = FakeEngines()
    answer = Assistant(engines, [base]).ask(QUESTION)
    assert (answer.kind, answer.text, engines.chats) == ("quote", SENTENCE, 0)
    assert both_ways(FakeEngines, QUESTION, base).sources == answer.sources
    assert answer.sources[0].quote == SENTENCE
    assert (answer.model, answer.ai_generated) == (None, False)


def test_a_refusal_loads_no_chat_model(
    base: KnowledgeBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_slm.kb.calibration.Calibration.confidence", lambda *_: 0.2)
    engines = FakeEngines()
    answer = Assistant(engines, [base]).ask(QUESTION)
    assert (answer.kind, engines.chats) == ("declined", 0)
    assert "le RH" in answer.text


def test_an_approved_answer_loads_no_chat_model(base: KnowledgeBase) -> None:
    approvals.approve(base, QUESTION, "25 jours.", None, "Mme Martin")
    engines = FakeEngines()
    answer = Assistant(engines, [base]).ask(QUESTION)
    assert (answer.kind, answer.text, engines.chats) == ("approved", "25 jours.", 0)


def test_what_a_model_writes_names_the_model(
    base: KnowledgeBase, sure: Callable[[float], None]
) -> None:
    sure(99.0)
    answer = both_ways(lambda: FakeEngines("Un agent a droit à 25 jours."), QUESTION, base)
    assert (answer.kind, answer.model, answer.ai_generated) == ("written", USED, True)
    assert answer.usage.completion_tokens == 7
    assert "first_token" in answer.timings_ms


def test_a_model_that_does_not_know_is_not_named(
    base: KnowledgeBase, sure: Callable[[float], None]
) -> None:
    sure(99.0)
    answer = both_ways(lambda: FakeEngines("JE NE SAIS PAS."), QUESTION, base)
    assert (answer.kind, answer.model, answer.text) == ("quote", None, SENTENCE)


def test_a_translation_asked_for_in_words(base: KnowledgeBase) -> None:
    text = "traduis en anglais : Le bureau est fermé."
    answer = both_ways(lambda: FakeEngines("The office is closed."), text, base)
    assert (answer.kind, answer.task, answer.language) == ("translation", "translation", "en")
    assert (answer.text, answer.model) == ("The office is closed.", USED)


@pytest.mark.parametrize("text", ["traduis en anglais", "translate into French: « »"])
def test_nothing_to_translate_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="nothing to translate"):
        Assistant(FakeEngines(), []).ask(text)


@pytest.mark.parametrize(
    ("text", "source", "target"),
    [
        ("Bonjour", "fr", "fr"),
        ("Le bureau est fermé le lundi matin.", None, "fr"),
        ("The office is closed on Monday morning.", None, "en"),
    ],
)
def test_the_same_language_is_refused(text: str, source: str | None, target: str) -> None:
    with pytest.raises(UsageError, match=rf"already in that language \({target}\)"):
        Assistant(FakeEngines(), []).translate(text, source, target)


@pytest.mark.parametrize(
    ("text", "source", "target", "expected"),
    [
        ("Le bureau est fermé le lundi matin.", None, None, "en"),
        ("The office is closed on Monday morning.", None, None, "fr"),
        ("Oui", None, None, "en"),
        ("Yes", None, "fr", "fr"),
        ("Oui", "fr", "de", "de"),
        ("Die Verwaltung ist am Montagmorgen geschlossen.", None, None, "fr"),
    ],
)
def test_the_language_wanted_is_found(
    text: str, source: str | None, target: str | None, expected: str
) -> None:
    pieces: list[str] = []
    assistant = Assistant(FakeEngines("one two"), [])
    answer = assistant.translate(text, source, target, on_piece=pieces.append)
    assert (answer.language, answer.text, "".join(pieces)) == (expected, "one two", "one two")


def test_a_translation_may_be_longer_than_a_question() -> None:
    text = "Le maire.\n" * 500
    answer = Assistant(FakeEngines(*["The mayor."] * 500), []).translate(text, "fr", "en")
    assert answer.text == "The mayor.\n" * 500


def test_a_transcript_is_made_of_its_segments(tmp_path: Path) -> None:
    audio = tmp_path / "réunion.wav"
    audio.write_bytes(b"sound")
    segments = [Segment(0.0, 1.0, "Bonjour."), Segment(1.0, 2.5, "Merci.")]
    heard: list[tuple[Segment, float]] = []
    assistant = Assistant(FakeEngines(segments=segments), [])
    answer = assistant.transcribe(audio, on_segment=lambda *both: heard.append(both))
    assert (answer.kind, answer.text, answer.language) == ("transcript", "Bonjour. Merci.", "fr")
    assert answer.segments == tuple(segments)
    assert heard == [(segment, 10.0) for segment in segments]
    asked = both_ways(lambda: FakeEngines(segments=segments), f"transcris « {audio} »")
    assert (asked.task, asked.text) == ("speech", answer.text)


def test_a_recording_in_which_nobody_speaks_is_said(tmp_path: Path) -> None:
    audio = tmp_path / "silence.wav"
    audio.write_bytes(b"sound")
    with pytest.raises(EdgeSlmError, match=r"No speech was found in silence\.wav"):
        Assistant(FakeEngines(), []).transcribe(audio)


@pytest.mark.parametrize("text", ["transcris absent.wav", "transcris " + "a" * 300 + ".wav"])
def test_a_recording_that_is_not_there_is_said(text: str) -> None:
    with pytest.raises(UsageError, match="There is no file"):
        Assistant(FakeEngines(), []).ask(text)


def test_leaving_closes_the_bases_and_the_engines(home: Path) -> None:
    base = KnowledgeBase.create(home / "kb" / "rh.db", "fake", DIMENSIONS)
    engines = FakeEngines()
    with Assistant(engines, [base]) as assistant:
        assert assistant.ask("merci").kind == "approved"
    assert engines.closed
    with pytest.raises(Exception, match="closed"):
        base.passage_count()


def test_opening_takes_all_bases_and_loads_nothing(home: Path) -> None:
    KnowledgeBase.create(home / "kb" / "rh.db", EMBEDDER, 384).close()
    with Assistant.open() as assistant:
        assert assistant.ask("bonjour").task == "small_talk"
        with pytest.raises(MissingError, match="edge-slm models"):
            assistant.ask(QUESTION)
    with Assistant.open(kb=()) as assistant:
        assert assistant.ask(QUESTION).task == "fallback"


@pytest.mark.parametrize("name", ["absent", "absent.db", "../absent", ""])
def test_opening_a_base_that_is_not_there_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="There is no base"):
        Assistant.open(kb=[name])


@pytest.mark.parametrize("model", ["absent", "whisper-base", ""])
def test_opening_a_model_that_cannot_chat_is_refused(model: str) -> None:
    with pytest.raises(UsageError):
        Assistant.open(model=model, kb=())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=st.text(min_size=1, max_size=60))
def test_any_request_has_an_answer_or_a_sentence(text: str, base: KnowledgeBase) -> None:
    try:
        answer = Assistant(FakeEngines("25 jours."), [base]).ask(text)
    except EdgeSlmError as error:
        assert str(error)
    else:
        assert answer.text
        assert answer.sources or answer.kind not in ("quote", "written")
