"""What a question says of whom it is about, by its words alone."""

import re

from edge_slm.i18n import Language
from edge_slm.kb.vocabulary import CIVIL_SERVICE
from edge_slm.text import fold

# The people of private-sector labour law. A base for civil servants shares most of its words with
# that law, and none of its rules. Folded: lower case, no accents.
_PRIVATE_SECTOR: dict[Language, re.Pattern[str]] = {
    "fr": re.compile(
        r"\b(?:salarie(?:e|s|es)?|entreprises?|secteur prive|dans le prive|patron(?:s|ne)?|"
        r"code du travail|conventions? collectives?|prud'?hom\w+|comite social et economique|"
        r"particuliers? employeurs?|"
        r"commercants?|artisans?|independants?|gerants?|professions? liberales?|interimaires?|"
        r"licenciement economique|clients?|fournisseurs?|locataires?|proprietaires?|bail|"
        r"(?:un|les?|des|aux|du|ces?|chaque|tout|tous) professionnels?)\b"
    ),
    "en": re.compile(
        r"\b(?:private sector|compan(?:y|ies)|collective agreements?|labou?r code|self-employed|"
        r"freelancers?|shopkeepers?|tenants?|landlords?)\b"
    ),
}
# A remainder, a file under way, the person of one office: no document for everybody says it.
_PERSONAL = re.compile(
    r"\b(?:(?:me|nous) reste(?:-t-il|nt)?|il me reste|ou en (?:est|sont)|"
    r"mon solde|mes soldes|ma demande (?:est|a)|mon dossier (?:est|a|avance)|"
    r"(?:a|ont) ete (?:valide|traite|versee?)\w*|"
    r"(?:qui|quel|quelle) (?:est|sont) (?:le |la |l')?(?:\w+ ){1,3}(?:de |d')?"
    r"(?:mon|ma|notre|nos|mes) |numero de (?:telephone|poste) d|mot de passe|"
    r"do i have left|is my (?:request|file|application)|my password|who is (?:my|our))\b"
)
_YEAR = re.compile(r"(?<![\d.,])(?:19[89]|20\d)\d(?![\d.,]?\d)")


def is_outside(question: str, language: Language, audience: str) -> bool:
    """Return whether a question is about people that a base with this audience is not for.

    Only the audience of civil servants has a known outside; another base shuts nobody out.
    """
    if audience != CIVIL_SERVICE[language]:
        return False
    folded = fold(question).replace("’", "'")
    if "fonction publique" in folded or "civil serv" in folded:
        return False
    return any(pattern.search(folded) for pattern in _PRIVATE_SECTOR.values())


def is_personal(question: str) -> bool:
    """Return whether a question asks what only the asker's own file or office can tell."""
    return bool(_PERSONAL.search(fold(question).replace("’", "'")))


def years(text: str) -> set[str]:
    """Return the years from 1980 to 2099 that a text names."""
    return set(_YEAR.findall(text))
