"""Words that tell names of persons from other words that begin with a capital."""

from pathlib import Path

from edge_slm.text import fold


def _listed(name: str) -> frozenset[str]:
    """Return the words of a file beside this one, folded; lines that begin with # are remarks."""
    lines = Path(__file__).with_name(name).read_text(encoding="utf-8").splitlines()
    return frozenset(fold(word) for line in lines if line[:1] != "#" for word in line.split())


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


FIRST_NAMES = _listed("first_names.txt")
# Names that are also common words, towns or countries: not enough by themselves.
DOUBTFUL = _listed("doubtful_names.txt")
# First names that are common words where they have no capital.
SMALL_WORDS = _listed("small_words.txt")
# Frequent family names, for those who type without capitals.
FAMILY_NAMES = _listed("family_names.txt")

CIVILITIES = _words(
    """m mm mr mme mmes mlle mlles monsieur madame mademoiselle messieurs mesdames dr docteur
    me maitre pr professeur"""
)
PARTICLES = _words(
    """de du des d la le l van von der den di da do dos das del della el al ben ibn bin bint
    ait aït ould saint sainte san santa mac mc st ste o n y"""
)
# Words that end a name, whether they begin with a capital or not (folded).
STOP = _words(
    """a afin ai appelle ailleurs ainsi alors apres as assez au aucun aucune aujourd
    aujourd'hui aura auriez aussi autre autres aux avait avant avec avez avoir avons beaucoup
    bien bonjour bonsoir car ce ceci cela celui cependant certains ces cet cette chaque cher
    chere chers chez ci combien comme comment concernant cordialement d dans de demain depuis
    derriere des desormais deux devant donc dont du durant elle elles en encore enfin ensuite
    entre es est et etait etant etc ete etes etre eu eux faire fait faut hier hors il ils ici j
    je jusqu jusque l la laquelle le lequel les leur leurs lors lorsque lui m ma madame
    maintenant mais malgre me meme merci mes moi moins mon monsieur n ne ni non nos notre nous
    objet on ont ou oui outre par parce parmi pas pendant peut peux plus plusieurs point pour
    pourquoi pourrais pourrait pourriez pouvez pouvons pres puis puisque qu quand quant que
    quel quelle quelles quels qui quoi re rien s sa salut salutations sans sauf se selon sera
    serait ses si sinon soit son sont sous souvent suis suite suivant sur t ta tel telle tels
    tes toi ton tot toujours tous tout toute toutes tres trop tu un une vers veuillez via voici
    voila voir vont vos votre voudrais voudrait voulez vous vu y telephone tél mail email
    courriel adresse nir iban siret siren numen rib cni tva date nom prenom signature signe fax
    poste bureau numero n° no nee nes nees habite habitant demeurant domicilie travaille
    souhaite demande veut voulait doit a-t-il a-t-elle actuellement the of and is was has will
    my your his her our their for from with hello dear thanks thank best regards yours please i
    am mademoiselle mme mlle mr dr bis ter joignable contact agent agente"""
)
# Functions, services and kinds of organisation: “Madame la Directrice”, “Mairie de Nantes”.
ROLES = _words(
    """academie accueil acteur adjoint adjointe administrateur administratif administration
    administrative agence ambassade ambassadeur ambassadrice apprenti apprentie arrete article
    assemblee assistant assistante association assurance attache attachee avocat banque
    bibliotheque bulletin cabinet cadre caf caisse cap capitaine categorie cdg cellule centre
    cerfa cgt cfdt chargee charge chef cheffe cet chu ch circulaire code coeur college comite
    commandant commission commune communaute comptable conge conges conseil conseiller
    conseillere contrat contractuel contractuelle convention cour cpam decret delegation
    delegue deleguee departement depute deputee dgafp dgfip dgs directeur direction directrice
    dpo drh ecole elu elue employeur enseignant enseignante equipe espace etablissement etat
    europe expert experte fonction fonctionnaire fondation fo fpe fph fpt france general
    generale gendarme gestionnaire gouvernement greffe greffier groupe gymnase hopital ifse
    infirmier infirmiere ingenieur inspecteur inspection inspectrice institut internet intranet
    ira ircantec juge justice la-poste lieutenant lieu ligne loi lycee maire mairie maison
    maternelle mediatheque medecin medecine metropole mgen mgp ministere ministre mission
    mutuelle notaire office officier ong onu opco ordre pacs parlement paie pension permanent
    personnel personnels pole police pompier pompiers prefecture prefet prefete premier
    premiere president presidence presidente preventeur primaire principal principale procureur
    procureure professeur professeure programme projet proviseur proviseure psychologue public
    publique quotient rapporteur recteur rectorat rectrice referent referente regie region
    responsable republique reunion rh rifseep rtt salle secretaire secretariat section senat
    senateur senatrice service services sftp smic sncf societe sous-prefet sous-prefete stade
    stagiaire standard supplement syndicat tresor tresorier tresoriere tribunal union
    universite urgence urgences urssaf ussi vacataire ville traitement demande dossier
    attestation formulaire certificat note decision avenant lettre candidature rendez-vous
    paragraphe annexe chapitre titre partie adj technique redacteur redactrice agents titulaire
    titulaires chere collegue collegues elus membres representant representants transcription
    passeport prelevement virement facture reference resume traduction conclusion nationale
    national francais francaise fiche action travail emploi modele guide site portail page aide
    plan"""
)
MONTHS = _words(
    """janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre
    lundi mardi mercredi jeudi vendredi samedi dimanche paques ascension
    pentecote january february march april may june july august september october november
    december monday tuesday wednesday thursday friday saturday sunday"""
)
NOT_NAMES = (STOP | ROLES | MONTHS) - PARTICLES
# What is named after a person, or called by a name: “lycée Victor Hugo”, “loi Sauvadet”.
NAMED_AFTER = _words(
    """rue avenue boulevard place quai square allee impasse pont porte tour lycee lycees
    college ecole ecoles universite faculte campus hopital clinique chu centre stade gymnase
    piscine salle amphi amphitheatre auditorium espace mediatheque bibliotheque theatre musee
    institut fondation association loi lois decret rapport ordonnance amendement jurisprudence
    arret prix residence ehpad creche maison batiment gare aeroport station metro parc jardin
    fort base caserne hotel chateau groupe scolaire cite villa domaine mission plan dispositif
    circulaire reforme theoreme maladie syndrome test methode echelle index fonds bourse
    programme cabinet societe entreprise banque laboratoire editions librairie restaurant
    marche ville commune mairie prefecture departement region"""
)
