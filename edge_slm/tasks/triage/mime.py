"""An Internet message (RFC 5322, MIME) taken apart: sender, subject, date, body, files.

The older policy of the email package is used, with headers decoded here: the newer one parses
every header into a tree, and raises, or takes minutes, on headers made for that.
Knows nothing of what a mail says.
"""

import base64
import itertools
import re
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.header import decode_header
from email.message import Message as Part
from email.utils import parseaddr, parsedate_to_datetime

from edge_slm.errors import UsageError
from edge_slm.i18n import t
from edge_slm.kb.readers.cleaning import clean
from edge_slm.kb.readers.gather import Gatherer
from edge_slm.kb.readers.html import gather_markup

MOST_PARTS = 200
LONGEST_HEADER = 2000  # characters
LONGEST_BODY = 1_000_000  # bytes of one part that are decoded
# Aliases that browsers read as Windows-1252, and the charsets that mails are still sent in. Not
# every codec of Python: some take minutes on hostile bytes, some are no encodings of text.
_AS_1252 = frozenset(("ascii", "us-ascii", "iso-8859-1", "latin-1", "latin1", "cp1252"))
_CHARSET = re.compile(
    r"(?:iso-8859-(?:[2-9]|1[0135])|windows-125[0-8]|koi8-[ru]|gb2312|gbk|gb18030|big5|"
    r"shift_jis|euc-(?:jp|kr)|iso-2022-jp|utf-16(?:le|be)?)"
)
_NOT_BASE64 = bytes(set(range(256)) - set(string.ascii_letters.encode() + b"0123456789+/"))
_BREAK = re.compile(r"<br\b[^<>]{0,100}>", re.IGNORECASE)
_WORD = re.compile(r"=\?([\w-]{1,40})(?:\*[\w-]*)?\?([bq])\?([^?\s]{0,600})\?=", re.IGNORECASE)


@dataclass(frozen=True)
class File:
    """An attachment: its name without folders, its bytes."""

    name: str
    data: bytes


@dataclass(frozen=True)
class Message:
    """The parts of a message that triage reads.

    `automatic`: a machine sent it, to one or to many (RFC 3834, RFC 2369). `problems` says what
    could not be read.
    """

    sender: str
    subject: str
    date: datetime | None
    body: str
    files: tuple[File, ...]
    automatic: bool
    problems: tuple[str, ...]


def parse(data: bytes, name: str) -> Message:
    """Take a message apart.

    Args:
        data: the message, damaged or not.
        name: what an error calls it.
    Raises:
        UsageError: its parts are nested too deep to be read.
    """
    try:
        root = message_from_bytes(data)
        parts = list(itertools.islice(_leaves(root), MOST_PARTS + 1))
    except RecursionError:
        raise UsageError(
            t(
                "“{name}” holds messages within messages without end: it is not read.",
                "« {name} » contient des messages imbriqués sans fin : il n'est pas lu.",
                name=name,
            )
        ) from None
    body, files, problems = _body_and_files(parts[:MOST_PARTS])
    if len(parts) > MOST_PARTS:
        problems.append(
            t(
                "It has over {most} parts: the rest was not read.",
                "Il a plus de {most} parties : le reste n'a pas été lu.",
                most=MOST_PARTS,
            )
        )
    return Message(
        sender=_sender(_header(root, "from")),
        subject=_header(root, "subject"),
        date=_date(_header(root, "date")),
        body=body,
        files=tuple(files),
        automatic=_is_automatic(root),
        problems=tuple(problems),
    )


def _leaves(root: Part) -> Iterator[Part]:
    """Yield the parts that hold something, a message within the message as one of them."""
    waiting = [root]
    while waiting:
        part = waiting.pop()
        if part.get_content_maintype() == "multipart" and part.is_multipart():
            children = _parts_of(part)
            if part.get_content_subtype() == "alternative":
                children = _best(children)
            waiting.extend(reversed(children))
        else:
            yield part


def _parts_of(part: Part) -> list[Part]:
    payload = part.get_payload() if part.is_multipart() else ()
    return [child for child in payload if isinstance(child, Part)]


def _best(children: list[Part]) -> list[Part]:
    """Return the plain version of a body, where it says something, else all versions but empty."""
    plain = [child for child in children if child.get_content_type() == "text/plain"]
    if any(_bytes_of(child).strip() for child in plain):
        return [child for child in children if child.get_content_type() != "text/html"]
    return [child for child in children if child not in plain]


def _body_and_files(parts: list[Part]) -> tuple[str, list[File], list[str]]:
    texts: list[str] = []
    files: list[File] = []
    problems: list[str] = []
    inner = ""
    for part in parts:
        if part.get_content_type() == "message/rfc822":
            file, inner = _forwarded(part)
            files.append(file)
        elif _is_body(part):
            texts.append(_text(part, problems))
        elif data := _bytes_of(part):
            files.append(File(_name_of(part), data))
    if any(part.get_content_type() in _ENCRYPTED for part in parts):
        problems.append(t("The mail is encrypted.", "Le courrier est chiffré."))
    body = "\n".join(text for text in texts if text.strip())
    return body or inner, files, problems


_ENCRYPTED = ("application/pkcs7-mime", "application/x-pkcs7-mime", "application/pgp-encrypted")


def _is_body(part: Part) -> bool:
    return (
        part.get_content_type() in ("text/plain", "text/html")
        and _tolerated(part.get_content_disposition) != "attachment"
        and not _tolerated(part.get_filename)
    )


def _tolerated(parameter: Callable[[], object]) -> str:
    """Return a parameter of a header, "" where the header is too badly formed to have any."""
    try:
        return str(parameter() or "")
    except (TypeError, ValueError, LookupError, AttributeError):
        return ""


def _forwarded(part: Part) -> tuple[File, str]:
    """Return a message within the message as a file, and its text."""
    inner = next(iter(_parts_of(part)), None)
    if inner is None:
        return File("message.eml", b""), ""
    texts = [_text(leaf, []) for leaf in _leaves(inner) if _is_body(leaf)]
    subject = _header(inner, "subject")
    name = re.sub(r"[^\w .-]", " ", subject)[:80].strip() or "message"
    text = "\n".join((subject, *texts)).strip()
    return File(f"{name}.eml", text.encode("utf-8", "replace")), text


def _bytes_of(part: Part) -> bytes:
    if part.is_multipart():
        return b""
    try:
        if _header(part, "content-transfer-encoding").lower() == "base64":
            return _unpacked(_raw(part))
        payload = part.get_payload(decode=True)
    except (ValueError, LookupError):  # a charset that is none, or no encoding of text
        return b""
    return payload if isinstance(payload, bytes) else b""


def _raw(part: Part) -> bytes:
    # The package's own access would decode it by the charset that the sender names.
    payload = part._payload  # type: ignore[attr-defined]
    return payload.encode("ascii", "surrogateescape") if isinstance(payload, str) else b""


def _unpacked(packed: bytes) -> bytes:
    """Return what base64 stands for, as far as it goes: the package gives up on a cut one."""
    kept = packed.partition(b"=")[0].translate(None, _NOT_BASE64)
    kept = kept[:-1] if len(kept) % 4 == 1 else kept
    return base64.b64decode(kept + b"=" * (-len(kept) % 4))


def _name_of(part: Part) -> str:
    name = _unfolded(_tolerated(part.get_filename))
    # A name is shown and compared, never opened; a folder in it says nothing.
    name = re.split(r"[\\/]", clean(name))[-1].strip(". ")[:120]
    return name or f"{part.get_content_subtype() or 'file'}.bin"


def _text(part: Part, problems: list[str]) -> str:
    data = _bytes_of(part)[:LONGEST_BODY]
    text = decoded(data, _tolerated(lambda: part.get_param("charset")))
    if part.get_content_type() != "text/html":
        return text
    gatherer = Gatherer()
    try:
        gather_markup(_BREAK.sub("<div></div>", text), gatherer, t("the mail", "le courrier"))
    except UsageError as error:
        problems.append(str(error))
    return "\n".join(block.text for block in gatherer.blocks())


def decoded(data: bytes, charset: object) -> str:
    r"""Return the text of bytes, its line ends "\n".

    UTF-8 wins where the bytes are valid UTF-8, whatever is declared: many senders declare wrongly,
    and text in another charset is hardly ever valid UTF-8 by chance. Then the declared charset,
    then Windows-1252.
    """
    declared = str(charset).strip().lower()
    encodings = ["utf-8", "cp1252"]
    if _CHARSET.fullmatch(declared):
        # These look like ASCII, which is valid UTF-8 too.
        encodings.insert(0 if declared.startswith(("utf-16", "iso-2022")) else 1, declared)
    for encoding in encodings:
        try:
            text = data.decode(encoding)
            break
        except (UnicodeDecodeError, LookupError):
            continue
    else:
        text = data.decode("utf-8" if declared == "utf-8" else "cp1252", "replace")
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")


def _header(message: Part, name: str) -> str:
    """Return a header as one clean line, "" where it is absent."""
    for key, value in message.raw_items():
        if key.lower() == name:
            return clean(_unfolded(str(value)[:LONGEST_HEADER]))
    return ""


def _is_automatic(root: Part) -> bool:
    submitted = _header(root, "auto-submitted").lower()
    bulk = _header(root, "precedence").lower() in ("bulk", "junk", "list", "auto_reply")
    answered = bool(submitted) and not submitted.startswith("no")
    return answered or bulk or bool(_header(root, "list-unsubscribe"))


def _unfolded(value: str) -> str:
    """Return a header's text: encoded words and bare bytes decoded, line breaks gone."""
    bare = decoded(value.encode("utf-8", "surrogateescape"), "")
    joined = re.sub(r"(\?=)\s+(=\?)", r"\1\2", re.sub(r"[\r\n]+[ \t]*", " ", bare))
    return _WORD.sub(_decoded_word, joined)


def _decoded_word(found: re.Match[str]) -> str:
    try:
        ((data, charset),) = decode_header(found[0])
    except (ValueError, LookupError):  # email.errors.HeaderParseError is a ValueError
        return found[0]
    return decoded(data, charset) if isinstance(data, bytes) else data


def _sender(header: str) -> str:
    name, address = parseaddr(header[:300])
    return clean(name) or clean(address)


def _date(header: str) -> datetime | None:
    try:
        return parsedate_to_datetime(header)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
