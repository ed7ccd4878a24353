"""What a follow-up may put in the place of something: the phrases of a question, by class.

“Pour des jumeaux” and “pour un premier enfant” are both births; “un contractuel” and “un titulaire”
both a status. Of two phrases of one class the later one contradicts the earlier. Terms are written
without accents, as patterns; French and English stand side by side.
"""

import re
from dataclasses import dataclass
from functools import cache

from edge_slm.conversation.plain import flat

_NUMBER = (
    r"(?:\d+(?:[.,]\d+)?|deux|trois|quatre|cinq|six|sept|huit|neuf|dix|douze|quinze|vingt|trente|"
    r"two|three|four|five|seven|eight|nine|ten)"
)
_ORDINAL = (
    r"(?:premiere?|deuxieme|seconde?|troisieme|quatrieme|cinquieme|1ere?|1er|\de|\deme|"
    r"first|second|third|fourth)"
)
_CHILD = r"(?:enfants?|naissances?|child(?:ren)?|grossesses?)"
_KIN = (
    r"(?:(?:beaux?|belles?|grande?s?)-)?(?:peres?|meres?|parents?|freres?|soeurs?|fils|filles?)|"
    r"conjointe?s?|maris?|femme|epoux|epouse|compagn(?:on|e)|concubine?|partenaire|oncle|tante|"
    r"neveu|niece|cousine?|petit-enfant|spouse|husband|wife|father|mother|brother|sister|"
    r"grandmother|grandfather|grandparents?|daughter"
)
_WHOSE = r"(?:mon|ma|mes|son|sa|ses|leurs?|un|une|le|la|les|my|his|her|a|the)"
_OF_KIN = rf"(?: (?:(?:de|of) (?:{_WHOSE} )?|d'(?:un |une )?)(?:{_KIN}|enfant|agent|child))?"
_LEAVE = (
    r"maternite|paternite|adoption|naissance|maladie(?: ordinaire)?|longue maladie|longue duree|"
    r"grave maladie|formation professionnelle|formation|proche aidant|solidarite familiale|"
    r"presence parentale|invalidite|deuil|fin de vie|representation|mobilite"
)
# Longer names stand before shorter ones that begin alike.
_SCHEMES = (
    rf"conges? (?:(?:de |d'|pour )(?:{_LEAVE})(?: et d'accueil de l'enfant)?|"
    r"annuels?|parental|parentaux|bonifies?|paternite|maternite|maladie|sans (?:solde|traitement))",
    r"temps partiel (?:therapeutique|de droit|sur autorisation)",
    r"jours? de (?:carence|fractionnement|repos)|fractionnement|jours? enfant malade|enfant malade",
    r"rtt|cet|compte epargne-temps|cpf|compte personnel de formation",
    r"disponibilite|detachement|mise a disposition|integration directe|mutation|mobilite interne",
    r"teletravail(?:ler)?|astreintes?|heures? supplementaires?|titres?-restaurants?|nbi|rifseep",
    r"cia|ifse|sft|supplement familial(?: de traitement)?|nouvelle bonification indiciaire",
    r"regime indemnitaire|indemnites? (?:kilometriques?|(?:de |d')[a-z]+)|primes? de fin d'annee",
    r"primes? (?:de |d')[a-z]+|forfait mobilites durables|forfait mobilites|mutuelle",
    r"prevoyance|retraite|pension",
    r"arrets? (?:de travail|maladie)|accidents? (?:de service|de trajet|du travail)|citis",
    r"rupture conventionnelle|demission|licenciement|reclassement|droit de (?:retrait|greve)|greve",
    r"entretien professionnel|periode d'essai|bulletins? de paie|fiches? de paie|vae",
    r"(?<=[ld]a )paie|bilan de competences|liste d'aptitude|concours|visite medicale",
    r"suspension|blame|stage|harcelement|titularisation|cumul d'activites|formation d'integration",
    r"protection fonctionnelle|don de jours|conges?|absences?",
    r"autorisations? (?:speciales? )?d'absence|temps partiel|temps de travail|supplement familial",
    r"(?:maternity|paternity|parental|annual|sick|adoption|study|unpaid|carer's|bereavement) leave",
    r"overtime|telework(?:ing)?|remote work|meal vouchers?|time savings account|secondment|pension",
    r"training account|resignation|retirement|strike|harassment|bonus(?:es)?|days? off|leave",
    r"payslips?|notice period|probation",
)
_CLASSES = {
    "birth": rf"(?:jumeaux|jumelles|triple(?:s|es|ts)|quadruples|quadruplets|twins)|naissances? "
    rf"(?:simple|multiple)s?|(?:{_ORDINAL}|{_NUMBER}|un|une|unique|seul) {_CHILD}|{_CHILD} unique",
    "ordinal": rf"{_ORDINAL}(?: (?:groupe|annee|categorie|mois|jour|group|year))?",
    "status": r"(?:agents? |fonctionnaires? |salaries? |personnels? )?(?:titulaires?|"
    r"contractuel(?:le)?s?|stagiaires?(?: de l'enseignement)?|vacataires?|apprentie?s?|"
    r"non-titulaires?|auxiliaires?|alternante?s?|interimaires?|assistante?s? maternelles?|"
    r"service civique)(?: en (?:cdi|cdd))?|(?:en )?(?:cdi|cdd)|fonctionnaires?|civil servants?|"
    r"permanent staff|contract (?:staff|workers?|agents?)|contractors?|trainees?|apprentices?",
    "grade": r"categories? (?:a\+|[abc]|active|sedentaire)|category [abc]",
    "fraction": r"(?:a |en )?(?:temps (?:plein|complet|non complet|incomplet)|mi-temps|"
    r"\d+(?:[.,]\d+)? ?%|quatre cinquiemes)|a temps partiel|(?:part|full|half)-time",
    "branch": r"(?:fonction publique |la |l'|fp )?(?:de l')?(?:territoriale|hospitaliere|etat)|"
    r"fp[eth]\b",
    "job": r"attachee?s?|redacteurs?|redactrices?|adjointe?s?(?: administratifs?| techniques?)?|"
    r"enseignante?s?|professeure?s?|policiers?(?: municipaux| municipal)?|pompiers?|atsem|"
    r"infirmiere?s?|aides?-soignante?s?|secretaires?|direct(?:eur|rice)s?|cadres?|ingenieure?s?|"
    r"technicien(?:ne)?s?|magistrate?s?|militaires?|medecins?|educat(?:eur|rice)s?|"
    r"animat(?:eur|rice)s?|cherche(?:ur|use)s?|doctorante?s?|elue?s?|saisonniere?s?|tut(?:eur|rice)s?|"
    r"remplacante?s?|retraitee?s?|chefs? de service|agents? de (?:nuit|maitrise)|collegues?|"
    r"femmes? enceintes?|travailleurs? handicapes?|teachers?|nurses?|managers?|doctors?",
    "kin": _KIN,
    "event": r"(?:mariages?|pacs|deces|deuil|enterrements?|obseques|demenagements?|"
    r"rentree scolaire|naissance|baptemes?|weddings?|funerals?|moving house|"
    rf"hospitalisation){_OF_KIN}",
    "duration": rf"(?:{_NUMBER}|un|une|an?|one) (?:jours?|semaines?|mois|ans?|annees?|heures?|"
    r"days?|weeks?|months?|years?|hours?)",
    "moment": r"lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanches?|nuit|soir|week-ends?|"
    r"jours? feries?|janvier|fevrier|mars|avril|mai|juin|juillet|aout|septembre|octobre|"
    r"novembre|decembre|semaine|(?:on )?(?:mon|tues|wednes|thurs|fri|satur|sun)days?|night|"
    r"public holidays?|weekends?",
    "travel": r"velo|voiture|train|bus|covoiturage|trottinette|metro|tram|avion|taxi|moto|scooter|"
    r"bike|car|carpool(?:ing)?",
    "expense": r"repas|dejeuner|diner|nuitees?|nuits? d'hotel|hotel|hebergement|meal|hotel night",
    "place": r"(?<=a )(?:paris|lyon|marseille|l'etranger)|province|outre-mer|ile-de-france|abroad",
    "term": r"(?:courte|longue) duree",
    "number": _NUMBER,
    "scheme": "|".join(_SCHEMES),
}
# Where two classes fit the same words, the earlier of these takes them.
_ORDER = (
    *(
        "fraction",
        "event",
        "scheme",
        "birth",
        "grade",
        "status",
        "branch",
        "job",
        "kin",
        "duration",
    ),
    *("expense", "travel", "place", "moment", "term", "ordinal", "number"),
)
ABOUT = frozenset({"scheme", "event"})  # classes that say what a question is about
_PREPOSITION = (
    r"(?:(?P<prep>pour|dans|avec|sans|chez|en cas|en|a|de|d'|du|des|au|aux|par|sur|pendant|apres|"
    r"avant|for|in|with|without|of|on|at|during) ?)?"
)
_DETERMINER = (
    r"(?:(?P<det>les?|la|l'|une?|des?|du|mon|ma|mes|son|sa|ses|leurs?|cette|cet|ce|ces|notre|votre|"
    r"the|an?|my|his|her) ?)?"
)
_FAMILIES = ({"de", "d'", "du", "des"}, {"a", "au", "aux"})


@dataclass(frozen=True)
class Phrase:
    """A phrase of a text: its class, where it stands, its preposition, where its noun starts."""

    kind: str
    start: int
    end: int
    preposition: str
    noun: int  # after the preposition
    term: int  # after the determiner


@cache
def _pattern(kind: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-]){_PREPOSITION}{_DETERMINER}(?P<term>{_CLASSES[kind]})(?![\w-])")


def phrases(text: str) -> list[Phrase]:
    """Return the phrases of a text that are of a known class, in order, none upon another."""
    plain = flat(text)
    taken: list[Phrase] = []
    for kind in _ORDER:
        for phrase in phrases_of(kind, plain):
            if not any(phrase.start < other.end and other.start < phrase.end for other in taken):
                taken.append(phrase)
    return sorted(taken, key=lambda phrase: phrase.start)


def phrases_of(kind: str, text: str) -> list[Phrase]:
    """Return the phrases of one class, also those inside a phrase of another."""
    return [_phrase(kind, found) for found in _pattern(kind).finditer(flat(text))]


def _phrase(kind: str, found: "re.Match[str]") -> Phrase:
    groups = found.groupdict()
    preposition = groups["prep"] or ""
    after = next(found.start(name) for name in ("det", "term") if groups.get(name) is not None)
    return Phrase(kind, found.start(), found.end(), preposition, after, found.start("term"))


def placed(text: str, old: Phrase, fragment: str, new: Phrase) -> str:
    """Return a text with one phrase put in the place of another of its class.

    Args:
        text: the earlier question.
        old: a phrase of it.
        fragment: the words of the follow-up.
        new: a phrase of the fragment.
    """
    start, words = old.start, fragment[new.start :]
    bare = old.noun == old.term  # “de congé”, without an article
    alike = any({old.preposition, new.preposition} <= family for family in _FAMILIES)
    if not alike and old.preposition != new.preposition and old.kind in ("scheme", "status"):
        # The earlier question's own grammar holds: its preposition, if any, governs the new noun.
        start = old.noun
        words = fragment[new.term if bare and old.preposition in ("de", "d'") else new.noun :]
    elif not new.preposition:
        start = old.term if new.noun == new.term else old.noun
        words = fragment[new.noun :]
    return _contracted(f"{text[:start].rstrip()} {words}{text[old.end :]}".strip())


_CONTRACTIONS = (
    (re.compile(r"\b([Dd])(?:e|u|es) (?:le) (?=\w)"), r"\1u "),
    (re.compile(r"\b([Dd])(?:e|u|es) les (?=\w)"), r"\1es "),
    (re.compile(r"\b(?:[Aaà]u?|aux) (?:le) (?=\w)"), "au "),
    (re.compile(r"\b(?:[Aaà]u?|aux) les (?=\w)"), "aux "),
    (re.compile(r"\b([Dd])(?:u|es) (?=(?:la|l'|un|une|mon|ma|mes|son|sa)\b)"), r"\1e "),
    (re.compile(r"\b([Dd])' (?=[aeiouyéèêâîh])"), r"\1'"),
    (re.compile(r"\b([Dd])' (?=\w)"), r"\1e "),
    (re.compile(r"\b([Dd])e (?=un(?:e)?\b)"), r"\1'"),
    (re.compile(r"\b([DdLl])' +"), r"\1'"),
)


def _contracted(text: str) -> str:
    for pattern, words in _CONTRACTIONS:
        text = pattern.sub(words, text)
    return " ".join(text.split())


_COUNTED = re.compile(rf"(?P<before>.*\b)(?P<number>{_NUMBER}|{_ORDINAL}|une?)(?P<after> \w+)")
_COUNT = re.compile(rf"(?:{_PREPOSITION}(?:les? |la |l'|the )?)(?P<number>{_NUMBER}|{_ORDINAL})")
_OTHER_LEAVE = re.compile(rf"(?:{_PREPOSITION}(?:la |le |l')?)(?P<leave>{_LEAVE})")
_LEAVE_OF = re.compile(rf"(?P<head>conges? )(?P<of>de |d')(?:{_LEAVE})")


def renumbered(text: str, fragment: str) -> str:
    """Return a question with its number, or its kind of leave, replaced by a bare other one.

    “Pour trois” puts 3 in the place of the last number or ordinal of the question; “en longue
    durée” takes the place of another kind of leave. Empty where the fragment is no such thing.
    """
    plain, bare = flat(text), flat(fragment)
    if (leave := _OTHER_LEAVE.fullmatch(bare)) and (old := _LEAVE_OF.search(plain)):
        kind = fragment[slice(*leave.span("leave"))]
        of = "d'" if bare[leave.start("leave")] in "aeiou" else "de "
        return f"{text[: old.end('head')]}{of}{kind}{text[old.end() :]}"
    if (new := _COUNT.fullmatch(bare)) and (old := _COUNTED.match(plain)):
        number = fragment[slice(*new.span("number"))]
        one = old["number"] in ("un", "une") and not old["after"].endswith(("s", "x"))
        counted = old["after"] + "s" * one
        return f"{text[: old.start('number')]}{number}{counted}{text[old.end('after') :]}"
    return ""
