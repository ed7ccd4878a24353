"""What agents say, and what the rules call it: a question is searched for both.

The rules say “autorisation spéciale d'absence” where an agent says “jour enfant malade”, and an
agent spells out what a document abbreviates, or the other way round. The words of the documents
are added to the question, never taken away from it. What a base holds of its own is in words.py
and synonyms.py.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache

import msgspec

from edge_slm.i18n import Language
from edge_slm.stop_words import STOP_WORDS
from edge_slm.text import fold

# What goes without saying when a civil servant asks, and tells rules for them from others'.
CIVIL_SERVICE: dict[Language, str] = {"fr": "fonction publique", "en": "civil service"}

# Folded: lower case, no accents; matched as whole words.
_SPOKEN_FR = """
accident de trajet|accident du travail: congé pour invalidité imputable au service
accident de service: congé pour invalidité imputable au service
arret maladie: congé de maladie
assistante maternelle|nounou|creche: garde d'enfant
boite: employeur
bosse|bosser|bosses: travail
boulot|taf: travail
carte de bus|abonnement de train|navigo|pass navigo: transport remboursement abonnement
chef|n+1|mon superieur: supérieur hiérarchique
conge mat|conge mater: congé de maternité
conge pat|conge pater: congé de paternité
covoiturage|velo|trottinette: forfait mobilités durables
deces|obseques|enterrement: décès autorisation d'absence
demenage|demenager: déménagement changement de résidence
demissionne|demissionner: démission
dispo: disponibilité
double emploi|deuxieme emploi|second emploi|auto-entrepreneur: cumul d'activités
enceinte: grossesse maternité
enfant malade: autorisation d'absence garde d'enfant
fac|master|etudes: formation
fauteuil|rqth|handicape: handicap
greve|greviste: droit de grève
harcele|harceler|harcelee: harcèlement
heures sup|heure sup: heures supplémentaires
hotel|note de frais|notes de frais: frais de mission hébergement
jumeaux|jumelles|triples: naissances multiples
mariage|me marie|nous marions|se marier|pacs|pacse|pacser: mariage pacs autorisation d'absence
mi-temps: temps partiel
mutuelle: protection sociale complémentaire
paie|paye|payee|payes|salaire: rémunération traitement
plainte|agresse|agressee|insulte: protection fonctionnelle
pole emploi|france travail|chomage: allocation d'aide au retour à l'emploi
prime: indemnité
quitter l'administration: démission rupture conventionnelle
teletravaille|teletravailler|distanciel: télétravail
ticket resto|tickets resto|tickets restos|ticket restaurant|tickets restaurant: titres-restaurant
vacances: congés annuels
vire|viree|virer: licenciement
"""

# Both ways: who writes the one is also searched for the other.
_ACRONYMS_FR = """
are: allocation d'aide au retour à l'emploi
asa: autorisation spéciale d'absence
ati: allocation temporaire d'invalidité
cap: commission administrative paritaire
ccp: commission consultative paritaire
cdd: contrat à durée déterminée
cdi: contrat à durée indéterminée
cet: compte épargne-temps
cfp: congé de formation professionnelle
cgm: congé de grave maladie
chsct: comité d'hygiène, de sécurité et des conditions de travail
cia: complément indemnitaire annuel
citis: congé pour invalidité temporaire imputable au service
cld: congé de longue durée
clm: congé de longue maladie
cmo: congé de maladie ordinaire
cnracl: caisse nationale de retraites des agents des collectivités locales
cpf: compte personnel de formation
csg: contribution sociale généralisée
cst: comité social territorial
dif: droit individuel à la formation
dpf: démission pour formation
ehpad: établissement d'hébergement pour personnes âgées dépendantes
epci: établissement public de coopération intercommunale
fph: fonction publique hospitalière
fpe: fonction publique d'État
fpt: fonction publique territoriale
gipa: garantie individuelle du pouvoir d'achat
ifse: indemnité de fonctions, de sujétions et d'expertise
ifts: indemnités forfaitaires pour travaux supplémentaires
ihts: indemnités horaires pour travaux supplémentaires
nbi: nouvelle bonification indiciaire
ppr: période préparatoire au reclassement
psc: protection sociale complémentaire
rafp: retraite additionnelle de la fonction publique
rifseep: régime indemnitaire
rqth: reconnaissance de la qualité de travailleur handicapé
rtt: réduction du temps de travail
sar: supplément annuel de rémunération
sft: supplément familial de traitement
tpt: temps partiel thérapeutique
vae: validation des acquis de l'expérience
"""
# “mon cet” is the account, “cet agent” is not.
_DETERMINERS = "mon|ton|son|le|un|du|au|notre|votre|leur|l'"


class Synonym(msgspec.Struct, frozen=True):
    """What people say, and the words that documents use for it."""

    said: str
    written: str


def expanded(question: str, language: Language = "fr", own: Iterable[Synonym] = ()) -> str:
    """Return a question followed by the documents' own words for what it says.

    Args:
        question: the question.
        language: language of the documents; only French has built-in words yet.
        own: a base's own words, which win over the built-in ones for the same saying.
    """
    folded = flat(question)
    own = list(own)
    taken = {flat(item.said) for item in own}
    said = [item.written for item in own if _pattern(item.said).search(folded)]
    if language == "fr":
        said += _built_in(question, folded, taken)
    new = [words for words in dict.fromkeys(said) if not _pattern(words).search(folded)]
    return " ".join([question, *new])


def abbreviated(said: str, ordinary: bool) -> re.Pattern[str]:
    """Return the pattern, for text as it is written, of an abbreviation that stands in it.

    Args:
        said: the abbreviation, folded.
        ordinary: it is also a word (“CET”, “ARE”), and counts in capitals or after a determiner
            only.
    """
    letters = re.escape(said)
    if not ordinary:
        return re.compile(rf"(?i:\b{letters}\b)")
    return re.compile(rf"\b{letters.upper()}\b|(?i:\b(?:{_DETERMINERS})\s?{letters}\b)")


def flat(text: str) -> str:
    """Return a text folded, its apostrophes and white space made plain."""
    return " ".join(fold(text).replace("’", "'").split())


def _built_in(question: str, folded: str, taken: set[str]) -> Iterator[str]:
    for pattern, words in _entries():
        if pattern.search(folded):
            yield words
    for short, pattern, long, spelt in _acronyms():
        if short in taken:
            continue
        if pattern.search(question):
            yield long
        elif spelt.search(folded):
            yield short.upper()


@lru_cache(maxsize=10_000)
def _pattern(said: str) -> re.Pattern[str]:
    # “compte épargne temps” is “compte épargne-temps”.
    words = "[ -]".join(map(re.escape, re.split("[ -]", flat(said))))
    return re.compile(rf"(?<!\w){words}s?(?!\w)")


@cache
def _entries() -> tuple[tuple[re.Pattern[str], str], ...]:
    lines = (line.partition(": ") for line in _SPOKEN_FR.strip().splitlines())
    return tuple(
        (re.compile(rf"(?<!\w)(?:{said.replace('+', '[+]')})(?!\w)"), words)
        for said, _, words in lines
    )


@cache
def _acronyms() -> tuple[tuple[str, re.Pattern[str], str, re.Pattern[str]], ...]:
    found = []
    ordinary = {*map(fold, STOP_WORDS["fr"]), "are"}
    for line in _ACRONYMS_FR.strip().splitlines():
        short, _, long = line.partition(": ")
        found.append((short, abbreviated(short, short in ordinary), long, _pattern(long)))
    return tuple(found)
