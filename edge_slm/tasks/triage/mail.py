"""A mail as triage sees it, from a .eml file, a document or plain text.

What a mail says is data: nothing here obeys it. Knows nothing of labels.
"""

import re
import tempfile
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

from edge_slm.errors import UsageError
from edge_slm.i18n import t
from edge_slm.kb.readers import SUPPORTED, read_documents
from edge_slm.kb.readers.source import check_file, decode, read_bytes
from edge_slm.language import NAMES, detect
from edge_slm.tasks.triage import history, mime

LONGEST_TEXT = 20_000  # characters of a body or an attachment that are looked at
READ_ATTACHMENTS = 5  # of a mail, the first ones
LARGEST_READ = 2_000_000  # bytes of an attachment whose text is read
_DOCUMENTS = SUPPORTED - {".jsonl"}

_HEADER = re.compile(
    rb"(?:From |(?:From|To|Subject|Date|Received|Return-Path|Delivered-To|Message-ID|MIME-Version|"
    rb"Content-Type|Reply-To|DKIM-Signature|X-[\w-]+)[ \t]*:)",
    re.IGNORECASE,
)
_SUBJECT_LINE = re.compile(r"\s*(?:objet|sujet|subject)\s*:\s*(\S[^\n]{0,300})\n", re.IGNORECASE)

_FORWARDED = re.compile(r"(?:tr|fw|fwd|wg|i)\s*:", re.IGNORECASE)


@dataclass(frozen=True)
class Attachment:
    """A file that came with a mail.

    Attributes:
        name: as the sender named it, without any folder.
        size: bytes.
        text: what it says, where it is small and of a format that is read; else "".
    """

    name: str
    size: int
    text: str = ""


@dataclass(frozen=True)
class Mail:
    """A mail, without the messages that it answers.

    Attributes:
        name: what to call it in an error or a report: the file's name.
        sender: the name that its sender shows, or "".
        subject: on one line.
        date: when it was sent, where it says so.
        text: what its sender wrote, without quoted history and signature.
        signature: what stands under the closing words.
        attachments: in their order.
        automatic: whether a machine sent it.
        problems: what could not be read, a sentence each.
    """

    name: str
    text: str
    sender: str = ""
    subject: str = ""
    date: datetime | None = None
    signature: str = ""
    attachments: tuple[Attachment, ...] = ()
    automatic: bool = False
    problems: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """Subject and text."""
        return f"{self.subject}\n{self.text}" if self.subject else self.text

    @cached_property
    def language(self) -> str:
        """Two-letter code, or "" for a script that is not Latin."""
        letters = [char for char in self.words if char.isalpha()]
        latin = sum(char < "\u0250" or "\u1e00" <= char < "\u1f00" for char in letters)
        if letters and latin < len(letters) / 2:
            return ""
        # The signature is names; the subject alone may be one word.
        among = tuple(NAMES) if len(self.words.split()) >= 8 else ("fr", "en")
        return detect(self.text or self.subject, among)


def read_mail(path: Path) -> Mail:
    """Read a mail from a file.

    Args:
        path: a .eml file, or a text, PDF, DOCX, ODT, HTML or Markdown file that holds a letter.
    Raises:
        UsageError: the file cannot be read, or it holds nothing.
    """
    check_file(path)
    if path.suffix.lower() in _DOCUMENTS - {".txt"}:
        return _letter(path.name, _document(path))
    return mail_of(read_bytes(path), path.name)


def mail_of(data: bytes, name: str) -> Mail:
    """Read a mail from bytes: an Internet message if it begins with headers, else plain text.

    Args:
        data: the message or text.
        name: what an error calls it.
    Raises:
        UsageError: it is neither a message nor text, or it holds nothing.
    """
    if data.startswith(b"%PDF-"):
        return _letter(name, _text_of("mail.pdf", data))
    if _HEADER.match(data.lstrip(b"\xef\xbb\xbf\r\n")):
        return _message(mime.parse(data.lstrip(b"\xef\xbb\xbf\r\n"), name), name)
    if Path(name).suffix.lower() == ".eml" or not data.strip():
        raise _no_mail(name)
    return _letter(name, decode(data, Path(name)))


def _message(message: mime.Message, name: str) -> Mail:
    attachments, problems = [], list(message.problems)
    read = 0
    for part in message.files:
        text = ""
        if part.data and read < READ_ATTACHMENTS and _readable(part):
            read += 1
            try:
                text = _text_of(part.name, part.data)[:LONGEST_TEXT]
            except UsageError as error:
                problems.append(str(error))
        attachments.append(Attachment(part.name, len(part.data), text))
    body = message.body[:LONGEST_TEXT]
    handed_on = bool(_FORWARDED.match(message.subject))
    text, signature = history.own_words(body, forwarded=handed_on)
    if not (text or message.subject or attachments):
        raise _no_mail(name)
    return Mail(
        name=name,
        text=text,
        sender=message.sender,
        subject=message.subject,
        date=message.date,
        signature=signature,
        attachments=tuple(attachments),
        automatic=message.automatic,
        problems=tuple(problems),
    )


def _letter(name: str, text: str) -> Mail:
    subject = ""
    if found := _SUBJECT_LINE.match(text):
        subject, text = found[1].strip(), text[found.end() :]
    own, signature = history.own_words(text[:LONGEST_TEXT])
    if not own and not subject:
        raise _no_mail(name)
    return Mail(name=name, text=own, subject=subject, signature=signature)


def _readable(part: mime.File) -> bool:
    return len(part.data) <= LARGEST_READ and Path(part.name).suffix.lower() in _DOCUMENTS


def _text_of(name: str, data: bytes) -> str:
    """Return the text of a file; the readers want one on the disk, for a moment."""
    with tempfile.TemporaryDirectory(prefix="edge-slm-") as folder:
        path = Path(folder) / f"attachment{Path(name).suffix.lower()}"
        path.write_bytes(data)
        check_file(path)
        return _document(path)


def _document(path: Path) -> str:
    documents = read_documents(path)
    return "\n".join(block.text for document in documents for block in document.blocks)


def _no_mail(name: str) -> UsageError:
    return UsageError(
        t(
            "“{name}” is no mail that can be read: give a .eml file, a document or plain text.",
            "« {name} » n'est pas un courrier lisible : donnez un fichier .eml, un document ou du "
            "texte.",
            name=name,
        )
    )
