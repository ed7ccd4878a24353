"""What a person must read, by words alone: danger, threats of law, anger, orders to a machine.

A word list misses what is said otherwise, and takes some figures of speech at their word: it only
ever sends a mail to a person.
"""

import re
from typing import Literal

from edge_slm.i18n import t
from edge_slm.text import fold

Alarm = Literal["danger", "legal", "anger", "order"]

# Read on folded text: lower case, no accents, straight apostrophes.
_DANGER = re.compile(
    r"suicid|\ben finir\b(?! avec)|mettre fin a (?:mes|ses) jours|\bme (?:tuer|pendre)\b|"
    r"(?:plus|pas) envie de vivre|envie de mourir|(?:vois|trouve) (?:plus|pas) d'issue|"
    r"\bkill (?:myself|himself|herself)|end my life|want to die|no way out|"
    r"menac\w* de (?:mort|me tuer)|(?:vais|va|vont) (?:le|la|les|te|vous|me|nous) "
    r"(?:tuer|buter|crever|frapper|egorger)|\bune arme\b|\bun (?:couteau|fusil|pistolet)\b|"
    r"\bbombe\b|attentat|(?:will|gonna|going to) kill\b|\bwith a (?:gun|knife)\b|death threat|"
    r"\b(?:m'a|l'a|me|la|le) (?:frappe|bat|battu|battue|agresse|agressee)\b|"
    r"coups de (?:poing|pied|couteau)|roue\w* de coups|violences? (?:conjugal|physiqu|sexuel)|"
    r"\bviol\b|\b(?:ete|m'a) violee?\b|peur pour ma vie|en danger\b|\bin danger\b|\bhits me\b"
)
_LEGAL = re.compile(
    r"mise en demeure|mets en demeure|\bavocate?\b|tribunal|recours (?:contentieux|gracieux|"
    r"hierarchique)|porte\w* plainte|huissier|defenseur des droits|action en justice|"
    r"\bmy lawyer\b|\bsue you\b|legal action|court of law"
)
_ANGER = re.compile(
    r"scandaleu|inadmissible|inacceptable|honteu|intolerable|c'est une honte|incompetent|"
    r"vous (?:vous )?(?:moquez|foutez|fichez)|ras[- ]le[- ]bol|j'en ai (?:assez|marre)|"
    r"jamais de reponse|toujours (?:pas|aucune) (?:de )?reponse|\bmepris|outrageous|"
    r"unacceptable|disgrace|fed up|ridiculous"
)
_ORDER = re.compile(
    r"(?<!pas )(?<!ai )\b(?:ignore[rz]?|oublie[rz]?|disregard|forget) (?:\w+ ){0,3}"
    r"(?:instructions?|consignes?|regles?|etiquettes?|labels?|rules|prompts?)\b|"
    r"(?:system|developer) prompt|consignes? systeme|"
    r"\btu es (?:desormais|maintenant)\b|\byou are now\b|"
    r"\breponds? (?:seulement|uniquement|simplement) (?:par )?\W?(?:ok|oui|non)\b|"
    r"(?:answer|reply|respond) only (?:with)?\b|only (?:answer|reply|respond) with\b|"
    r"\bclasse (?:ce|le) (?:message|mail|courrie)"
)
_SHOUTED = re.compile(r"!{3,}|\?{3,}")


def alarms(text: str) -> dict[Alarm, str]:
    """Return what raises an alarm in a text, with the reason as a sentence.

    Args:
        text: subject and text of a mail.
    """
    folded = fold(text.replace("’", "'"))
    found: dict[Alarm, str] = {}
    if words := _DANGER.search(folded):
        found["danger"] = t(
            "Words of danger to somebody: “{words}”.",
            "Des mots disent un danger pour quelqu'un : « {words} ».",
            words=words[0],
        )
    if words := _LEGAL.search(folded):
        found["legal"] = t(
            "Words of legal action: “{words}”.",
            "Des mots annoncent une action en justice ou un recours : « {words} ».",
            words=words[0],
        )
    if _is_angry(text, folded):
        found["anger"] = t(
            "The tone is angry: a person should answer.",
            "Le ton est celui de la colère : à une personne de répondre.",
        )
    if words := _ORDER.search(folded):
        found["order"] = t(
            "It gives orders to a machine: “{words}”.",
            "Il donne des ordres à une machine : « {words} ».",
            words=words[0],
        )
    return found


def _is_angry(text: str, folded: str) -> bool:
    marks = len(set(_ANGER.findall(folded))) + bool(_SHOUTED.search(text))
    shouted: int = sum(len(word) > 4 and word.isupper() for word in re.findall(r"\w+", text))
    return bool(marks + (shouted >= 3) >= 2)
