"""Words that ask and words that only mean something about a subject, as stems by language.

A question made of these alone (“combien de jours ?”, “quel est le délai de recours ?”) has no
subject of its own.
"""

from functools import cache

from edge_slm.i18n import Language
from edge_slm.kb.lexical import stems

# Words of asking: left out of what a question is about.
_ASKING = {
    "fr": """droit avoir prend prends prendre pris obtenir bénéficier bénéficie toucher touche
        touches perçoit percevoir reçoit recevoir donner faire fait calculer calculé calculée
        calcule fonctionner fonctionne marche marcher passe passer vaut valoir coûte coûter
        savoir connaître appliquer exister existe déposer dépose poser pose demander demande
        demandes demandé faudra faut-il falloir devoir pouvoir puis-je puis peux sais dis
        voudrais aimerais souhaite sert signifie bonjour bonsoir merci svp stp arrive arriver
        concerne tombe devient ouvrir ouvre jour jours semaine semaines mois an ans année
        années heure heures fois temps quoi verser versé versée versés verse gagner gagne
        gagnes prévu prévue possible puis-je est-ce""",
    "en": """right entitled take get obtain receive last long many much apply ask request work
        works cost need want know tell please hello thanks day days week weeks month months
        year years hour hours time times per happen happens mean eligible possible available
        used use open allowed paid""",
}
# Sides of a subject: they do not say which.
_SIDES = {
    "fr": """durée dure durer délai délais montant montants taux pourcentage salaire salaires
        rémunération rémunéré rémunérée traitement payer paye paie payé payée payés payées
        payées indemnité indemnités prime primes dossier dossiers formulaire formulaires
        justificatif justificatifs certificat médical pièces pièce papier papiers document
        documents preuve condition conditions critère critères refus refuser refusé refusée
        accord accordé recours contester renouveler renouvelé renouvelable prolonger prolongé
        prolongée prolongation fractionner fractionné fractionnable reporter report reporté
        cumuler cumulable annuler obligatoire obligatoires maximum minimum max mini plafond
        plancher limite ancienneté avance avant après prévenir adresser contacter contact
        service employeur chef hiérarchie supérieur imposable impôts impôt imposé préavis
        quotité règle règles référence texte décret loi article procédure démarche démarches
        étape étapes effet effets décide décider décision autorisation autoriser autorisé
        valable valide validité début fin commencer commence finir moment date dates retard
        exception exceptions différence chose pareil même cas exemple effacer anonyme payement
        paiement remboursé remboursée remboursement compte compter comptent perd perdre garder
        garde carrière avancement envoyer envoie transmettre demandeur quotités tous sans avec
        seul fractionnement clôturer rester reste voir vérifier changer modifier calcul raison
        suffit manque oublié oublie""",
    "en": """deadline amount rate percentage salary pay paid unpaid form forms certificate medical
        document documents proof condition conditions criteria refuse refused refusal
        agreement appeal renew renewed renewable extend extended split postpone carry combine
        cancel mandatory compulsory maximum minimum limit seniority advance notice notify
        inform contact department employer manager boss taxable tax rule rules reference law
        article procedure step steps decide decides decision approval approve approved valid
        validity start end date dates late exception difference same thing case example worth
        give reason put keep lose count counts anonymous reimbursed who whom earn""",
}


@cache
def asking(language: Language) -> frozenset[str]:
    """Return the stems of the words of asking."""
    return frozenset(stems(_ASKING[language], language))


@cache
def sides(language: Language) -> frozenset[str]:
    """Return the stems of the words that stand for a side of a subject."""
    return frozenset(stems(_SIDES[language], language))


def content(text: str, language: Language) -> list[str]:
    """Return the stems of a text without its single letters, such as “à”."""
    return [stem for stem in stems(text, language) if len(stem) > 1 or stem.isdigit()]
