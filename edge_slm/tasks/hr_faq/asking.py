"""What kind of answer a question asks for, by its words: a figure, a yes or no, a unit."""

import re

from edge_slm.text import fold

_WANTS_FIGURE = re.compile(
    r"\b(combien|quand|a partir de (quand|quel)|jusqu'?a (quand|quelle)|"
    r"quel(le)?s? (est |sont )?(l[ae'] ?|les )?(\w+ ){0,2}?"
    r"(duree|delai|montant|taux|plafond|date|prix|pourcentage|heure|nombre|age|preavis|periode)s?|"
    r"(duree|delai|montant|plafond)s?|preavis|taux|how (many|much|long|often|old)|when|"
    r"what (is the )?(date|amount|rate|limit|number|age))\b"
)
# Words that ask for something else than a yes or a no, and the words around “que” that do not.
_WANTS_WORDS = re.compile(
    r"\b(combien|quels?|quelles?|lequel|laquelle|quand|comment|qui|que|quoi|pourquoi|d'ou|"
    r"ou (?:est|sont|se|je|on|faut|dois|puis|trouver|deposer|envoyer)|maximum|minimum|"
    r"how|what|when|who|which|where|why)\b"
)
_LINKS = re.compile(
    r"est[- ]ce qu(?:e\b|')|\b(?:parce|lorsque|ce|ceux|celles?|celui|alors|pendant|apres|avant|"
    r"faut[- ]il|texte|regle|loi) qu[ei]\b|qu'(?:ils?|elles?|on)\b"
)
_UNIT = re.compile(
    r"\b(jour|mois|an(?=s?\b|nee)|semaine|heure|euro|date|age(?=s?\b)|day|month|year|week|hour)"
)
_DENIES = re.compile(
    r"\bn(?:e |')(?:(?:\w')?\w+ ){1,7}?(?:pas|plus|jamais|aucun\w*|ni)\b|\baucun\w*\b|"
    r"\binterdit|\bexclu\w*|\bimpossible|\b(?:cannot|not|never|no longer)\b"
)


def wants_figure(question: str) -> bool:
    """Return whether a question asks for a number, an amount, a date or a duration."""
    return bool(_WANTS_FIGURE.search(fold(question)))


def wants_verdict(question: str) -> bool:
    """Return whether a question asks for a yes or a no."""
    folded = _LINKS.sub(" ", fold(question).replace("’", "'"))
    return "?" in folded and not _WANTS_WORDS.search(folded) and not wants_figure(question)


def units(text: str) -> set[str]:
    """Return the units of time and money that a text names."""
    found = set(_UNIT.findall(fold(text)))
    return found | {"euro"} if "€" in text else found


def denies(sentence: str) -> bool:
    """Return whether a sentence holds a negation or a ban."""
    return bool(_DENIES.search(fold(sentence).replace("’", "'")))
