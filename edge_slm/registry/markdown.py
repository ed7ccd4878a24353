"""A statement as Markdown, for people to publish."""

from edge_slm.i18n import decimal, say
from edge_slm.registry.figures import Figure
from edge_slm.registry.rgesn import Criterion, Statement, Status

_MARKS = str.maketrans("`<>[]|", "'()()/")
_STATUS: dict[Status, tuple[str, str]] = {
    "met": ("met", "atteint"),
    "partly": ("partly met", "partiellement atteint"),
    "not applicable": ("not applicable", "sans objet"),
}


def as_markdown(statement: Statement) -> str:
    """Return the whole statement in its language."""
    language = statement.language
    lines = [
        say(
            language, "# Eco-design statement: Edge-SLM", "# Déclaration d'écoconception : Edge-SLM"
        ),
        "",
        say(
            language,
            "Version {version}, {date}, figures of this machine: {machine}.",
            "Version {version}, {date}, chiffres de cette machine : {machine}.",
            version=statement.version,
            date=statement.date,
            machine=statement.machine,
        ),
        "",
        say(
            language,
            "What the program does about criteria of the RGESN (2024) on learning, use without a "
            "network and information of users. It covers the program, not the whole service built "
            "on it. Measured and estimated figures stand apart, and an estimate is an order of "
            "magnitude.",
            "Ce que le programme fait pour des critères du RGESN (2024) sur l'apprentissage, "
            "l'usage sans réseau et l'information des utilisateurs. Elle couvre le programme, pas "
            "tout le service bâti dessus. Les chiffres mesurés et estimés sont séparés, et une "
            "estimation est un ordre de grandeur.",
        ),
    ]
    for criterion in statement.criteria:
        lines += ["", *_criterion(criterion, language)]
    return "\n".join(lines) + "\n"


def _criterion(criterion: Criterion, language: str) -> list[str]:
    state = say(language, *_STATUS[criterion.status])
    colon = say(language, ":", " :")
    lines = [
        f"## {criterion.number} {criterion.subject}{colon} {state}",
        "",
        criterion.does,
    ]
    if criterion.lacks:
        lines += ["", say(language, "Falls short: {x}", "Manque : {x}", x=criterion.lacks)]
    if criterion.figures:
        lines += ["", *(_figure(figure, language) for figure in criterion.figures)]
    return lines


def _figure(figure: Figure, language: str) -> str:
    name = _plain(figure.name)
    if figure.value is None:
        return say(
            language,
            "- {name}: missing; measure it with `{command}`",
            "- {name} : absent ; à mesurer par `{command}`",
            name=name,
            command=figure.missing,
        )
    text = f"{_number(figure.value, language)} {figure.unit}".rstrip()
    if figure.low is not None and figure.high is not None:
        text += say(
            language,
            " ({low} to {high})",
            " ({low} à {high})",
            low=_number(figure.low, language),
            high=_number(figure.high, language),
        )
    return say(
        language,
        "- {name}: {text}; {method}",
        "- {name} : {text} ; {method}",
        name=name,
        text=text,
        method=_plain(figure.method or ""),
    )


def _number(value: float, language: str) -> str:
    if value == int(value):
        return f"{int(value):,}".replace(",", "\u202f" if language == "fr" else ",")
    return decimal(value, 3 if abs(value) < 1 else 2, language)


def _plain(text: str) -> str:
    """Return a text on one line and free of marks: names come from files that people edit."""
    line = "".join(sign if sign.isprintable() else " " for sign in text)
    return " ".join(line.split()).translate(_MARKS)
