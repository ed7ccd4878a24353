"""Which task takes a request: rules first, since the plainest requests name their task.

It looks at the words only. Whether the base holds an answer is for the task to find out.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from edge_slm.answer import Route
from edge_slm.i18n import t
from edge_slm.language import NAMES, code_of

AUDIO_SUFFIXES = frozenset(
    [
        ".wav",
        ".flac",
        ".mp3",
        ".ogg",
        ".oga",
        ".opus",
        ".m4a",
        ".aac",
        ".wma",
        ".webm",
        ".mp4",
        ".mkv",
    ]
)

_LANGUAGE = "|".join(sorted({name for names in NAMES.values() for name in names}, key=len)[::-1])
_POLITE = (
    r"(?:(?:s'il (?:te|vous) pla[iî]t|svp|stp|please|merci de|(?:peux|pourrais)-tu(?: me)?|"
    r"(?:pouvez|pourriez)-vous(?: me)?|(?:can|could|would) you(?: please)?|"
    r"je (?:veux|voudrais)|i (?:want|would like|need) to)[ ,]+)*"
)
_INTO = rf"(?:en|vers l[ae']|vers le|à l'|into|to|in)\s*(?P<to>{_LANGUAGE})\b"
_FROM = rf"(?:(?:du|de l'|depuis l[ae']?|from)\s*(?P<source>{_LANGUAGE})\s+)?"
_TRANSLATIONS = [
    # "traduis en anglais : …", "translate into French: …"
    re.compile(
        rf"^{_POLITE}(?:traduis(?:ez)?|tradui[rt]e?|traduction|translate|translation)"
        rf"(?:[ -](?:moi|nous|me|this|that|ceci|cela|ça|la phrase|le texte|the (?:text|sentence)))*"
        rf"\s+{_FROM}{_INTO}\s*[:,]?\s*(?P<text>.*)$",
        re.IGNORECASE | re.DOTALL,
    ),
    # "traduis « … » en anglais", "translate … into French"
    re.compile(
        rf"^{_POLITE}(?:traduis(?:ez)?|traduire|translate)(?:[ -](?:moi|me))?\s*:?\s*"
        rf"(?P<text>.+?)\s+{_FROM}{_INTO}\s*[.?!]*$",
        re.IGNORECASE | re.DOTALL,
    ),
    # "comment dit-on … en anglais ?", "how do I say … in French?"
    re.compile(
        rf"^(?:comment (?:dit-on|on dit|dire)|how (?:do|would|can) (?:i|you|we|they) say)\s+"
        rf"(?P<text>.+?)\s+{_INTO}\s*[.?!]*$",
        re.IGNORECASE | re.DOTALL,
    ),
]
_TRANSCRIBE = re.compile(
    r"^(?:transcri[st]?(?:ez|re|be)?|transcription(?: de)?|écoute|listen to)\s+(?P<path>\S.*)$",
    re.IGNORECASE,
)
_QUOTES = "«»“”\"' \u00a0\u202f"

_GREETING = re.compile(
    r"(?:(?:bonjour|bonsoir|salut|coucou|hello|hi|hey|good (?:morning|evening|afternoon))"
    r"(?: (?:à tous|there|tout le monde|madame|monsieur))?[ ,!.]*)+"
    r"(?:(?:comment )?(?:ça va|vas-tu|allez-vous|how are you)[ ?!.]*)?",
    re.IGNORECASE,
)
_SMALL_TALK = {
    "greeting": _GREETING,
    "mood": re.compile(
        r"(?:(?:comment )?(?:ça va|vas-tu|allez-vous|tu vas bien)(?: bien)?|how are you(?: doing)?"
        r"(?: today)?)[ ?!.]*",
        re.IGNORECASE,
    ),
    "thanks": re.compile(
        r"(?:ok[ ,]*|super[ ,]*|parfait[ ,]*|great[ ,]*)*(?:merci|thanks?(?: you)?)"
        r"(?: (?:beaucoup|bien|infiniment|à vous|à toi|a lot|so much|very much))?"
        r"(?: pour (?:ton|votre) aide)?[ !.]*",
        re.IGNORECASE,
    ),
    "farewell": re.compile(
        r"(?:au revoir|à bientôt|bonne (?:journée|soirée|nuit)|bye(?: bye)?|goodbye|see you)[ !.]*",
        re.IGNORECASE,
    ),
    "identity": re.compile(
        r"(?:qui (?:es-tu|êtes-vous)|(?:tu es|vous êtes) qui|que (?:sais-tu|savez-vous|peux-tu|"
        r"pouvez-vous) faire|à quoi (?:sers-tu|servez-vous)|aide|help|who are you|"
        r"what (?:can you do|are you)|es-tu (?:un robot|une ia|humain))[ ?!.]*",
        re.IGNORECASE,
    ),
}


@dataclass(frozen=True)
class Request:
    """A request as the router understands it.

    `text` is what the task works on: the question, the text to translate, the path of a recording,
    or the kind of small talk. `source` and `target` are language codes of a translation.
    """

    route: Route
    text: str
    source: str | None = None
    target: str | None = None


def route(text: str) -> Request:
    """Return the task that a request is for. `text` is stripped and not empty."""
    return (
        _translation(text)
        or _recording(text)
        or _small_talk(text)
        or Request(
            Route(
                "hr_faq",
                0.6,
                t("taken for a question to the base", "pris pour une question à la base"),
            ),
            text,
        )
    )


def _translation(text: str) -> Request | None:
    for pattern in _TRANSLATIONS:
        if found := pattern.match(text):
            target = code_of(found["to"])
            source = code_of(found.groupdict().get("source") or "")
            why = t("asks for a translation", "demande une traduction")
            content = found["text"].strip().strip(_QUOTES)
            return Request(Route("translation", 0.98, why), content, source, target)
    return None


def _recording(text: str) -> Request | None:
    asked = _TRANSCRIBE.match(text)
    name = (asked["path"] if asked else text).strip().strip(_QUOTES)
    if Path(name).suffix.lower() not in AUDIO_SUFFIXES or "\n" in name:
        return None
    if not asked and not Path(name).is_file():
        return None
    return Request(Route("speech", 0.98, t("names a recording", "désigne un enregistrement")), name)


def _small_talk(text: str) -> Request | None:
    for kind, pattern in _SMALL_TALK.items():
        if pattern.fullmatch(text):
            why = t("is small talk ({kind})", "est une formule de politesse ({kind})", kind=kind)
            return Request(Route("small_talk", 0.95, why), kind)
    return None
