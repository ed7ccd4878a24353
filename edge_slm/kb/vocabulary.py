"""What agents say, and what the rules call it: a question is searched for both.

The rules say “autorisation spéciale d'absence” where an agent says “jour enfant malade”. Each line
is a way of speaking and the words that documents use; they are added to the question, never taken
away from it.
"""

import re
from functools import cache

from edge_slm.i18n import Language
from edge_slm.text import fold

# What goes without saying when a civil servant asks, and tells rules for them from others'.
CIVIL_SERVICE: dict[Language, str] = {"fr": "fonction publique", "en": "civil service"}

# Folded: lower case, no accents; matched as whole words.
_SPOKEN_FR = """
arret maladie: congé de maladie
asa: autorisation spéciale d'absence
boite: employeur
bosse|bosser|bosses: travail
boulot|taf: travail
cdi: contrat à durée indéterminée
cdd: contrat à durée déterminée
cet: compte épargne-temps
cia: complément indemnitaire annuel
citis: congé pour invalidité temporaire imputable au service
cld: congé de longue durée
clm: congé de longue maladie
cgm: congé de grave maladie
cmo: congé de maladie ordinaire
conge mat|conge mater: congé de maternité
conge pat|conge pater: congé de paternité
covoiturage|velo: forfait mobilités durables
cpf: compte personnel de formation
demissionne|demissionner: démission
dispo: disponibilité
enceinte: grossesse maternité
enfant malade: autorisation d'absence garde d'enfant
heures sup|heure sup: heures supplémentaires
hotel|note de frais|notes de frais: frais de mission hébergement
jumeaux|jumelles|triples: naissances multiples
mariage|me marie|nous marions|se marier|pacs|pacse|pacser: mariage pacs autorisation d'absence
mi-temps: temps partiel
mutuelle: protection sociale complémentaire
navigo|pass navigo|carte de bus|abonnement de train: transport remboursement abonnement
nbi: nouvelle bonification indiciaire
paie|paye|payee|payes: rémunération traitement
pole emploi|france travail|chomage: allocation d'aide au retour à l'emploi
prime: indemnité
rifseep: régime indemnitaire
sft: supplément familial de traitement
teletravaille|teletravailler|distanciel: télétravail
ticket resto|tickets resto|tickets restos|ticket restaurant|tickets restaurant: titres-restaurant
vacances: congés annuels
virer|vire|viree: licenciement
"""


def expanded(question: str, language: Language = "fr") -> str:
    """Return a question followed by the documents' own words for what it says.

    Args:
        question: the question.
        language: language of the documents; only French has such words yet.
    """
    if language != "fr":
        return question
    folded = fold(question).replace("’", "'")
    said = [words for pattern, words in _entries() if pattern.search(folded)]
    return " ".join([question, *dict.fromkeys(said)])


@cache
def _entries() -> tuple[tuple[re.Pattern[str], str], ...]:
    lines = (line.partition(": ") for line in _SPOKEN_FR.strip().splitlines())
    return tuple((re.compile(rf"\b(?:{spoken})\b"), words) for spoken, _, words in lines)
