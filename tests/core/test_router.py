"""Which task takes a request."""

import json
import unicodedata
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_slm.answer import Task
from edge_slm.assistant import LONGEST_REQUEST
from edge_slm.routing.router import route

SHARED = Path(__file__).parents[2].parent / "shared" / "data" / "routing"

# request, text to translate, source, target
TRANSLATIONS = [
    ("traduis en anglais : bonjour", "bonjour", None, "en"),
    ("Traduis en anglais: Le bureau est fermé.", "Le bureau est fermé.", None, "en"),
    ("traduis en anglais le maire est absent", "le maire est absent", None, "en"),
    ("Traduisez en allemand : la salle", "la salle", None, "de"),
    ("traduisez-moi cela en espagnol : le chat dort", "le chat dort", None, "es"),
    ("traduis-le en anglais : oui", "oui", None, "en"),
    ("Traduis-moi ça en italien, le rapport", "le rapport", None, "it"),
    ("Traduction en anglais : le maire", "le maire", None, "en"),
    ("traduction en anglais de « congé »", "congé", None, "en"),
    ("S'il vous plaît, traduis en néerlandais : merci", "merci", None, "nl"),
    ("S’il te plaît traduis vers l’anglais : l’agent", "l’agent", None, "en"),
    ("Peux-tu traduire « Bonjour à tous » en anglais ?", "Bonjour à tous", None, "en"),
    ("Pouvez-vous me traduire ce texte en allemand : Oui.", "Oui.", None, "de"),
    ("Est-ce que tu peux traduire en portugais : oui", "oui", None, "pt"),
    ("Bonjour, pourriez-vous traduire du français vers l'anglais : Merci", "Merci", "fr", "en"),
    ("Merci de traduire de l'allemand vers le français : Guten Tag", "Guten Tag", "de", "fr"),
    ("J'aimerais traduire « retraite » en anglais, svp", "retraite", None, "en"),
    ("traduis le chat dort en anglais", "le chat dort", None, "en"),
    ("traduis le mot « congé » en anglais", "congé", None, "en"),
    ("traduis « je parle en anglais » en espagnol", "je parle en anglais", None, "es"),
    (
        "traduis en espagnol : comment dit-on merci en anglais ?",
        "comment dit-on merci en anglais ?",
        None,
        "es",
    ),
    ("Traduis\u00a0: bonjour le monde", "bonjour le monde", None, None),
    ("comment dit-on congé en anglais ?", "congé", None, "en"),
    ("Comment dit-on « s'il vous plaît » en anglais\u00a0?", "s'il vous plaît", None, "en"),
    ("translate into French: Good morning", "Good morning", None, "fr"),
    ("Translate to french good morning", "good morning", None, "fr"),
    ("Could you please translate this to French: the office", "the office", None, "fr"),
    ("Please translate the following sentence into French: Hello", "Hello", None, "fr"),
    ('Translate "Good morning" into French, please.', "Good morning", None, "fr"),
    ("I'd like to translate “leave” from English to French", "leave", "en", "fr"),
    ("how do I say breakfast in Spanish?", "breakfast", None, "es"),
    ("Translation into French: the mayor", "the mayor", None, "fr"),
    ("traduis en anglais", "", None, "en"),
    ("traduis en anglais :", "", None, "en"),
    ("traduis le texte en anglais", "", None, "en"),
    ("traduis en anglais :\n- un\n- deux", "- un\n- deux", None, "en"),
]

QUESTIONS = [
    "Bonjour, combien de jours de congé ?",
    "Bonjour ! J'ai une question sur mon bulletin de paie.",
    "merci de me dire combien de jours j'ai droit",
    "Merci, et pour des jumeaux ?",
    "Aide au logement",
    "Ça va durer combien de temps, la grève ?",
    "Au revoir, mais avant : combien de RTT ?",
    "Comment dire à mon chef que je pars ?",
    "Traduction en anglais de mon diplôme, qui la paie ?",
    "Qui traduit les documents en anglais ?",
    "Une prime pour ceux qui travaillent en anglais ?",
    "traduis en klingon : bonjour",
    "traduire",
    "Où est le fichier reunion.mp3",
    "Ma question concerne le fichier\nreunion.mp3",
    "transcris la réunion",
    "transcris notes.pdf",
    "Qui transcrit les réunions ?",
    "How many days of leave do I get?",
    "Hello, how many days of leave do I get?",
    "Thank you for telling me the date",
    "???",
    "12",
    "🙂",
]

SMALL_TALK = [
    ("Bonjour", "greeting", "fr"),
    ("bonjour !", "greeting", "fr"),
    ("Bonjour\u202f!", "greeting", "fr"),
    ("Bonjour, ça va ?", "greeting", "fr"),
    ("Salut, ca va ?", "greeting", "fr"),
    ("Bonsoir madame.", "greeting", "fr"),
    ("Hello", "greeting", "en"),
    ("hi there, how are you?", "greeting", "en"),
    ("Comment allez-vous ?", "mood", "fr"),
    ("how are you today?", "mood", "en"),
    ("merci", "thanks", "fr"),
    ("Parfait, merci beaucoup !", "thanks", "fr"),
    ("Je vous remercie", "thanks", "fr"),
    ("thank you so much", "thanks", "en"),
    ("ok thanks", "thanks", "en"),
    ("au revoir", "farewell", "fr"),
    ("bonne journée !", "farewell", "fr"),
    ("bye bye", "farewell", "en"),
    ("Qui es-tu ?", "identity", "fr"),
    ("Que pouvez-vous faire ?", "identity", "fr"),
    ("aide", "identity", "fr"),
    ("What can you do?", "identity", "en"),
]

# request, name of the recording
RECORDINGS = [
    ("transcris reunion.wav", "reunion.wav"),
    ("Transcrire « réunion du 3 mai.MP3 »", "réunion du 3 mai.MP3"),
    ("Transcrivez C:\\sons\\reunion.m4a", "C:\\sons\\reunion.m4a"),
    ("transcription de l'appel.ogg", "l'appel.ogg"),
    ("peux-tu transcrire l'enregistrement reunion.wav s'il te plaît ?", "reunion.wav"),
    ("Peux-tu transcrire le fichier reunion.flac ?", "reunion.flac"),
    ('transcribe "my meeting.wav"', "my meeting.wav"),
    ("Please transcribe the file call.opus", "call.opus"),
    ("écoute message.webm", "message.webm"),
    ("listen to /tmp/call.mp4", "/tmp/call.mp4"),
]

HOSTILE = [
    "traduis" + " " * 3900 + "a",
    "traduis a" + " " * 3900 + "b",
    "translate a to" + "\t" * 3900 + "x",
    "traduis a en anglais" + " " * 3900 + "x",
    "traduis a en anglais" + "." * 3900 + "x",
    "traduis a en anglais" + ", " * 1900 + "x",
    "traduis " + ": " * 1990,
    "traduis " + "du " * 1300,
    "traduis " + "a du français " * 280,
    "traduis le texte" + "\n" * 3900 + "a",
    "traduis a" + " en anglais ." * 330,
    "comment dire " + "en " * 1300,
    "traduction en anglais" + " " * 3900 + "x",
    "s'il te plait " * 280,
    "bonjour" + "!" * 3900 + "x",
    "hi," * 1300 + "x",
    "merci" + " " * 3900 + "x",
    "ok " * 1300 + "x",
    "transcris x" + ", " * 1900 + "y",
    "transcris" + " " * 3900 + ".wav",
    "transcris x.wav" + " ?" * 1900,
    "'" * 4000,
    "«" * 2000 + "»" * 2000,
    "\u0301" * 4000,
]


@pytest.mark.parametrize(("request_", "text", "source", "target"), TRANSLATIONS)
def test_a_translation_is_recognised(
    request_: str, text: str, source: str | None, target: str | None
) -> None:
    found = route(request_)
    assert found.route.task == "translation"
    assert (found.text, found.source, found.target) == (text, source, target)


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_goes_to_the_base_as_it_is(question: str) -> None:
    found = route(question)
    assert (found.route.task, found.text) == ("hr_faq", question)


@pytest.mark.parametrize(("text", "kind", "language"), SMALL_TALK)
def test_small_talk_is_recognised_with_its_language(text: str, kind: str, language: str) -> None:
    found = route(text)
    assert (found.route.task, found.text, found.source) == ("small_talk", kind, language)


@pytest.mark.parametrize(("request_", "name"), RECORDINGS)
def test_a_recording_is_recognised_by_verb_and_name(request_: str, name: str) -> None:
    found = route(request_)
    assert (found.route.task, found.text) == ("speech", name)


def test_the_name_of_an_existing_recording_is_enough(tmp_path: Path) -> None:
    recording = tmp_path / "réunion du 3 mai.wav"
    assert route(str(recording)).route.task == "hr_faq"
    recording.write_bytes(b"sound")
    for text in (str(recording), f"« {recording} »", f'"{recording}"', f"{recording} ?"):
        assert (route(text).route.task, route(text).text) == ("speech", str(recording))


def test_a_folder_named_like_a_recording_is_none(tmp_path: Path) -> None:
    folder = tmp_path / "sons.wav"
    folder.mkdir()
    assert route(str(folder)).route.task == "hr_faq"


@pytest.mark.parametrize("name", ["a" * 300 + ".mp3", "a\0b.mp3", "\ud800.mp3"])
def test_a_name_that_no_file_can_have_is_a_question(name: str) -> None:
    assert route(name).route.task == "hr_faq"


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        ("traduis en anglais : Il a dit « oui »", "Il a dit « oui »"),
        ("traduis en anglais : « oui » ou « non »", "« oui » ou « non »"),
        ("translate into French: 'yes' or 'no'", "'yes' or 'no'"),
        ("translate into French: the agents' rights", "the agents' rights"),
        ("translate into French: 'it isn't open'", "it isn't open"),
        ('traduis en anglais : "', '"'),
    ],
)
def test_only_quotes_around_the_whole_text_are_taken_off(request_: str, text: str) -> None:
    assert route(request_).text == text


def test_accents_in_two_parts_are_understood() -> None:
    for text in ("Ça va ?", "À bientôt", "s'il te plaît traduis en néerlandais : oui"):
        assert route(unicodedata.normalize("NFD", text)).route.task == route(text).route.task
        assert route(text).route.task != "hr_faq"


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_routed(text: str) -> None:
    # A pattern that backtracks would hang here.
    assert route(text[:LONGEST_REQUEST]).route.task in get_args(Task)


_PIECES = """traduis, translate, en anglais, into French, du français, comment dit-on, transcris,
x.wav, bonjour, merci, s'il te plaît, combien, le texte, «, », ", ', :, ?, …, \u202f"""
_WORDS = st.lists(st.sampled_from([*_PIECES.split(", "), "\n"]), max_size=12).map(" ".join)


@given(st.one_of(st.text(max_size=300), _WORDS))
def test_any_text_has_a_route(text: str) -> None:
    found = route(text)
    assert found.route.task in get_args(Task)
    assert 0 <= found.route.confidence <= 1
    assert found.route.why
    if found.route.task == "hr_faq":
        assert found.text == text


def test_why_is_told_in_the_language_of_the_interface(monkeypatch: pytest.MonkeyPatch) -> None:
    assert route("bonjour").route.why == "is small talk (greeting)"
    monkeypatch.setenv("EDGE_SLM_LANG", "fr")
    assert route("bonjour").route.why == "est une formule de politesse (greeting)"


def _shared(name: str) -> list[str]:
    path = SHARED / name
    if not path.is_file():
        pytest.skip(f"the shared data {name} is not beside this checkout")
    lines = path.read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["text"] for line in lines]


@pytest.mark.parametrize(
    "name",
    ["rh_reel_fr.jsonl", "admin_hors_rh_reel_fr.jsonl", "banking77_hors_perimetre_en.jsonl"],
)
def test_no_real_question_is_taken_for_something_else(name: str) -> None:
    questions = _shared(name)
    assert len(questions) > 100
    assert [text for text in questions if route(text.strip()).route.task != "hr_faq"] == []
