"""Bad input is normal input: one sentence, the right exit code, nothing half-written."""

import os
import wave
from pathlib import Path

import pytest
from pypdf import PdfWriter

from .runner import AUDIO, HANDBOOK, Runner, sentence

PDF = HANDBOOK / "guide-accueil-agent.pdf"
GOOD = "# Le badge\n\nUn badge perdu est remplacé en 3 jours par l'accueil.\n"


def bad_document(folder: Path, kind: str) -> Path:
    """Write one document that cannot be read."""
    path = folder / {"binary": "photo.md", "unknown": "photo.xyz", "empty": "vide.txt"}.get(
        kind, f"{kind}.pdf"
    )
    match kind:
        case "locked":
            writer = PdfWriter(clone_from=PDF)
            writer.encrypt("secret")
            writer.write(path)
        case "cut":
            path.write_bytes(PDF.read_bytes()[:6_000])
        case "scan":
            writer = PdfWriter()
            writer.add_blank_page(200, 200)
            writer.write(path)
        case "empty":
            path.touch()
        case "missing":
            pass
        case _:
            path.write_bytes(bytes(range(256)) * 20)
    return path


@pytest.mark.model
@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("locked", "password"),
        ("cut", "truncated"),
        ("scan", "without text"),
        ("binary", "not text"),
        ("unknown", "format"),
        ("empty", "empty"),
        ("missing", "does not exist"),
    ],
)
def test_a_batch_goes_on_past_a_bad_document(
    run: Runner, base: str, tmp_path: Path, kind: str, says: str
) -> None:
    bad = bad_document(tmp_path, kind)
    before, after = tmp_path / "a.md", tmp_path / "z.md"
    before.write_text(GOOD, encoding="utf-8")
    after.write_text(GOOD.replace("badge", "casier"), encoding="utf-8")
    result = run("kb", "add", base, before, bad, after)
    assert result.returncode == 2
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    _, said, summary = result.stderr.splitlines()
    assert bad.name in said
    assert says in said
    assert summary.startswith("2 added, 0 unchanged, 1 left out")
    assert run.documents(base) == ["a.md", "z.md"]


@pytest.mark.parametrize("question", [(), ("",), ("   ", "\n")])
def test_an_empty_question(bare: Runner, question: tuple[str, ...]) -> None:
    said = sentence(bare("ask", *question), 2)
    assert "QUESTION" in said or "empty" in said


def test_an_empty_question_on_standard_input(bare: Runner) -> None:
    assert "empty" in sentence(bare("ask", "-"), 2)


def test_a_question_of_a_megabyte(bare: Runner) -> None:
    assert "too long" in sentence(bare("ask", "-", text="mot " * 250_000), 2)
    # Linux takes 128 kB in one argument.
    assert "too long" in sentence(bare("ask", "mot " * 30_000), 2)


@pytest.mark.skipif(os.name == "nt", reason="Windows hands arguments over as Unicode")
def test_bytes_that_are_not_text_in_a_question(bare: Runner) -> None:
    result = bare("ask", b"caf\xe9 ?")
    assert result.returncode == 1  # no base to answer from
    assert "Traceback" not in result.stderr


def test_a_translation_of_nothing_of_a_binary_of_too_much(bare: Runner, tmp_path: Path) -> None:
    binary = tmp_path / "photo.md"
    binary.write_bytes(bytes(range(256)))
    assert "nothing to translate" in sentence(bare("translate", "  "), 2)
    assert "not a text" in sentence(bare("translate", binary), 2)
    assert "no file" in sentence(bare("translate", tmp_path / "absent.md"), 2)
    assert "too long" in sentence(bare("translate", "-", text="a" * 2_000_001), 2)
    assert "klingon" in sentence(bare("translate", "--to", "klingon", "Bonjour"), 2)
    assert "already" in sentence(bare("translate", "--to", "fr", "--from", "fr", "Bonjour"), 2)


def test_a_glossary_that_is_none(bare: Runner, tmp_path: Path) -> None:
    glossary = tmp_path / "words.csv"
    glossary.write_text("badge;access card\ncasier\n", encoding="utf-8")
    for path, says in ((glossary, "Row 2"), (tmp_path / "none.csv", "cannot be read")):
        assert says in sentence(bare("translate", "Bonjour", "--glossary", path), 2)


def bad_recording(folder: Path, kind: str) -> Path:
    """Write one recording in which nothing can be heard."""
    path = folder / kind
    if kind == "silence.wav":
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(16_000)
            file.writeframes(bytes(3 * 16_000 * 2))
    elif kind == "text.wav":
        path.write_text(GOOD * 20, encoding="utf-8")
    elif kind == "cut.flac":
        path.write_bytes((AUDIO / "question.flac").read_bytes()[:60])
    elif kind == "empty.wav":
        path.touch()
    elif kind != "missing.wav":
        path.write_bytes(bytes(range(256)) * 40)
    return path


@pytest.mark.model
@pytest.mark.parametrize(
    ("kind", "code", "says"),
    [
        ("text.wav", 2, "not a recording"),
        ("cut.flac", 2, "cut.flac"),
        ("noise.mp3", 2, "noise.mp3"),
        ("noise.mp4", 2, "noise.mp4"),
        ("empty.wav", 2, "empty"),
        ("missing.wav", 2, "no file"),
        ("silence.wav", 1, "No speech"),
    ],
)
def test_a_recording_that_is_none(
    run: Runner, tmp_path: Path, kind: str, code: int, says: str
) -> None:
    path = bad_recording(tmp_path, kind)
    out = tmp_path / "out.srt"
    said = sentence(run("transcribe", path, "--format", "srt", "-o", out), code)
    assert says in said
    assert "Errno" not in said
    assert not out.exists()
    assert not list(tmp_path.glob(".*"))


@pytest.mark.model
def test_asking_about_a_recording_that_is_none(run: Runner, tmp_path: Path) -> None:
    sentence(run("ask", bad_recording(tmp_path, "text.wav")), 2)
    sentence(run("ask", f"transcris {tmp_path / 'missing.wav'}"), 2)


@pytest.mark.model
def test_a_file_in_the_way_of_the_output(bare: Runner, run: Runner, base: str) -> None:
    in_the_way = bare.home.parent / "file"
    in_the_way.touch()
    said = sentence(run("kb", "export", base, in_the_way / "x.db"), 1)
    assert str(in_the_way) in said
    said = sentence(run("kb", "export", base, bare.home.parent / "x.doc"), 2)
    assert ".jsonl" in said
    assert [path.name for path in bare.home.parent.iterdir()] == ["file"]


@pytest.mark.model
def test_a_file_in_the_way_of_a_translation(run: Runner, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = sentence(run("translate", "Bonjour", "--to", "en", "-o", tmp_path / "file" / "x"), 2)
    assert str(tmp_path / "file") in said


@pytest.mark.parametrize(
    "arguments",
    [
        ("nothing",),
        ("ask", "--bogus", "x"),
        ("ask", "--kb"),
        ("ask", "--kb", "absent", "x"),
        ("kb", "nothing"),
        ("kb", "add", "absent", "x.md"),
        ("kb", "add", "absent"),
        ("kb", "show", "absent"),
        ("kb", "remove", "absent", "--yes"),
        ("kb", "create", "a b/?"),
        ("kb", "search", "absent", "x", "--limit", "0"),
        ("transcribe", "x.wav", "--format", "doc"),
        ("models", "show", "nothing"),
        ("eval", "nothing"),
        ("models", "list", "extra"),
    ],
)
@pytest.mark.parametrize("language", ["en", "fr"])
def test_wrong_usage(bare: Runner, arguments: tuple[str, ...], language: str) -> None:
    said = sentence(bare(*arguments, env={"EDGE_SLM_LANG": language}), 2)
    english = {"There", "No", "is", "See", "missing.", "such", "not", "use"}
    assert bool(english & set(said.split())) == (language == "en"), said
    assert not bare.home.exists()


def test_a_group_without_a_command_shows_its_help(bare: Runner) -> None:
    for arguments in ((), ("kb",), ("models",), ("eval",)):
        result = bare(*arguments)
        assert result.returncode == 2
        assert result.stdout == ""
        assert result.stderr.startswith("Usage: edge-slm")
