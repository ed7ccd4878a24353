"""Translation line by line, with a scripted model."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_slm.errors import UsageError
from edge_slm.tasks.translation import LONGEST, LONGEST_SENTENCE, read_glossary, translate
from tests.fakes import ScriptedChat


class Echo(ScriptedChat):
    """Gives back what it was asked to translate, in capitals."""

    def __init__(self) -> None:
        super().__init__([])

    def count_tokens(self, text: str) -> int:
        """Return the number of words; the reply to the last message is put in the script."""
        self._replies = [text.upper()]
        return super().count_tokens(text)


def run(text: str, replies: list[str], *, complete: bool = True) -> tuple[str, list[str]]:
    """Return a translation from French into English, and its warnings."""
    result = translate(ScriptedChat(replies, complete=complete), text, "fr", "en")
    return "".join(result.pieces), result.warnings


@pytest.mark.parametrize(
    ("line", "reply", "expected"),
    [
        ("# Les congés", "Leave", "# Leave"),
        ("### Durée  \n", "Duration", "### Duration  \n"),
        ("- un point\n", "a point", "- a point\n"),
        ("  * un point", "a point", "  * a point"),
        ("12. un point", "a point", "12. a point"),
        ("> > citation", "quotation", "> > quotation"),
        ("\tindenté\t\n", "indented", "\tindented\t\n"),
        ("fin de ligne\r\n", "end of line", "end of line\r\n"),
        ("mot", " \n word", "word"),
    ],
)
def test_marks_at_the_edges_of_a_line_stay(line: str, reply: str, expected: str) -> None:
    assert run(line, [reply]) == (expected, [])


@pytest.mark.parametrize(
    "text", ["", "\n\n", "   ", "---", "12 | 34\n", "***\n\n1. \n", "2,88 €", "🙂"]
)
def test_what_holds_no_letter_is_copied_without_a_model(text: str) -> None:
    assert run(text, []) == (text, [])


def test_code_is_copied() -> None:
    text = "Avant\n\n```python\nprint('bonjour')\n```\n~~~\nles mots\n~~~\nAprès"
    expected = "Before\n\n```python\nprint('bonjour')\n```\n~~~\nles mots\n~~~\nAfter"
    assert run(text, ["Before", "After"]) == (expected, [])


def test_code_that_never_ends_is_copied_to_the_end() -> None:
    text = "```\nles mots\nencore"
    assert run(text, []) == (text, [])


def test_a_long_paragraph_is_cut_at_sentences() -> None:
    sentence = "Cette phrase dit une chose et une autre encore."
    chat = Echo()
    result = translate(chat, " ".join([sentence] * 30), "fr", "en")
    assert "".join(result.pieces) == " ".join([sentence.upper()] * 30)
    asked = [messages[-1].content for messages in chat.asked]
    assert len(asked) > 2
    assert all(len(text) < LONGEST and text.endswith(".") for text in asked)


def test_what_is_no_sentence_is_cut_between_words() -> None:
    chat = Echo()
    text = "mot " * 3000 + "x" * 5000
    result = translate(chat, text, "fr", "en")
    assert "".join("".join(result.pieces).split()) == text.upper().replace(" ", "")
    assert max(len(messages[-1].content) for messages in chat.asked) <= LONGEST_SENTENCE


def test_a_line_of_spaces_inside_is_no_trouble() -> None:
    text, _ = run("mot" + " " * 200_000 + "\n", ["word"])
    assert text == "word" + " " * 200_000 + "\n"


def test_nothing_is_asked_before_the_pieces_are_read() -> None:
    chat = ScriptedChat(["Hello"])
    result = translate(chat, "Bonjour", "fr", "en")
    assert chat.asked == []
    assert next(result.pieces) == "Hello"


def test_pieces_are_never_empty() -> None:
    result = translate(ScriptedChat(["a word ", "more"]), "un mot\n\nplus", "fr", "en")
    assert "" not in list(result.pieces)


def test_the_model_is_told_both_languages_and_given_room() -> None:
    chat = ScriptedChat(["Hallo"])
    list(translate(chat, "Bonjour", "fr", "de").pieces)
    assert "from French into German" in chat.asked[0][0].content
    assert chat.asked[0][-1].content == "Bonjour"
    assert (chat.max_tokens[0] or 0) > 2


def test_tokens_of_all_lines_are_counted() -> None:
    result = translate(ScriptedChat(["one two", "three"]), "un deux\ntrois", "fr", "en")
    list(result.pieces)
    assert result.usage.completion_tokens == 3
    assert result.usage.prompt_tokens > 20


@pytest.mark.parametrize(
    ("text", "reply", "lost"),
    [
        ("Il a 25 jours.", "He has days.", "25"),
        ("Il a 25 jours.", "He has 26 days.", "25"),
        ("soit 1 234,50 € et 3 %", "that is €1,234 and 3%", "1234.50"),
    ],
)
def test_a_lost_figure_is_a_warning(text: str, reply: str, lost: str) -> None:
    translation, (warning,) = run(text, [reply])
    assert translation == reply
    assert f"Check the figures: {lost} is missing" in warning


def test_a_kept_figure_is_no_warning() -> None:
    assert run("soit 1 234,50 € et 3 %", ["that is €1234.50 and 3%"])[1] == []


def test_a_translation_cut_off_is_a_warning() -> None:
    text, (warning,) = run("Bonjour à tous", ["Hello to"], complete=False)
    assert text == "Hello to"
    assert warning == "The translation of “Bonjour à tous” was cut off."


def test_an_empty_reply_is_empty() -> None:
    assert run("Bonjour", [""]) == ("", [])


def test_the_glossary_is_told_where_its_terms_stand() -> None:
    chat = ScriptedChat(["annual leave", "the mayor"])
    pairs = [("Congés annuels", "annual leave"), ("retraite", "pension")]
    result = translate(chat, "les congés annuels\nle maire", "fr", "en", pairs)
    list(result.pieces)
    assert "Congés annuels = annual leave" in chat.asked[0][0].content
    assert "retraite" not in chat.asked[0][0].content
    assert "glossary" not in chat.asked[1][0].content
    assert result.warnings == []


def test_a_term_that_was_not_used_is_a_warning() -> None:
    result = translate(ScriptedChat(["holidays"]), "congés", "fr", "en", [("congés", "leave")])
    list(result.pieces)
    assert result.warnings == ["The glossary's “leave” was not used for “congés”."]


@given(st.text(alphabet="aé1 -#>*.\n\t`~|", max_size=60))
def test_only_the_words_of_a_text_change(text: str) -> None:
    chat = Echo()
    translated = "".join(translate(chat, text, "fr", "en").pieces)
    assert translated.upper().split() == text.upper().split()
    assert len(translated.splitlines()) == len(text.splitlines())


def glossary(folder: Path, data: bytes) -> Path:
    """Return a file that holds these bytes."""
    path = folder / "glossaire.csv"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    "data",
    [
        "congé,leave\nmaire,mayor\n",
        "congé;leave\r\nmaire;mayor\r\n",
        "\ufeffcongé , leave\n\n,\nmaire,mayor",
        '"congé","leave"\n"maire","mayor"',
    ],
)
def test_a_glossary_of_two_columns(data: str, tmp_path: Path) -> None:
    path = glossary(tmp_path, data.encode())
    assert read_glossary(path) == [("congé", "leave"), ("maire", "mayor")]


def test_a_comma_may_stand_inside_quotes_or_beside_semicolons(tmp_path: Path) -> None:
    assert read_glossary(glossary(tmp_path, b'"a, b",c')) == [("a, b", "c")]
    assert read_glossary(glossary(tmp_path, b"a, b;c\nd;e")) == [("a, b", "c"), ("d", "e")]


def test_an_empty_glossary_holds_nothing(tmp_path: Path) -> None:
    assert read_glossary(glossary(tmp_path, b"")) == []
    assert read_glossary(glossary(tmp_path, b"\n\n,\n")) == []


@pytest.mark.parametrize(
    ("data", "row"),
    [
        (b"a,b\nc,\n", 2),
        (b"a,b\n ,d\n", 2),
        (b"a,b,c\n", 1),
        (b"a\n", 1),
        (b"a,b\n\n\nc\n", 4),
        (b"\0\0\0\0", 1),
    ],
)
def test_a_row_without_two_columns_is_named(data: bytes, row: int, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=rf"Row {row} of the glossary .*two columns"):
        read_glossary(glossary(tmp_path, data))


@pytest.mark.parametrize("data", [b"\xff\xfe\x00\x01", b"cong\xe9,leave", b"a" * 200_000 + b",b"])
def test_what_is_no_text_of_cells_cannot_be_read(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_glossary(glossary(tmp_path, data))


def test_no_file_and_a_folder_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.csv", tmp_path):
        with pytest.raises(UsageError, match="cannot be read"):
            read_glossary(path)
