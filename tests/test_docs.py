"""The documentation says what there is: commands, options, variables, keys, modules, links."""

import inspect
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec
import pytest

from edge_slm import answer
from edge_slm.answer import ModelUsed
from edge_slm.assistant import Assistant
from edge_slm.cli import root
from edge_slm.engines import ChatEngine, Embedder
from edge_slm.engines.loaded import Engines
from edge_slm.engines.workers.pool import Pool
from edge_slm.kb import approvals
from edge_slm.kb.base import KnowledgeBase, base_path
from edge_slm.kb.documents import Block, Document
from tests.core.source_tree import PACKAGE, ROOT, modules
from tests.fakes import DIMENSIONS, FakeEmbedder, ScriptedChat

DOCS = ROOT / "docs"
COMMANDS = DOCS / "reference" / "commands.md"
PYTHON = DOCS / "reference" / "python.md"
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *DOCS.rglob("*.md"),
        ROOT / "models/README.md",
        ROOT / "examples/README.md",
    ]
)

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_OPTION = re.compile(r"(?<![\w-])-{1,2}[a-zA-Z][\w-]*")
_ASSIGNMENT = re.compile(r"\w+=.*")


def name_of(path: Path) -> str:
    """Return a page as a test's name shows it."""
    return path.relative_to(ROOT).as_posix()


def blocks(text: str, language: str) -> list[str]:
    """Return the fenced blocks of a language."""
    return [code for tag, code in _BLOCK.findall(text) if tag == language]


def walk(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    """Yield a command and all below it, with what a user types."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below
            yield from walk(below, f"{path} {name}")


TREE = dict(walk(root, "edge-slm"))


def options_of(command: click.Command) -> set[str]:
    """Return the options of a command, short and long, without help."""
    options = (item for item in command.params if isinstance(item, click.Option))
    return {name for option in options for name in (*option.opts, *option.secondary_opts)}


def sections() -> dict[str, str]:
    """Return the text under each second-level heading of the page on commands."""
    pieces = re.split(r"^## (.+)$", COMMANDS.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(pieces[1::2], pieces[2::2], strict=True))


def test_the_page_on_commands_has_a_section_for_each_command() -> None:
    described = {heading for heading in sections() if heading.startswith("edge-slm")}
    assert described == set(TREE)


@pytest.mark.parametrize("path", TREE)
def test_a_section_has_the_options_of_its_command_and_no_others(path: str) -> None:
    section = sections()[path]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    described = {option for row in rows for option in _OPTION.findall(row)}
    assert described == options_of(TREE[path])
    assert set(_OPTION.findall(section)) <= options_of(TREE[path]) | {"--help"}


def test_every_variable_of_ours_is_documented() -> None:
    named = re.compile(r"EDGE_SLM_[A-Z_]+")
    files = [*PACKAGE.rglob("*.py"), *(ROOT / "packaging").glob("*.sh"), ROOT / "Makefile"]
    used = {name for path in files for name in named.findall(path.read_text(encoding="utf-8"))}
    assert used
    section = sections()["Environment variables"]
    assert used == set(named.findall(section))


def test_every_key_of_an_answer_is_documented() -> None:
    text = (DOCS / "reference" / "answer.md").read_text(encoding="utf-8")
    pieces = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    described = dict(zip(pieces[1::2], pieces[2::2], strict=True))
    structs = inspect.getmembers(answer, inspect.isclass)
    for name, struct in structs:
        if not issubclass(struct, msgspec.Struct) or struct is msgspec.Struct:
            continue
        rows = [line.split("|")[1] for line in described[name].splitlines() if "| `" in line[:3]]
        keys = {key for row in rows for key in re.findall(r"`(\w+)`", row)}
        fields = {field.name for field in msgspec.structs.fields(struct)}
        assert fields <= keys, name


def test_the_example_of_an_answer_is_one() -> None:
    (example,) = blocks((DOCS / "reference" / "answer.md").read_text(encoding="utf-8"), "json")
    shown = msgspec.json.decode(example)
    read = msgspec.json.decode(example, type=answer.Answer)
    assert msgspec.json.decode(read.to_json()) == shown  # every key is there, none is made up


def test_the_module_map_is_complete() -> None:
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    pieces = re.split(r"^### (.+)$", text, flags=re.MULTILINE)
    described: set[str] = set()
    for heading, section in zip(pieces[1::2], pieces[2::2], strict=True):
        files = re.findall(r"^\| `([\w/]+\.py)` \|", section, flags=re.MULTILINE)
        folder = "edge_slm" if " and " in heading else heading
        described.update(f"{folder}/{file}" for file in files)
    # A package that holds nothing but its docstring says nothing of its own.
    there = {
        name_of(path)
        for path in modules()
        if path.name != "__init__.py" or len(path.read_text(encoding="utf-8").splitlines()) > 1
    }
    assert described == there


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_relative_links_lead_somewhere(page: Path) -> None:
    text = _BLOCK.sub("", page.read_text(encoding="utf-8"))
    lost = []
    for link in _LINK.findall(text):
        if re.match(r"[a-z]+:", link):
            continue
        target, _, anchor = link.partition("#")
        path = page.parent / target if target else page
        if not path.exists() or (anchor and anchor not in anchors(path)):
            lost.append(link)
    assert lost == []


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = _HEADING.findall(_BLOCK.sub("", page.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def command_lines(text: str) -> Iterator[list[str]]:
    """Yield the words after `edge-slm` of each call in the sh blocks of a page."""
    for block in blocks(text, "sh"):
        for line in block.replace("\\\n", " ").splitlines():
            lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
            lexer.whitespace_split = True
            yield from _calls(list(lexer))


def _calls(words: list[str]) -> Iterator[list[str]]:
    """Cut a line at its pipes, and drop what stands before the command: variables, unshare."""
    while words:
        end = next((i for i, word in enumerate(words) if set(word) <= set("|&;()<>")), len(words))
        call, rest = words[:end], words[end + 1 :]
        while call and _ASSIGNMENT.fullmatch(call[0]):
            call = call[1:]
        if call[:1] == ["unshare"]:
            call = call[2:]
        if call and call[0].rpartition("/")[2] == "edge-slm":
            yield call[1:]
        words = rest


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_commands_shown_are_commands(page: Path) -> None:
    for words in command_lines(page.read_text(encoding="utf-8")):
        parse(words)


def parse(words: list[str]) -> None:
    """Read a command line as the program does, without running it.

    Raises:
        click.ClickException: there is no such command or option, or a value is not valid.
    """
    command: click.Command = root
    context = None
    words = [word for word in words if word != "--debug"]
    name: str | None = "edge-slm"
    while True:
        context = command.make_context(name, list(words), parent=context)
        if not isinstance(command, click.Group):
            return
        rest = [*context._protected_args, *context.args]
        name, below, words = command.resolve_command(context, rest)
        assert below
        command = below


@pytest.mark.parametrize(
    "line",
    [
        "edge-slm aks why",
        "edge-slm ask --wy why",
        "edge-slm kb search",
        "edge-slm demo --profile heavy",
        "cat q | LANG=fr .venv/bin/edge-slm ask --wy -",
    ],
)
def test_a_wrong_command_would_be_seen(line: str) -> None:
    (words,) = command_lines(f"```sh\n{line}\n```\n")
    with pytest.raises(click.ClickException):
        parse(words)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_python_examples_compile(page: Path) -> None:
    for code in blocks(page.read_text(encoding="utf-8"), "python"):
        compile(code, name_of(page), "exec")


class ExampleEngines(Engines):
    """Engines without models, for the example of the page on Python."""

    def __init__(
        self, chat_model: str | None = None, pool: Pool | None = None, budget: int | None = None
    ) -> None:
        self.script = ScriptedChat(["The town hall is closed."] * 9)

    def chat(self, model: str | None = None) -> tuple[ChatEngine, ModelUsed]:
        return self.script, ModelUsed("scripted", "0" * 64, "none")

    def embedder(self, model: str = "fake") -> Embedder:
        return FakeEmbedder()

    def close(self) -> None:
        pass


def test_the_example_of_the_page_on_python_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EDGE_SLM_HOME", str(tmp_path))
    monkeypatch.setattr("edge_slm.assistant.Engines", ExampleEngines)
    example = blocks(PYTHON.read_text(encoding="utf-8"), "python")[0]
    (question,) = re.findall(r'assistant\.ask\("(.+)"\)', example)
    with KnowledgeBase.create(base_path("rh"), "fake", DIMENSIONS) as base:
        text = "Un agent à temps plein a droit à 25 jours de congés annuels."
        base.add(Document("conges.md", "Congés", (Block(text, 3, ""),)), FakeEmbedder())
        approvals.approve(base, question, "25 jours.", 1, "A. Martin")
    exec(compile(example, name_of(PYTHON), "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["approved 25 jours.", f"conges.md 3 {text}"]
    assert lines[-1].endswith("The town hall is closed. scripted")


def test_the_page_on_python_has_the_methods_of_the_assistant() -> None:
    text = PYTHON.read_text(encoding="utf-8")
    public = {name for name in vars(Assistant) if not name.startswith("_")}
    described = set(re.findall(r"^\| `(?:Assistant\.)?(\w+)\(", text, flags=re.MULTILINE))
    assert described == public
