"""Tells what the sender of a mail wrote from what stands around it: quoted history, signature.

Knows nothing of headers and formats: lines of plain text only.
"""

import re

_INTRO = re.compile(
    # “Le 5 févr. 2026 à 10:12, DRH <…> a écrit :”, “On 5 Feb 2026, HR wrote:”: with a date, or any
    # sentence about somebody's writing would do
    r"(?:le|on|am|el|il) (?=.*\d).{0,250}?\b(?:a écrit|wrote|schrieb|escribió|ha scritto) ?:?$",
    re.IGNORECASE,
)
_DIVIDER = re.compile(
    r"(?:[-_ ]{2,})?(?:message (?:d'origine|d’origine|transféré|original)|original message|"
    r"forwarded message|début du message (?:transféré|réexpédié)|begin forwarded message)\s*:?"
    r"[-_ ]*$",
    re.IGNORECASE,
)
_FROM = re.compile(r"\*?(?:de|from|von|da)\s*:\*?\s*\S", re.IGNORECASE)
_SENT = re.compile(r"\b(?:envoyé|date|sent|gesendet|inviato)\s*:", re.IGNORECASE)
_ABOUT = re.compile(r"\b(?:objet|subject|betreff|oggetto|à|to)\s*:", re.IGNORECASE)
_FIELD = re.compile(
    r"\*?(?:de|from|à|to|cc|envoyé|date|sent|objet|subject|répondre à|reply-to)\s*:\*?",
    re.IGNORECASE,
)
_DEVICE = re.compile(
    r"(?:envoyé (?:de|depuis|à partir de) |sent from |obtenir outlook|get outlook|"
    r"provenance : |téléchargez outlook)",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"(?:(?:bien |très |très )?cordialement|bien à (?:vous|toi)|(?:très )?respectueusement|"
    r"salutations(?: distinguées)?|sincères salutations|sincèrement|"
    r"(?:bonne|belle|excellente) (?:journée|soirée|réception|fin de (?:journée|semaine))|"
    r"(?:best|kind|warm|many)? ?regards|yours (?:sincerely|faithfully|truly)|sincerely|"
    r"un saludo|cordiali saluti|mit freundlichen grüßen|"
    r"(?:merci|thanks|thank you)(?: (?:d'avance|beaucoup|pour votre aide|in advance))*)"
    r"[ ,.!]*(?:à vous|à tous)?[ ,.!]*$",
    re.IGNORECASE,
)
_POSTSCRIPT = re.compile(r"p\.?\s?s\.?\s*[:,-]?\s+\S", re.IGNORECASE)
LONGEST_LINE = 4000  # characters; patterns look at whole lines
LONGEST_SIGNATURE = 12  # lines; more is a letter that goes on
FEWEST_WORDS = 4  # what is shorter only hands on the message below it


def own_words(body: str, *, forwarded: bool = False) -> tuple[str, str]:
    """Return what the sender wrote, and the signature.

    Args:
        body: the whole text.
        forwarded: the mail hands on another, whose text is kept; so is it where the sender wrote
            next to nothing.
    """
    lines = [line.strip()[:LONGEST_LINE] for line in body.splitlines()]
    start = _start_of_history(lines)
    kept = [line for line in lines[:start] if not line.startswith(">")]
    text, signature = _without_signature(kept)
    if start == len(lines) or (len(text.split()) >= FEWEST_WORDS and not forwarded):
        return text, signature
    handed_on = [_unquoted(line) for line in lines[start:] if not _FIELD.match(_unquoted(line))]
    handed_on = [line for line in handed_on if not (_DIVIDER.match(line) or _INTRO.match(line))]
    inner, _ = _without_signature(handed_on)
    return f"{text}\n{inner}".strip(), signature


def _start_of_history(lines: list[str]) -> int:
    """Return the line from which all is older messages; their number where none is."""
    for place, line in enumerate(lines):
        if _DIVIDER.match(line) or _is_header_block(lines, place):
            return place
        # The line that introduces a quotation may be wrapped.
        wrapped = f"{line} {lines[place + 1]}" if place + 1 < len(lines) else line
        if _INTRO.match(line) or _INTRO.match(wrapped):
            after = lines[place + 1 + (not _INTRO.match(line)) :]
            if not next((text for text in after if text), "").startswith(">"):
                return place
            lines[place] = ">"
            if not _INTRO.match(line):
                lines[place + 1] = ">"
            if all(text.startswith(">") or not text for text in after):
                return place
    return len(lines)


def _is_header_block(lines: list[str], place: int) -> bool:
    if not _FROM.match(lines[place]):
        return False
    block = " ".join(lines[place : place + 6])[:600]
    return bool(_SENT.search(block) and _ABOUT.search(block))


def _unquoted(line: str) -> str:
    return line.lstrip("> ")


def _without_signature(lines: list[str]) -> tuple[str, str]:
    place = _start_of_signature(lines)
    below = lines[place:]
    postscript = next((i for i, line in enumerate(below) if _POSTSCRIPT.match(line)), len(below))
    text = "\n".join([*lines[:place], *below[postscript:]]).strip()
    signature = "\n".join(line for line in below[:postscript] if line)
    return text, signature


def _start_of_signature(lines: list[str]) -> int:
    for place, line in enumerate(lines):
        if line == "--" or _DEVICE.match(line):
            return place
        few = len([below for below in lines[place:] if below]) <= LONGEST_SIGNATURE
        if few and _CLOSING.match(line) and any(lines[:place]):
            return place
    # A name alone at the end, without closing words.
    last = len(lines)
    while last and not lines[last - 1]:
        last -= 1
    if last >= 2 and _is_name(lines[last - 1]):
        return last - 1
    return len(lines)


def _is_name(line: str) -> bool:
    words = line.rstrip(".").split()
    return 1 <= len(words) <= 4 and all(word[0].isupper() or word == "et" for word in words)
