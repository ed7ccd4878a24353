"""Translation by a chat model, line by line: markup at the edges of a line stays as it is."""

import csv
import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from edge_slm import language as languages
from edge_slm.answer import Usage
from edge_slm.engines import ChatEngine, Message, Piece
from edge_slm.errors import UsageError
from edge_slm.i18n import t
from edge_slm.language import NAMES
from edge_slm.text import figures, sentences, shorten

# Characters translated at once: a small model drops sentences from longer texts.
LONGEST = 500
# A sentence may go on for longer; beyond this it is no sentence, and is cut between words.
LONGEST_SENTENCE = 1500

_FENCE = re.compile(r"^\s*(?:```|~~~)")
_MARKS = re.compile(r"\s*(?:#{1,6}\s+|[-*+]\s+|\d+[.)]\s+|>\s*)*")
_LETTER = re.compile(r"[^\W\d_]")

_EXAMPLES = {
    ("fr", "en"): (
        "La mairie est ouverte du lundi au vendredi.",
        "The town hall is open from Monday to Friday.",
    ),
    ("en", "fr"): (
        "Please bring two documents.",
        "Veuillez apporter deux documents.",
    ),
}


@dataclass
class Translation:
    """A translation under way; complete once `pieces` is exhausted."""

    pieces: Iterator[str]
    usage: Usage = field(default_factory=Usage)
    warnings: list[str] = field(default_factory=list)


def translate(
    engine: ChatEngine,
    text: str,
    source: str,
    target: str,
    glossary: Sequence[tuple[str, str]] = (),
) -> Translation:
    """Translate a text; the result is read piece by piece.

    Args:
        engine: the chat model.
        text: plain text or Markdown; blank lines, code and marks at the start of lines stay.
        source: code of its language.
        target: code of the language wanted.
        glossary: pairs (term, translation) that the model is told to use.
    """
    result = Translation(iter(()))
    result.pieces = _lines(engine, text, source, target, glossary, result)
    return result


def read_glossary(path: Path) -> list[tuple[str, str]]:
    """Return the pairs of a CSV file of two columns: term, translation.

    Raises:
        UsageError: the file cannot be read, or a row has not two columns.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from None
    separator = ";" if text.count(";") > text.count(",") else ","
    try:
        rows = list(csv.reader(text.splitlines(), delimiter=separator))
    except csv.Error as error:  # a cell of over 128 KiB
        raise _unreadable(path, error) from None
    for number, row in enumerate(rows, 1):
        if any(row) and (len(row) != 2 or not all(cell.strip() for cell in row)):
            raise UsageError(
                t(
                    "Row {number} of the glossary {path} needs two columns: term, translation.",
                    "La ligne {number} du glossaire {path} doit avoir deux colonnes : "
                    "terme, traduction.",
                    number=number,
                    path=path,
                )
            )
    return [(row[0].strip(), row[1].strip()) for row in rows if any(row)]


def _unreadable(path: Path, error: Exception) -> UsageError:
    return UsageError(
        t(
            "The glossary {path} cannot be read: {error}.",
            "Le glossaire {path} ne se lit pas : {error}.",
            path=path,
            error=error,
        )
    )


def _lines(
    engine: ChatEngine,
    text: str,
    source: str,
    target: str,
    glossary: Sequence[tuple[str, str]],
    result: Translation,
) -> Iterator[str]:
    in_code = False
    for line in text.splitlines(keepends=True):
        before, content, after = _edges(line)
        if _FENCE.match(line):
            in_code = not in_code
        if in_code or _FENCE.match(line) or not _LETTER.search(content):
            yield line
            continue
        if before:
            yield before
        for number, group in enumerate(_groups(content)):
            if number:
                yield " "
            yield from _group(engine, group, source, target, glossary, result)
        if after:
            yield after


def _edges(line: str) -> tuple[str, str, str]:
    found = _MARKS.match(line)
    start = found.end() if found else 0
    content = line[start:].rstrip()
    return line[:start], content, line[start + len(content) :]


def _groups(content: str) -> Iterator[str]:
    held = ""
    for sentence in _sentences(content):
        if held and len(held) + len(sentence) >= LONGEST:
            yield held
            held = ""
        held = f"{held} {sentence}" if held else sentence
    if held:
        yield held


def _sentences(content: str) -> Iterator[str]:
    for sentence in sentences(content):
        if len(sentence) <= LONGEST_SENTENCE:
            yield sentence
        else:
            yield from textwrap.wrap(sentence, LONGEST_SENTENCE)


def _group(
    engine: ChatEngine,
    text: str,
    source: str,
    target: str,
    glossary: Sequence[tuple[str, str]],
    result: Translation,
) -> Iterator[str]:
    terms = [pair for pair in glossary if pair[0].lower() in text.lower()]
    room = 64 + 2 * engine.count_tokens(text)
    written = []
    started = False
    for event in engine.stream(_prompt(text, source, target, terms), max_tokens=room):
        if isinstance(event, Piece):
            piece = event.text if started else event.text.lstrip()
            started = started or bool(piece)
            written.append(piece)
            yield piece
        else:
            _account(result, event.usage)
            if not event.complete:
                result.warnings.append(_cut_off(text))
    result.warnings.extend(_lost("".join(written), text, terms))


def _prompt(text: str, source: str, target: str, terms: Sequence[tuple[str, str]]) -> list[Message]:
    system = (
        f"You are a professional translator. Translate the user's text from {NAMES[source][0]} "
        f"into {NAMES[target][0]}. Reply with the translation only, nothing else."
    )
    if terms:
        system += " Use this glossary: " + "; ".join(f"{a} = {b}" for a, b in terms) + "."
    example = _EXAMPLES.get((source, target))
    shots = [Message("user", example[0]), Message("assistant", example[1])] if example else []
    return [Message("system", system), *shots, Message("user", text)]


def _account(result: Translation, usage: Usage) -> None:
    total = result.usage
    result.usage = Usage(
        total.prompt_tokens + usage.prompt_tokens,
        total.cached_tokens + usage.cached_tokens,
        total.completion_tokens + usage.completion_tokens,
    )


def _digits(text: str) -> set[str]:
    """Return the figures without their marks: languages write 1 234,50 and 1,234.50."""
    return {figure.replace(".", "") for figure in figures(text)}


def _lost(written: str, text: str, terms: Sequence[tuple[str, str]]) -> Iterator[str]:
    kept = _digits(written)
    if missing := sorted(figure for figure in figures(text) if not _digits(figure) <= kept):
        yield t(
            "Check the figures: {figures} is missing from the translation of “{text}”.",
            "Vérifiez les chiffres : {figures} manque dans la traduction de « {text} ».",
            figures=", ".join(missing),
            text=shorten(text),
        )
    for term, translation in terms:
        if translation.lower() not in written.lower():
            yield t(
                "The glossary's “{translation}” was not used for “{term}”.",
                "Le terme du glossaire « {translation} » n'a pas servi pour « {term} ».",
                translation=translation,
                term=term,
            )


def _cut_off(text: str) -> str:
    return t(
        "The translation of “{text}” was cut off.",
        "La traduction de « {text} » a été coupée.",
        text=shorten(text),
    )


def language_pair(text: str, source: str | None, target: str | None) -> tuple[str, str]:
    """Return the codes of the languages to translate from and into, guessed where not given.

    Raises:
        UsageError: there is no text, or it is in the language wanted already.
    """
    if not text.strip():
        raise UsageError(
            t(
                "There is nothing to translate: give a text.",
                "Il n'y a rien à traduire : donnez un texte.",
            )
        )
    source = source or languages.detect(
        text, tuple(languages.NAMES), fallback="en" if target == "fr" else "fr"
    )
    target = target or ("en" if source == "fr" else "fr")
    if source == target:
        raise UsageError(
            t(
                "The text is already in that language ({code}): choose another with --to.",
                "Le texte est déjà dans cette langue ({code}) : choisissez-en une autre avec --to.",
                code=target,
            )
        )
    return source, target
