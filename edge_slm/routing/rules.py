"""The plainest requests name their task: a translation, a recording, small talk.

These rules are sure where they fire; they say nothing of other requests.
"""

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from edge_slm.answer import Route
from edge_slm.i18n import t
from edge_slm.language import NAMES, code_of
from edge_slm.routing.request import Label, Request

AUDIO_SUFFIXES = frozenset(
    {".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".m4a", ".aac", ".wma"}
    | {".webm", ".mp4", ".mkv"}
)

# Patterns read a text with plain spaces and apostrophes (`_PLAIN`). Each repetition ends on a
# character that the next cannot start with, so that hostile text costs no backtracking.
_PLAIN = str.maketrans({"’": "'", "\u00a0": " ", "\u202f": " "})

_LANGUAGE = "|".join(sorted({name for names in NAMES.values() for name in names}, key=len)[::-1])
_PLEASE = r"s'il (?:te|vous) pla[iî]t|svp|stp|please"
_POLITE = (
    rf"(?:(?:{_PLEASE}|bonjour|hello|hi|merci de|"
    r"(?:est-ce que )?(?:tu (?:peux|pourrais)|vous (?:pouvez|pourriez))(?: me| nous)?|"
    r"(?:peux|pourrais)-tu(?: me| nous)?|(?:pouvez|pourriez)-vous(?: me| nous)?|"
    r"(?:can|could|would|will) you(?: please)?|(?:aide|aidez)-moi à|help me(?: to)?|"
    r"je (?:veux|voudrais|souhaite)|j'aimerais|i (?:want|would like|need) to|i'd like to)[ ,]+)*"
)
_TRANSLATE = r"(?:traduis(?:ez)?|traduit|traduire|translate)"
_FOR_WHOM = r"(?:[ -](?:moi|nous|me|us))?"
_THING = (
    r"(?:[ -](?:ceci|cela|ça|ca|this|that|it|l[ea](?= (?:en|vers) )|"
    r"(?:l[ea]|ce|cette|the(?: following)?|this|that) "
    r"(?:phrase|texte|mot|message|mail|courriel|sentence|text|word|email)(?: suivante?)?))?"
)
_INTO = rf"(?:en|vers l[ae']|vers le|à l'|into|to|in)\s*(?P<to>{_LANGUAGE})\b"
_FROM = rf"(?:(?:du|de l'|depuis l[ae']?|from)\s*(?P<source>{_LANGUAGE})\s+)?"
# The text starts and ends on something that shows, or a run of spaces could be cut anywhere.
_TEXT = r"(?P<text>\S(?:.*?\S)??)"
_TRANSLATIONS = [
    re.compile(pattern, re.IGNORECASE | re.DOTALL)
    for pattern in (
        # "traduis en anglais : …", "translate this into French: …"
        rf"{_POLITE}{_TRANSLATE}{_FOR_WHOM}{_THING}\s+{_FROM}{_INTO}"
        r"(?: (?:ceci|cela|this|(?:la phrase|le texte) suivante?))?\s*[:,.]?\s*(?P<text>.*)",
        # "traduction en anglais : …": without colon or quotes, it may be a question about one
        rf"{_POLITE}(?:traduction|translation)\s+{_FROM}{_INTO}"
        r"(?: (?:de|of))?\s*(?::|(?=[«“\"]))\s*(?P<text>.*)",
        # "traduis « … » en anglais", "translate … into French"
        rf"{_POLITE}{_TRANSLATE}{_FOR_WHOM}(?:{_THING}(?=\s*[:«“\"']))?(?:\s*:\s*|\s+){_TEXT}"
        rf"\s+{_FROM}{_INTO}(?:[ ,]+(?:{_PLEASE}))?\s*[.?!]*",
        # "comment dit-on … en anglais ?", "how do I say … in French?"
        r"(?:comment (?:dit-on|dit on|on dit|dire|est-ce qu'on dit)|"
        rf"how (?:(?:do|would|can|should) (?:i|you|we|they|one)|to) (?:say|translate))\s+{_TEXT}"
        rf"\s+{_INTO}\s*[.?!]*",
        # "traduis : …", into the other language
        rf"{_POLITE}{_TRANSLATE}{_FOR_WHOM}{_THING}\s*:\s*(?P<text>.*)",
    )
]

_TRANSCRIBE = re.compile(
    rf"{_POLITE}(?:transcri(?:s|t|re|vez|be)?|transcription(?: de)?|[ée]coutez?|listen to)"
    r"(?:[ -](?:moi|me))?\s+(?:(?:le|ce|the|this) (?:fichier|file|audio|recording) |"
    r"l'(?:enregistrement|audio) |cet enregistrement )?(?P<path>\S.*)",
    re.IGNORECASE,
)
_END = re.compile(rf"(?<![ ,])[ ,]+(?:{_PLEASE}|merci)$", re.IGNORECASE)

_SMALL_TALK = {
    kind: re.compile(pattern, re.IGNORECASE)
    for kind, pattern in {
        "greeting": r"(?:(?:bonjour|bonsoir|salut|coucou|hello|hi|hey|"
        r"good (?:morning|evening|afternoon))"
        r"(?: (?:à tous|à toutes|there|everyone|tout le monde|madame|monsieur))?[ ,!.]*)+"
        r"(?:(?:comment )?(?:[çc]a va|vas-tu|allez-vous|how are you)[ ?!.]*)?",
        "mood": r"(?:(?:comment )?(?:[çc]a va|vas-tu|allez-vous|tu vas bien)(?: bien)?|"
        r"how are you(?: doing)?(?: today)?)[ ?!.]*",
        "thanks": r"(?:(?:ok|super|parfait|great)[ ,!.]*)*"
        r"(?:je vous remercie|je te remercie|merci|thank you|thanks?)"
        r"(?: (?:beaucoup|bien|infiniment|à vous|à toi|a lot|so much|very much))?"
        r"(?: (?:pour (?:ton|votre) aide|for your help))?[ !.]*",
        "farewell": r"(?:au revoir|à bientôt|à plus tard|bonne (?:journée|soirée|nuit)|"
        r"(?:bye[ -]?)?bye|goodbye|see you(?: later)?)[ !.]*",
        "identity": r"(?:qui (?:es-tu|êtes-vous)|(?:tu es|vous êtes) qui|"
        r"que (?:sais-tu|savez-vous|peux-tu|pouvez-vous) faire|à quoi (?:sers-tu|servez-vous)|"
        r"aide|help|who are you|what (?:can you do|are you)|"
        r"es-tu (?:un robot|une ia|humain))[ ?!.]*",
    }.items()
}
_ENGLISH = re.compile(
    r"\b(?:hello|hi|hey|good|how|thanks?|bye|goodbye|see|help|who|what)\b", re.IGNORECASE
)


def route(text: str) -> Request | None:
    """Return the task that a request names, or None where it names none."""
    return _translation(text) or _recording(text) or _small_talk(text)


def _translation(text: str) -> Request | None:
    text = unicodedata.normalize("NFC", text)
    for pattern in _TRANSLATIONS:
        if found := pattern.fullmatch(text.translate(_PLAIN)):
            names = found.groupdict()
            start, end = found.span("text")  # the user's own spaces and apostrophes
            why = t("asks for a translation", "demande une traduction")
            return Request(
                Route("translation", 0.98, why),
                _unquoted(text[start:end]),
                code_of(names.get("source") or ""),
                code_of(names.get("to") or ""),
                *_sure("translation"),
            )
    return None


def _recording(text: str) -> Request | None:
    if "\n" in text:
        return None
    asked = _TRANSCRIBE.fullmatch(text.translate(_PLAIN))
    for name in _names(text[asked.start("path") :] if asked else text):
        if Path(name).suffix.lower() in AUDIO_SUFFIXES and (asked or _is_file(name)):
            why = t("names a recording", "désigne un enregistrement")
            return Request(Route("speech", 0.98, why), name, None, None, *_sure("transcription"))
    return None


def _names(text: str) -> Iterator[str]:
    """Yield the file names that the end of a request may stand for."""
    yield text
    yield _unquoted(text)
    yield _unquoted(_END.sub("", text.rstrip(" .?!")))


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except OSError:  # longer than a file name can be, or in a folder that is closed to us
        return False


def _small_talk(text: str) -> Request | None:
    text = unicodedata.normalize("NFC", text).translate(_PLAIN)
    for kind, pattern in _SMALL_TALK.items():
        if pattern.fullmatch(text):
            why = t("is small talk ({kind})", "est une formule de politesse ({kind})", kind=kind)
            language = "en" if _ENGLISH.search(text) else "fr"
            seen = _sure("small_talk")
            return Request(Route("small_talk", 0.95, why), kind, language, None, *seen)
    return None


def _sure(label: Label) -> tuple[Label, dict[Label, float]]:
    return label, {label: 1.0}


def _unquoted(text: str) -> str:
    """Return a text without the one pair of quotes that encloses all of it."""
    text = text.strip()
    for opening, closing in ("«»", "“”", '""', "''"):
        inside = text[1:-1]
        if len(text) < 2 or text[0] != opening or text[-1] != closing:
            continue
        if not re.search(rf"(?<!\w)[{opening}{closing}]|[{opening}{closing}](?!\w)", inside):
            return inside.strip()
    return text
