"""What a question asks for, read off its folded words: an amount, a date, a way, a limit.

Every function takes words in lower case, without accents or marks, parted by single spaces.
"""

import re

_MONEY = (
    r"(?:paye\w*|paie|touch\w+|gagn\w+|cout\w+|vau\w+|valent|rembours\w+|indemnis\w+|vers\w+|"
    r"euros?|percoi\w+|retien\w+|perds|salaire)"
)
_TIME = r"(?:temps|tps|mois|semaines)"
_COUNTED = r"(?:jours?|heures?|semaines?|mois|ann|temps|tps|fois|conges|vacances)"
_SUBJECT = r"(?:on|je|j|il|elle|ils|nous|vous|tu|un|une|mon|ma|mes|le|la|les|c)"
_ASKS = {
    "age": (r"\bage\b",),
    "amount": (
        r"\bmontant|\bhow much|\btarif|\bvaleur\b|\bpourcentage|\bquels? salaire|\btaux\b",
        rf"\bcombien\b(?! (?:de |d )).*\b{_MONEY}\b|\b{_MONEY}\b.*\bcombien\b(?! (?:de|d) )",
        rf"\bcombien (?:de|d) (?!{_COUNTED})",
    ),
    "when": (
        rf"^quand\b|\bquand\b(?! {_SUBJECT} )|^when\b|\bquelle date|\bdate\b|\bquel jour\b(?! d)",
        r"\bdelai|\bhow soon|\bafter how|\b(?:au bout de|apres|sous) combien|\bhow long does it",
        rf"\bcombien de {_TIME}\b(?! (?:dure|peut|on)\b)",
    ),
    "count": (
        r"(?<!bout de )(?<!apres )(?<!sous )\bcombien (?:de|d) (?!euros?|te?mps (?:pour|avant))",
        r"\bnombre|\bnb\b|\bduree|\bdure[rn]?t?\b|\bhow (?:many|long)",
    ),
    "who": (
        r"^(?:a )?qui\b|\ba qui\b|\bqui (?:y |a |peut )|\bpour qui|^who\b",
        r"\bconditions?\b|\bdans quels cas",
    ),
    "how": (
        r"\bcomment\b|\bdemarche|\bprocedure|\bque faire|\bhow (?:do|can|to|is|are|should)\b",
        r"^(?:ou|where)\b|\bou (?:trouver|voir|est|sont|demander|consulter|puis|peut)\b",
    ),
}
_PATTERNS = [(name, re.compile("|".join(patterns))) for name, patterns in _ASKS.items()]
_LASTS = re.compile(r"\bdure[rn]?t?\b|\bduree")
_WHETHER = re.compile(
    r"\b(?:est|a|ai|peut|peuvent|puis|dois|doit|faut|sont|suis|\w+e t) "
    r"(?:t )?(?:je|il|elle|on|ils|elles)\b"
    r"|\best ce que\b|\b(?:droit|possible)\b|^(?:can|is|are|am|do|does|may)\b"
)
_FATE = re.compile(r"\bque (?:se passe|devien)|\bwhat (?:happens|becomes)")
_WHAT = re.compile(r"^(?:a |dans |pour |de |sous )?(?:quel|what|which)")
_DETAILS = [
    (name, re.compile(pattern))
    for name, pattern in (
        (
            "span day",
            r"\bpar jour|\bquotidien|\bdans (?:la|une) journee|\bper day|\ba day\b(?! off)|\bdaily",
        ),
        ("span week", r"\bpar semaine|\bdans la semaine|\bhebdo|\bper week|\ba week\b|\bweekly"),
        ("span month", r"\bpar mois|\bmensuel|\bper month|\ba month\b|\bmonthly"),
        (
            "span year",
            r"\bpar an\b|\bdans l annee|\bchaque annee|\bper year|\ba year\b|\byearly",
        ),
        ("bound most", r"\bmax|\bau plus\b|\bplafon|\blimite|\bjusqu|\bup to\b"),
        ("bound least", r"\bmini|\bau moins\b|\ba partir d|\bat least\b"),
    )
]


def asks(text: str) -> set[str]:
    """Return what is asked for, by names that two questions share or not; empty if unsaid.

    A question that may be either (“combien de temps ?”) has both names.
    """
    if "alavance" in text:
        return {"when"}
    found = {name for name, pattern in _PATTERNS if pattern.search(text)}
    if _LASTS.search(text):
        found.discard("when")
    if not found and "combien" in text:
        return {"amount", "count"}
    if not found and _FATE.search(text):
        return {"fate", "whether", "amount"}
    if not found and _WHETHER.search(text):
        return {"who", "whether"}
    if not found and _WHAT.search(text):
        return {"what", "amount", "count"}
    return found


def details(text: str) -> set[str]:
    """Return the spans and bounds that a question names, such as “span week” or “bound most”."""
    return {name for name, pattern in _DETAILS if pattern.search(text)}
