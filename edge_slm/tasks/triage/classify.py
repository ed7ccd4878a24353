"""Which labels a mail bears: nearness of meaning and shared words, weighed, with a probability.

Two signals for each label: the cosine of the mail with the label's texts (name with description,
examples) and the words that they share, by their rarity among the labels. Nothing is written by a
model. What was measured, and where the figures come from: docs/decisions/0015-triage.md.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_slm.engines import Embedder
from edge_slm.kb.lexical import stems
from edge_slm.tasks.triage.labels import Label
from edge_slm.tasks.triage.vectors import kept_vectors

Array = NDArray[np.float64]

LONGEST_EMBEDDED = 1500  # characters: the embedder cuts at 512 tokens
WORDS_WEIGHT = 0.015  # of the logarithm of shared words, beside a cosine
# Logistic model of the probability that the first label is right, and its two signals.
INTERCEPT, MARGIN, OVER_NOTHING = -0.25, 58.5, 19.8
NOTHING_BELOW = 0.55  # probability under which no label is given
# A second request: enough rare words that the first label does not hold, against the first's.
SECOND_WORDS, SECOND_SHARE, SECOND_SHARE_SAID = 1.9, 0.6, 0.3

# What is nobody's work; a mail nearer to these than to any label bears none. Nothing that may be
# somebody's label (invoices, noise in the street) stands here.
NOTHING = (
    "Publicité, promotion, offre commerciale, lettre d'information, désinscription",
    "Hameçonnage : confirmez vos identifiants, cliquez sur le lien, compte suspendu",
    "Réponse automatique d'absence du bureau",
    "Remerciements, vœux, félicitations, sans demande",
    "Où en est mon dossier ? Merci de me rappeler.",
)
# Words of every mail: they tell no label from another.
_OF_EVERY_MAIL = frozenset(
    stem
    for language, words in {
        "fr": """bonjour bonsoir merci cordialement madame monsieur mesdames messieurs salutations
            bien vouloir voudrais souhaite souhaiterais aimerais pouvez pourriez puis pouvoir
            savoir demande demander envoyer envoie transmettre joint jointe pièce message mail
            courriel réponse répondre question hier demain matin soir jour jours semaine mois année
            dernier prochain lundi mardi mercredi jeudi vendredi samedi dimanche janvier février
            mars avril mai juin juillet août septembre octobre novembre décembre avance possible
            concernant suite chef service mairie ville agent objet urgent""",
        "en": """hello dear sir madam regards please thank thanks like would know want need send
            message mail answer question yesterday tomorrow day days week month year monday
            tuesday wednesday thursday friday saturday sunday january february march april may
            june july august september october november december town office attached""",
    }.items()
    for stem in stems(words, "en" if language == "en" else "fr")
)
_SEVERAL = re.compile(
    r"(?:deux|trois|plusieurs|two|three|several) (?:choses|questions|demandes|points|things|"
    r"requests)|\b(?:d'abord|premièrement|first(?:ly)?)\b.{0,600}\b(?:ensuite|enfin|"
    r"deuxièmement|second(?:ly)?|then)\b|(?:^|\n)\s*(?:1|a)[).°]\s?.{0,600}\n\s*(?:2|b)[).°]|"
    r"\b(?:autre question|par ailleurs|d'autre part|je profite|souhaite aussi|voudrais aussi|"
    r"voudrais également|souhaite également|another question|i also)\b",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True)
class Verdict:
    """What the classifier says of a mail.

    Attributes:
        labels: those that it bears, best first; none where `confidence` is too low.
        ranked: all labels, best first.
        confidence: the probability (0 to 1) that the best label is right.
        several: whether the mail seems to ask for several things.
    """

    labels: tuple[Label, ...]
    ranked: tuple[Label, ...]
    confidence: float
    several: bool


class Classifier:
    """Knows a list of labels; made once, used for many mails."""

    def __init__(self, labels: Sequence[Label], embedder: Embedder, model: str = "") -> None:
        """Embed the labels, unless that was done before.

        Args:
            labels: at least one.
            embedder: the embedding model.
            model: its id, by which vectors are kept on the disk; "" keeps none.
        """
        self._labels = tuple(labels)
        self._embedder = embedder
        texts = [label.texts for label in labels] + [NOTHING]
        owners = [place for place, own in enumerate(texts) for _ in own]
        self._owners = np.array(owners)
        self._vectors = kept_vectors(embedder, [text for own in texts for text in own], model)
        self._words = [frozenset(_words(" ".join(own))) for own in texts]
        counts = Counter(word for words in self._words for word in words)
        total = len(texts)
        self._rarity = {
            word: math.log(1 + (total - count + 0.5) / (count + 0.5))
            for word, count in counts.items()
        }
        self._rarest = math.log(1 + (total - 0.5) / 1.5)

    def classify(self, text: str) -> Verdict:
        """Label a mail.

        Args:
            text: subject and text, masked.
        """
        shared = self._shared(text)  # rows: labels and, last, nothing; columns: words
        words = shared.sum(axis=1)
        score = self._cosines(text) + WORDS_WEIGHT * np.log1p(words)
        *of_labels, nothing = score.tolist()
        order = sorted(range(len(of_labels)), key=lambda place: -of_labels[place])
        best = order[0]
        runner_up = of_labels[order[1]] if len(order) > 1 else nothing
        confidence = _probability(of_labels[best] - runner_up, of_labels[best] - nothing)
        if not shared.shape[1]:  # without a word, only the length of the text is compared
            confidence = 0.0
        several = bool(_SEVERAL.search(text.replace("’", "'")))
        labels: tuple[int, ...] = ()
        if confidence >= NOTHING_BELOW:
            labels = (best, *self._second(shared, best, several))
        return Verdict(
            labels=tuple(self._labels[place] for place in labels),
            ranked=tuple(self._labels[place] for place in order),
            confidence=confidence,
            several=several,
        )

    def _cosines(self, text: str) -> Array:
        """Return the best cosine with the texts of each label, and of nothing."""
        vector = self._embedder.embed_query(text[:LONGEST_EMBEDDED])
        cosines = (self._vectors @ vector).astype(np.float64)
        return np.array([cosines[self._owners == place].max() for place in range(len(self._words))])

    def _shared(self, text: str) -> Array:
        """Return how much each word of a text counts for each label (labels + 1 x words)."""
        said = sorted(set(_words(text)))
        rows = [[self._counts(word, own) for word in said] for own in self._words]
        return np.array(rows, np.float64).reshape(len(self._words), len(said))

    def _counts(self, word: str, own: frozenset[str]) -> float:
        if word in own:
            return self._rarity[word]
        return max((_nearness(word, one) * self._rarity[one] for one in own), default=0.0)

    def _second(self, shared: Array, best: int, several: bool) -> tuple[int, ...]:
        """Return the label that the words left over by the best one speak for, if they do."""
        left = shared[:-1, shared[best] < 0.3].sum(axis=1)
        place = int(left.argmax()) if left.size else best
        share = SECOND_SHARE_SAID if several else SECOND_SHARE
        enough = left[place] >= SECOND_WORDS * self._rarest * (0.5 if several else 1)
        return (place,) if enough and left[place] >= share * shared[best].sum() else ()


def _probability(margin: float, over_nothing: float) -> float:
    logit = INTERCEPT + MARGIN * margin + OVER_NOTHING * over_nothing
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))


def _words(text: str) -> list[str]:
    """Return the stems that may tell a label; numbers do not."""
    return [
        word
        for word in stems(text[:20_000])
        if len(word) > 1 and not word.isdigit() and word not in _OF_EVERY_MAIL
    ]


def _nearness(one: str, other: str) -> float:
    """Return how surely two stems are of one family: “télétravail” and “télétravailler”."""
    shorter, longer = sorted((one, other), key=len)
    if len(shorter) >= 5 and longer.startswith(shorter):
        return 0.8
    return 0.7 if len(shorter) >= 7 and shorter[:7] == longer[:7] else 0.0
