"""chrF and WER: figures of the reference programs, and what must hold of any texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_slm.evaluation.text_scores import chrf, word_error_rate, word_errors

TEXTS = st.text(max_size=30)


# From sacrebleu 2.6.0: CHRF().corpus_score(written, [wanted]).score
@pytest.mark.parametrize(
    ("written", "wanted", "score"),
    [
        (
            ["The cat sat on the mat.", "Bonjour à tous"],
            ["The cat is on the mat.", "Bonjour tout le monde"],
            52.140058104887785,
        ),
        (["ab"], ["abc"], 63.636363636363626),
        (["abc"], ["ab"], 87.5),
        (
            ["La demande doit arriver un mois avant."],
            ["La demande doit parvenir un mois à l'avance."],
            52.86741086993848,
        ),
        ([""], ["a"], 0.0),
        (["xyz"], ["abc"], 0.0),
    ],
)
def test_chrf_is_that_of_sacrebleu(written: list[str], wanted: list[str], score: float) -> None:
    assert chrf(written, wanted) == pytest.approx(score)


# From jiwer 4.0.0, case and punctuation taken off by hand.
@pytest.mark.parametrize(
    ("heard", "said", "rate"),
    [
        ("le chat dort", "le chat dort bien", 0.25),
        ("le petit chat dort", "le chat dort", 1 / 3),
        ("un chien dort", "le chat dort", 2 / 3),
        ("", "le chat", 1.0),
        ("a b c d", "e", 4.0),
    ],
)
def test_word_error_rate_is_that_of_jiwer(heard: str, said: str, rate: float) -> None:
    assert word_error_rate([heard], [said]) == pytest.approx(rate)


def test_case_apostrophes_and_punctuation_are_no_word_errors() -> None:
    assert word_errors("L'état-civil, c’est ici!", "l’état civil C'EST ici.") == (0, 6)


def test_figures_written_otherwise_are_errors() -> None:
    assert word_errors("à 10h", "à dix heures")[0] == 2


def test_a_set_is_scored_by_its_words_not_by_its_texts() -> None:
    assert word_error_rate(["a b c", "x"], ["a b c", "y"]) == 0.25


def test_nothing_said_has_no_rate() -> None:
    assert word_error_rate(["un mot"], [" ...  "]) is None
    assert word_error_rate([], []) is None


def test_as_many_references_as_texts_are_needed() -> None:
    with pytest.raises(ValueError):
        chrf(["a"], [])
    with pytest.raises(ValueError):
        word_error_rate(["a"], [])


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=4))
def test_chrf_lies_between_nothing_and_a_hundred(pairs: list[tuple[str, str]]) -> None:
    score = chrf([a for a, _ in pairs], [b for _, b in pairs])
    assert 0 <= score <= 100 + 1e-9


@given(st.lists(st.text(alphabet="abcé ", min_size=1).filter(str.strip), min_size=1, max_size=4))
def test_a_text_is_like_itself(texts: list[str]) -> None:
    assert chrf(texts, texts) == pytest.approx(100)
    assert word_error_rate(texts, texts) == 0


@given(TEXTS, TEXTS)
def test_word_errors_are_a_distance(a: str, b: str) -> None:
    there, words = word_errors(a, b)
    back, others = word_errors(b, a)
    assert there == back
    assert abs(words - others) <= there <= max(words, others)
