"""Mails as they come: charsets, parts, quoted history, signatures, and hostile ones."""

import base64
from contextlib import suppress
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_slm.errors import UsageError
from edge_slm.tasks.triage.history import own_words
from edge_slm.tasks.triage.mail import Mail, mail_of, read_mail

HEAD = b"From: A <a@b.example>\r\nSubject: x\r\nMIME-Version: 1.0\r\n"
WISH = "Je souhaite poser des congés d’été du 13 au 17 juillet."


def mail(data: bytes) -> Mail:
    return mail_of(data, "mail.eml")


def part(content_type: str, body: bytes, extra: bytes = b"") -> bytes:
    return HEAD + f"Content-Type: {content_type}\r\n".encode() + extra + b"\r\n" + body


@pytest.mark.parametrize(
    ("declared", "real"),
    [
        ("utf-8", "utf-8"),
        ("iso-8859-1", "cp1252"),
        ("windows-1252", "utf-8"),
        ("us-ascii", "cp1252"),
        ("unknown-8bit", "utf-8"),
        ("idna", "cp1252"),
        ("utf-16", "utf-16"),
        ("base64", "utf-8"),
    ],
)
def test_accents_survive_a_charset_that_is_declared_wrongly(declared: str, real: str) -> None:
    assert mail(part(f"text/plain; charset={declared}", WISH.encode(real))).text == WISH


def test_headers_are_decoded_and_stay_on_one_line() -> None:
    read = mail(
        b"From: =?utf-8?q?Zo=C3=A9?=\r\n =?utf-8?q?_Roux?= <zoe@b.example>\r\n"
        b"Subject: =?utf-8?b?" + base64.b64encode("Été\r\nBcc: x@y.example".encode()) + b"?=\r\n"
        b"Date: Tue, 20 Jan 2026 09:04:00 +0100\r\n\r\nBonjour"
    )
    assert (read.sender, read.subject) == ("Zoé Roux", "Été Bcc: x@y.example")
    assert read.date
    assert read.date.date().isoformat() == "2026-01-20"


def test_bare_bytes_in_a_subject_are_read() -> None:
    assert mail("Subject: Congés d’été\r\n\r\nBonjour".encode("cp1252")).subject == "Congés d’été"


def test_a_mail_that_is_only_html_is_read_by_lines_without_scripts() -> None:
    html = "<html><style>p{}</style><body>Bonjour,<br>je suis malade.<script>x()</script></body>"
    assert mail(part("text/html; charset=utf-8", html.encode())).text == (
        "Bonjour,\nje suis malade."
    )


def test_the_plain_version_wins_and_an_empty_one_does_not() -> None:
    for plain, expected in (("En clair.", "En clair."), ("  ", "En HTML.")):
        made = EmailMessage()
        made["Subject"] = "x"
        made.set_content(plain)
        made.add_alternative("<p>En HTML.</p>", subtype="html")
        assert mail(made.as_bytes()).text == expected


def test_attachments_are_named_without_folders_and_small_texts_are_read() -> None:
    made = EmailMessage()
    made["Subject"] = "x"
    made.set_content("Voir pièce jointe.")
    made.add_attachment("Curriculum vitae", filename="../../etc/CV été.txt")
    made.add_attachment(b"\x00\x01", maintype="image", subtype="png", filename="scan.png")
    read = mail(made.as_bytes())
    assert [one.name for one in read.attachments] == ["CV été.txt", "scan.png"]
    assert read.attachments[0].text == "Curriculum vitae"
    assert (read.attachments[1].size, read.attachments[1].text) == (2, "")


def test_an_attachment_that_cannot_be_read_is_a_problem_and_no_error() -> None:
    made = EmailMessage()
    made["Subject"] = "x"
    made.set_content("Voir pièce jointe.")
    made.add_attachment(b"%PDF-1.4 cut", maintype="application", subtype="pdf", filename="a.pdf")
    read = mail(made.as_bytes())
    assert [one.name for one in read.attachments] == ["a.pdf"]
    assert len(read.problems) == 1


def test_a_message_within_the_message_is_listed_and_read_where_there_is_no_other_text() -> None:
    inner = "Subject: =?utf-8?q?Cong=C3=A9s?=\r\n\r\nJe voudrais poser une semaine."
    body = f"--Z\r\nContent-Type: message/rfc822\r\n\r\n{inner}\r\n--Z--".encode()
    read = mail(part("multipart/mixed; boundary=Z", body))
    assert read.text == "Congés\nJe voudrais poser une semaine."
    assert [one.name for one in read.attachments] == ["Congés.eml"]


@pytest.mark.parametrize("cut", range(1, 9))
def test_base64_that_is_cut_short_is_read_as_far_as_it_goes(cut: int) -> None:
    packed = base64.b64encode(b"Bonjour, je souhaite poser une semaine.")[:-cut]
    read = mail(part("text/plain", packed, b"Content-Transfer-Encoding: base64\r\n"))
    assert read.text.startswith("Bonjour, je souhaite poser une se")


def test_an_attachment_of_fifty_megabytes_is_listed_and_not_read() -> None:
    packed = base64.encodebytes(bytes(50_000_000))
    body = b"--Z\r\n\r\nBonjour.\r\n--Z\r\nContent-Type: application/pdf; name=gros.pdf\r\n"
    body += b"Content-Transfer-Encoding: base64\r\n\r\n" + packed + b"\r\n--Z--\r\n"
    read = mail(part("multipart/mixed; boundary=Z", body))
    assert [(one.size, one.text) for one in read.attachments] == [(50_000_000, "")]
    assert read.text == "Bonjour."


@pytest.mark.parametrize("depth", [3000, 20_000])
def test_parts_nested_without_end_are_refused(depth: int) -> None:
    levels = (b"Content-Type: message/rfc822\r\n\r\n" for _ in range(depth))
    with pytest.raises(UsageError, match="without end"):
        mail(HEAD + b"".join(levels) + b"Content-Type: text/plain\r\n\r\nBonjour")


def test_thousands_of_parts_are_cut_with_a_problem() -> None:
    one = b"--Z\r\nContent-Type: text/plain; name=a.txt\r\n\r\nab\r\n"
    read = mail(part("multipart/mixed; boundary=Z", one * 3000))
    assert len(read.attachments) == 200
    assert len(read.problems) == 1


@pytest.mark.parametrize("data", [b"", b"  \n\t", b"From: a@b.c\r\n\r\n", b"\x89PNG\x00\x01\x02"])
def test_what_holds_no_mail_is_refused_in_one_sentence(data: bytes) -> None:
    with pytest.raises(UsageError):
        mail(data)


def test_binary_standard_input_is_refused() -> None:
    with pytest.raises(UsageError):
        mail_of(b"\x7fELF\x00\x00\x01", "standard input")


def test_an_empty_body_leaves_the_subject() -> None:
    read = mail(b"Subject: Demande de rappel\r\n\r\n")
    assert (read.subject, read.text) == ("Demande de rappel", "")


def test_malformed_parameters_are_passed_over() -> None:
    broken = "text/plain; charset*=utf-8''%C3%A9; name*0=x; name*=y; charset*0=x"
    assert mail(part(broken, b"Bonjour")).words.startswith("x")


@pytest.mark.parametrize(
    "header", [b"Auto-Submitted: auto-replied", b"Precedence: bulk", b"List-Unsubscribe: <x>"]
)
def test_a_mail_from_a_machine_says_so(header: bytes) -> None:
    assert mail(HEAD + header + b"\r\n\r\nBonjour").automatic
    assert not mail(HEAD + b"Auto-Submitted: no\r\n\r\nBonjour").automatic


@given(st.binary(max_size=400))
def test_any_bytes_are_a_mail_or_one_error(data: bytes) -> None:
    for start in (b"", HEAD, HEAD + b"Content-Type: multipart/mixed; boundary=Z\r\n\r\n--Z\r\n"):
        try:
            read = mail(start + data)
        except UsageError:
            continue
        assert "\n" not in read.subject + read.sender


@given(st.text(max_size=200), st.sampled_from(["From", "Subject", "Date", "Content-Type"]))
def test_any_header_is_read_or_passed_over(value: str, name: str) -> None:
    sent = f"{name}: {value}\r\nX-End: 1\r\n\r\nBonjour".encode("utf-8", "replace")
    with suppress(UsageError):
        mail(b"To: a@b.example\r\n" + sent)


def test_a_letter_is_read_from_text_with_its_subject(tmp_path: Path) -> None:
    path = tmp_path / "lettre.txt"
    path.write_bytes("Objet : Congés\r\n\r\nJe pose le 3 juillet.\r\n".encode("cp1252"))
    read = read_mail(path)
    assert (read.subject, read.text) == ("Congés", "Je pose le 3 juillet.")


@pytest.mark.parametrize("name", ["guide-accueil-agent.pdf", "reglement-teletravail.docx"])
def test_a_document_is_read_as_a_letter(name: str) -> None:
    path = Path(__file__).parents[3] / "examples" / "rh" / name
    assert len(read_mail(path).text) > 1000


def test_a_pdf_on_standard_input_is_known_by_its_first_bytes() -> None:
    path = Path(__file__).parents[3] / "examples" / "rh" / "guide-accueil-agent.pdf"
    assert mail_of(path.read_bytes(), "standard input").text == read_mail(path).text


@pytest.mark.parametrize(
    "history",
    [
        "Le 5 févr. 2026 à 10:12, DRH <drh@b.example> a écrit :\n> Ancien message",
        "On Mon, 5 Jan 2026 at 10:12, HR <hr@b.example>\nwrote:\n\n> Old message",
        "-----Message d'origine-----\nDe : DRH\nAncien message",
        "De : DRH\nEnvoyé : lundi 1 juin 2026\nÀ : moi\nObjet : RE\n\nAncien message",
        "From: HR\nSent: Monday\nTo: me\nSubject: RE\n\nOld message",
        "De : DRH Envoyé : lundi 1 juin 2026 À : moi Objet : RE\nAncien message",
        "> Ancien message",
    ],
)
def test_quoted_history_is_cut_off(history: str) -> None:
    assert own_words(f"Merci, je confirme ma demande.\n\n{history}")[0] == (
        "Merci, je confirme ma demande."
    )


def test_an_answer_below_the_quotation_is_kept() -> None:
    body = "Le 5 févr. 2026, DRH a écrit :\n> Quand ?\n\nJe pars le 3 juillet prochain."
    assert own_words(body)[0] == "Je pars le 3 juillet prochain."


def test_a_sentence_about_writing_is_no_history() -> None:
    body = "Le médecin m'a écrit :\nvous devez vous reposer."
    assert own_words(body)[0] == body


def test_a_mail_that_only_hands_on_another_keeps_it() -> None:
    inner = "De : Zoé\nEnvoyé : lundi\nÀ : DRH\nObjet : RTT\n\nJe pose deux jours de RTT."
    assert "deux jours de RTT" in own_words(f"Pour vous.\n\n{inner}")[0]
    assert "RTT" not in own_words(f"Je confirme toute ma demande.\n\n{inner}")[0]
    assert "RTT" in own_words(f"Je confirme toute ma demande.\n\n{inner}", forwarded=True)[0]


@pytest.mark.parametrize(
    "below", ["Cordialement,\nZoé Roux\nposte 12", "-- \nZoé", "Envoyé de mon iPhone", "Zoé Roux"]
)
def test_the_signature_stands_apart(below: str) -> None:
    text, signature = own_words(f"Je suis malade.\n\n{below}")
    assert text == "Je suis malade."
    assert signature.splitlines()[0] == below.splitlines()[0].strip()


def test_a_postscript_is_no_signature() -> None:
    text, signature = own_words("Je suis malade.\nCordialement\nZoé\nPS : je reviens lundi.")
    assert text == "Je suis malade.\nPS : je reviens lundi."
    assert "Zoé" in signature


@given(st.text(alphabet="> -_\nLeDe:àécrit.5", max_size=300))
def test_own_words_invents_nothing(body: str) -> None:
    text, signature = own_words(body)
    words = body.split()
    assert set(f"{text} {signature}".split()) <= {*words, *(word.lstrip("> ") for word in words)}


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Je voudrais savoir combien de jours de congés il me reste cette année.", "fr"),
        ("I would like to know how many days of leave I have this year.", "en"),
        ("Quisiera saber cuántos días de vacaciones me corresponden este año.", "es"),
        ("Здравствуйте, сколько дней отпуска мне положено в этом году?", ""),
        ("كم يوما من الإجازة يحق لي هذا العام", ""),
    ],
)
def test_the_language_of_a_mail_is_told(text: str, language: str) -> None:
    assert Mail("x", text).language == language
