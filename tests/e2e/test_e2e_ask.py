"""`edge-slm ask`: the answer contract, the right page, declining, and what a person sees."""

import json

import pytest

from .runner import AUDIO, CHAT, MONGOLIA, TWINS, Runner

pytestmark = [pytest.mark.model, pytest.mark.usefixtures("demo")]

# The answer, as the design page fixes it; None stands for any value.
CONTRACT: dict[str, dict[str, None] | None] = {
    "text": None,
    "kind": None,
    "task": None,
    "language": None,
    "ai_generated": None,
    "sources": None,
    "route": dict.fromkeys(["task", "confidence", "why"]),
    "model": None,
    "usage": dict.fromkeys(["prompt_tokens", "cached_tokens", "completion_tokens"]),
    "timings_ms": None,
    "energy": dict.fromkeys(["joules", "low", "high", "method", "wh"]),
    "warnings": None,
}
SOURCE = {"kb", "document", "title", "page", "section", "passage", "quote", "score"}


def test_json_is_the_answer_contract(run: Runner) -> None:
    result = run("ask", "--json", TWINS)
    assert result.returncode == 0
    assert result.stderr == ""
    answer = json.loads(result.stdout)
    for key, inner in CONTRACT.items():
        assert key in answer
        if inner is not None:
            assert set(inner) <= set(answer[key])
    assert set(answer["sources"][0]) == SOURCE
    assert {"route", "search", "first_token", "total"} <= set(answer["timings_ms"])
    assert answer["task"] == answer["route"]["task"] == "hr_faq"
    assert answer["language"] == "fr"
    assert "32" in answer["text"]
    first = answer["sources"][0]
    assert (first["kb"], first["document"], first["page"]) == (
        "exemple-rh",
        "conge-paternite.md",
        1,
    )
    assert (answer["model"] is None) == (not answer["ai_generated"])
    assert answer["energy"]["joules"] != 0


def test_off_the_subject_is_declined_with_exit_code_1(run: Runner) -> None:
    result = run("ask", MONGOLIA)
    assert result.returncode == 1
    assert result.stderr == ""
    assert "traduire" in result.stdout
    assert "Oulan" not in result.stdout
    assert "Source" not in result.stdout


# Questions in the words of the documents: what is tested is the page, not the search.
@pytest.mark.parametrize(
    ("question", "document", "page", "words"),
    [
        (
            "Où se trouve le point de rassemblement en cas d'incendie ?",
            "guide-accueil-agent.pdf",
            6,
            "kiosque",
        ),
        (
            "Quelle indemnité forfaitaire est versée par jour de télétravail effectué ?",
            "reglement-teletravail.docx",
            3,
            "2,88",
        ),
        (
            "Combien de jours après le retour la note de frais est-elle remplie au plus tard ?",
            "charte-deplacements.odt",
            3,
            "60 jours",
        ),
    ],
)
def test_pages_of_other_formats(
    run: Runner, question: str, document: str, page: int, words: str
) -> None:
    answer = run.json("ask", question, "--model", CHAT)
    first = answer["sources"][0]
    assert (first["document"], first["page"]) == (document, page)
    assert words in answer["text"].replace("\u202f", " ").replace("\xa0", " ")
    assert words in run("kb", "show", "exemple-rh", document, "--page", str(page)).stdout


def test_people_see_the_answer_its_source_and_nothing_else(run: Runner) -> None:
    result = run("ask", *TWINS.split(), env={"EDGE_SLM_LANG": "fr"})
    assert result.returncode == 0
    assert result.stderr == ""
    text, _, source = result.stdout.strip().partition("\n\n")
    assert "32" in text
    assert source.startswith("Source : ")
    assert "page 1" in source
    assert "conge-paternite.md" in source


def test_why_tells_the_route_times_and_tokens(run: Runner) -> None:
    shown = run("ask", TWINS, "--why").stdout
    for words in ("Route: hr_faq", "Kind: ", "Times: ", "search", "Model: ", "Energy: "):
        assert words in shown


def test_the_question_may_come_on_standard_input(run: Runner) -> None:
    answer = run.json("ask", "-", text=f"{TWINS}\n")
    assert answer["sources"][0]["document"] == "conge-paternite.md"


def test_a_question_in_english_gets_english_around_the_passages(run: Runner) -> None:
    # The base is French: it may decline, but it may not invent or change the language.
    result = run("ask", "--json", "--model", CHAT, "How long is paternity leave for twins?")
    answer = json.loads(result.stdout)
    assert answer["language"] == "en"
    assert result.returncode == (1 if answer["kind"] == "declined" else 0)
    if answer["kind"] == "declined":
        assert "I do not find" in answer["text"]
    else:
        assert answer["sources"][0]["document"] == "conge-paternite.md"


def test_a_base_can_be_named(run: Runner, base: str) -> None:
    empty = json.loads(run("ask", "--json", "--kb", base, TWINS).stdout)
    assert empty["kind"] == "declined"
    assert run.json("ask", "--kb", base, "--kb", "exemple-rh", TWINS)["kind"] != "declined"


def test_a_recording_is_written_down(run: Runner) -> None:
    result = run("ask", AUDIO / "question.flac")
    assert result.returncode == 0
    assert "paternité" in result.stdout


def test_a_translation_is_recognised(run: Runner) -> None:
    request = "traduis en anglais : La mairie est fermée le 14 juillet."
    answer = run.json("ask", request, "--model", CHAT)
    assert (answer["kind"], answer["language"]) == ("translation", "en")
    assert "14" in answer["text"]
    assert "closed" in answer["text"].lower()


def test_a_greeting_needs_no_model_and_no_base(bare: Runner) -> None:
    answer = bare.json("ask", "Bonjour !")
    assert (answer["task"], answer["model"]) == ("small_talk", None)
    assert not bare.home.exists()
