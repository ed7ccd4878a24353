"""Function words of French and English."""

from edge_slm.i18n import Language

# Function words and the words of asking: they say nothing about the subject of a question.
_LISTS = {
    "fr": """a ai ais ait alors après as au aucun aucune aussi autre autres aux avant avec avez
        avoir avons bien c ça car ce cela ces cet cette ceux chaque chez ci combien comme comment d
        dans de depuis des deux dit dois doit doivent donc dont du elle elles en encore entre es
        est et étaient était étant etc être eu eux fait faire faut font furent fut ici il ils j je
        jusqu jusque l la là laquelle le lequel les lesquelles lesquels leur leurs lors lorsque lui
        m ma mais me même mêmes mes moi moins mon n ne ni non nos notre nous on ont ou où par parce
        pas pendant peu peut peuvent peux plus pour pourquoi pourra puis puisque qu quand que quel
        quelle quelles quels quelqu qui quoi s sa sans se sera serai seront ses si sien soi soient
        sois soit sommes son sont sous suis sur t ta te tel telle tels tes toi ton toujours tous
        tout toute toutes très tu un une vers veut veux voici voilà vont vos votre vous y""",
    "en": """a about after all also am an and any are as at be been before being but by can could
        did do does doing for from get had has have having he her here hers him his how i if in
        into is it its just me my no nor not of on once only or other our out over she should so
        some such than that the their them then there these they this those through to too under
        until up very was we were what when where which while who whom why will with would you
        your""",
}

STOP_WORDS: dict[Language, frozenset[str]] = {
    "fr": frozenset(_LISTS["fr"].split()),
    "en": frozenset(_LISTS["en"].split()),
}
