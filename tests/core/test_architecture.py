"""The shape of the project: what may import what, how long a module is, what is documented."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.core.source_tree import PACKAGE, dotted, imports, modules, tree

LONGEST_MODULE = 400  # lines, exclusive

# Below the line of a part, its modules never import these: dependencies point down.
FORBIDDEN = {
    "edge_slm.energy": ("tasks", "assistant", "routing", "cli", "server", "kb", "engines"),
    "edge_slm.engines": ("tasks", "assistant", "routing", "cli", "server", "kb", "evaluation"),
    "edge_slm.kb": ("tasks", "assistant", "routing", "cli", "server", "evaluation"),
    "edge_slm.tasks": ("assistant", "routing", "cli", "server", "evaluation"),
    "edge_slm.sources": ("tasks", "assistant", "routing", "cli", "kb", "evaluation", "engines"),
    "edge_slm.convert": ("tasks", "assistant", "routing", "cli", "kb", "evaluation", "engines"),
    "edge_slm.assistant": ("cli", "server", "evaluation", "bench"),
    "edge_slm.evaluation": ("cli", "server", "bench"),
    "edge_slm.bench": ("cli", "server"),
    "edge_slm.routing": ("tasks", "assistant", "cli", "kb", "engines"),
    "edge_slm.conversation": ("tasks", "assistant", "cli", "server", "engines", "evaluation"),
    "edge_slm.server": ("cli", "evaluation", "bench"),
    "edge_slm.registry": ("tasks", "assistant", "cli", "server", "kb", "engines"),
    "edge_slm.answer": ("tasks", "assistant", "cli", "kb", "engines", "routing"),
}
# What each command may know; commands that only talk to the assistant know nothing below it,
# but for the files that they read and write.
COMMON = {"cli", "errors", "i18n", "files", "paths", "progress", "answer", "language", "machine"}
COMMANDS = {
    "edge_slm.cli.ask": {"assistant"},
    "edge_slm.cli.translate": {"assistant", "tasks.translation"},
    "edge_slm.cli.transcribe": {"assistant", "tasks.speech"},
    "edge_slm.cli.triage": {"assistant", "tasks.triage"},
}
HEAVY = {
    *("llama_cpp", "faster_whisper", "huggingface_hub", "pypdf", "selectolax", "rich", "gguf"),
    *("sqlite_utils", "snowballstemmer", "py3langid", "torch", "transformers", "textual"),
    *("starlette", "uvicorn", "python_multipart", "openai", "llm"),
    *("onnx", "onnx_ir", "onnxruntime", "onnxruntime_qnn", "onnxslim", "optimum", "tokenizers"),
    *("safetensors", "sentencepiece", "ctranslate2", "distributed", "dask", "rknn"),
    *("matplotlib", "pynvml", "paho", "serial", "zeus_apple_silicon"),
}


@pytest.mark.parametrize("part", FORBIDDEN)
def test_dependencies_point_down(part: str) -> None:
    inside = [path for path in modules() if f"{dotted(path)}.".startswith(f"{part}.")]
    assert inside, f"{part} is gone: take it off the list"
    upward = {
        f"{dotted(path)} imports {name}"
        for path in inside
        for name in imports(path)
        for above in FORBIDDEN[part]
        if f"{name}.".startswith(f"edge_slm.{above}.")
    }
    assert upward == set()


@pytest.mark.parametrize(
    "path", [p for p in modules() if dotted(p).startswith("edge_slm.")], ids=dotted
)
def test_the_core_knows_nothing_of_the_packages_beside_it(path: Path) -> None:
    assert not [name for name in imports(path) if name.startswith("edge_slm_")]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_assistant_knows_nothing_below_it(command: str) -> None:
    path = PACKAGE.parent / f"{command.replace('.', '/')}.py"
    allowed = COMMON | COMMANDS[command]
    beyond = {
        name
        for name in imports(path)
        if name.startswith("edge_slm.")
        and not any(f"{name}.".startswith(f"edge_slm.{known}.") for known in allowed)
    }
    assert beyond == set()


@pytest.mark.parametrize("path", modules(), ids=dotted)
def test_heavy_packages_are_imported_where_they_are_used(path: Path) -> None:
    at_top = {name.split(".")[0] for name in imports(path, lazy=False)}
    assert at_top & HEAVY == set()


def test_no_module_imports_itself_in_a_circle() -> None:
    names = {dotted(path) for path in modules()}
    graph = {
        dotted(path): {module for name in imports(path, lazy=False) if (module := _of(name, names))}
        for path in modules()
    }
    done: set[str] = set()
    for name in graph:
        _visit(name, graph, (), done)


def _of(name: str, names: set[str]) -> str:
    return (
        name
        if name in names
        else name.rpartition(".")[0]
        if name.rpartition(".")[0] in names
        else ""
    )


def _visit(name: str, graph: dict[str, set[str]], above: tuple[str, ...], done: set[str]) -> None:
    assert name not in above, f"a circle of imports: {' > '.join((*above, name))}"
    if name not in done:
        for below in graph[name] - {name}:
            _visit(below, graph, (*above, name), done)
        done.add(name)


@pytest.mark.parametrize("path", modules(), ids=dotted)
def test_a_module_is_short_and_says_what_it_is_for(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) < LONGEST_MODULE
    assert ast.get_docstring(tree(path)), "the module has no docstring"


@pytest.mark.parametrize("path", modules(), ids=dotted)
def test_what_is_public_is_documented(path: Path) -> None:
    assert [name for name in _undocumented(tree(path))] == []


def _undocumented(node: ast.Module | ast.ClassDef, prefix: str = "") -> Iterator[str]:
    for child in node.body:
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if child.name.startswith("_"):
            continue
        if not ast.get_docstring(child):
            yield f"{prefix}{child.name}"
        if isinstance(child, ast.ClassDef):
            yield from _undocumented(child, f"{prefix}{child.name}.")
