"""The eco-design statement: what this program does about criteria of the RGESN, with figures.

The criteria are those of the French general framework for the eco-design of digital services
(RGESN, 2024; Arcep, Arcom, ADEME) on learning (9.1 to 9.7), use without a network (2.3), and what
users are told of costs and can do about them (4.12, 4.15). Subjects and statements are in our
words; the framework's own text decides. It covers this program, not the whole service that an
administration builds on it, and claims nothing of data centres.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import msgspec

from edge_slm import __version__
from edge_slm.i18n import say
from edge_slm.machine import cpu_name
from edge_slm.registry.figures import Figure, Figures

Status = Literal["met", "partly", "not applicable"]
Texts = tuple[str, str]  # English, French


class Criterion(msgspec.Struct, frozen=True, kw_only=True):
    """One criterion: what the program does about it, what falls short, and figures."""

    number: str
    subject: str
    status: Status
    does: str
    lacks: str | None
    figures: list[Figure]


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """The whole statement; `machine` is the processor that its figures come from."""

    format: str
    language: str
    version: str
    date: str
    machine: str
    criteria: list[Criterion]


@dataclass(frozen=True)
class _Entry:
    number: str
    status: Status
    subject: Texts
    does: Texts
    lacks: Texts | None = None
    figures: Callable[[Figures], list[Figure]] = lambda _: []


_ENTRIES = (
    _Entry(
        "2.3",
        "met",
        ("Use on a slow network, or with none", "Usage à bas débit ou hors connexion"),
        (
            "Questions, translations and transcripts are answered on the machine itself, with no "
            "network. Only the command `models pull` fetches, when a person types it; a model may "
            "come from a USB stick instead (`models import`). A guard stops other connections, but "
            "to a meter on the local network that a person named, and a test runs the program on "
            "a system that has no network interface.",
            "Questions, traductions et transcriptions se traitent sur la machine, sans réseau. "
            "Seule la commande `models pull` télécharge, quand une personne la tape ; un modèle "
            "peut venir d'une clé USB (`models import`). Un garde-fou arrête les autres "
            "connexions, sauf vers un compteur du réseau local qu'une personne a nommé, et un test "
            "exécute le programme sur un système sans interface réseau.",
        ),
        figures=lambda figures: figures.download,
    ),
    _Entry(
        "4.12",
        "partly",
        ("Telling users what a costly function costs", "Signaler les fonctions coûteuses"),
        (
            "Each answer carries its joules, between two bounds and with the method, or says that "
            "nothing is known; an estimate is called one. `edge-slm bench report` sums them up by "
            "day, kind and model.",
            "Chaque réponse porte ses joules, entre deux bornes et avec la méthode, ou dit que "
            "rien n'est connu ; une estimation est nommée comme telle. `edge-slm bench report` "
            "les additionne par jour, par type et par modèle.",
        ),
        (
            "The cost is told after the answer, not before it begins.",
            "Le coût est donné après la réponse, pas avant qu'elle commence.",
        ),
        figures=lambda figures: figures.answers,
    ),
    _Entry(
        "4.15",
        "met",
        ("Means for users to follow and reduce usage", "Moyens de suivre et de réduire ses usages"),
        (
            "The kinds of answer that may be used are chosen for a base or a question (`kb set "
            "--rungs`, `ask --rungs`): without written answers, no chat model is loaded. Memory "
            "is bounded (`EDGE_SLM_BUDGET`), two sets of models are offered, an answer can be "
            "stopped, and the ledger shows what was spent.",
            "Les types de réponse permis se choisissent par base ou par question (`kb set "
            "--rungs`, `ask --rungs`) : sans réponse rédigée, aucun modèle de dialogue n'est "
            "chargé. La mémoire est bornée (`EDGE_SLM_BUDGET`), deux jeux de modèles sont "
            "proposés, une réponse peut être arrêtée, et le registre montre ce qui a été dépensé.",
        ),
    ),
    _Entry(
        "9.1",
        "met",
        ("Whether training is needed at all", "Nécessité d'une phase d'entraînement"),
        (
            "No language, speech or search model is trained or adapted: published open models are "
            "used as they are. Only the router has a part of its own that learns, for requests "
            "that no rule names.",
            "Aucun modèle de langue, de parole ou de recherche n'est entraîné ni adapté : des "
            "modèles ouverts publiés servent tels quels. Seul le routeur a une partie qui apprend, "
            "pour les demandes qu'aucune règle ne nomme.",
        ),
    ),
    _Entry(
        "9.2",
        "met",
        ("Learning no more complex than needed", "Complexité de l'apprentissage proportionnée"),
        (
            "What learns is linear: the router's classifier, 8 bits a weight, and logistic "
            "regressions for the confidence of a base and the choice of a quotation.",
            "Ce qui apprend est linéaire : le classifieur du routeur, à 8 bits par poids, et des "
            "régressions logistiques pour la confiance d'une base et le choix d'une citation.",
        ),
        figures=lambda figures: figures.router,
    ),
    _Entry(
        "9.3",
        "met",
        ("Limiting the amount of training", "Limiter la quantité d'entraînement"),
        (
            "Training is done once, by a script of the repository, on a processor; no user's "
            "machine has to train. The same rows give the same bytes.",
            "L'entraînement se fait une fois, par un script du dépôt, sur un processeur ; aucune "
            "machine d'utilisateur n'a à entraîner. Les mêmes lignes donnent les mêmes octets.",
        ),
        figures=lambda _: [
            Figure(name="CPU", missing="time python packaging/router/train.py DATA")
        ],
    ),
    _Entry(
        "9.4",
        "partly",
        ("Training data limited to what is needed", "Données d'apprentissage limitées"),
        (
            "The classifier learns from public rows and sentences written for it, whose origins "
            "and licences are listed; no user's data is used, and the sentences are not shipped.",
            "Le classifieur apprend de lignes publiques et de phrases écrites pour lui, dont les "
            "origines et licences sont listées ; aucune donnée d'utilisateur ne sert, et les "
            "phrases ne sont pas distribuées.",
        ),
        (
            "How many rows would be enough was not measured.",
            "Le nombre de lignes qui suffirait n'a pas été mesuré.",
        ),
    ),
    _Entry(
        "9.5",
        "met",
        ("Updating and training anew only when useful", "Mises à jour et réentraînements espacés"),
        (
            "Ratings become approved answers after a person's review; they never change a weight. "
            "Nothing is trained or updated by itself: a model changes when a person replaces it.",
            "Les avis deviennent des réponses approuvées après relecture par une personne ; ils ne "
            "changent aucun poids. Rien ne s'entraîne ni ne se met à jour de soi-même : un modèle "
            "change quand une personne le remplace.",
        ),
    ),
    _Entry(
        "9.6",
        "met",
        ("Compressed models", "Modèles compressés"),
        (
            "The models of both profiles for dialogue and search hold five to six bits a "
            "weight; speech is stored in 16 bits and computed in 8.",
            "Les modèles de dialogue et de recherche des deux profils tiennent en cinq à six "
            "bits par poids ; la parole est stockée sur 16 bits et calculée sur 8.",
        ),
        figures=lambda figures: figures.models,
    ),
    _Entry(
        "9.7",
        "met",
        ("Inference optimised", "Inférence optimisée"),
        (
            "The smallest means that can answer is used: an approved answer, then a quotation, "
            "without any token; a model writes only where neither serves. The state of a passage "
            "that was read is kept and not read again; copied words are drafted and verified.",
            "Le plus petit moyen capable de répondre est employé : une réponse approuvée, puis une "
            "citation, sans aucun jeton ; un modèle ne rédige que si ni l'une ni l'autre ne "
            "convient. L'état d'un passage lu est gardé et n'est pas relu ; les mots recopiés sont "
            "ébauchés puis vérifiés.",
        ),
        figures=lambda figures: [*figures.answers, *figures.results],
    ),
)


def statement(figures: Figures, language: str) -> Statement:
    """Return the statement in a language, “fr” or “en”, with figures of that language."""
    return Statement(
        format="rgesn",
        language=language,
        version=__version__,
        date=datetime.now(UTC).date().isoformat(),
        machine=cpu_name(),
        criteria=[_criterion(entry, figures, language) for entry in _ENTRIES],
    )


def _criterion(entry: _Entry, figures: Figures, language: str) -> Criterion:
    return Criterion(
        number=entry.number,
        subject=say(language, *entry.subject),
        status=entry.status,
        does=say(language, *entry.does),
        lacks=say(language, *entry.lacks) if entry.lacks else None,
        figures=entry.figures(figures),
    )
