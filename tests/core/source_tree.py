"""The project's own modules, read as syntax trees."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "edge_slm"
# Source roots: the folder on the path of imports, and the package that it holds.
ROOTS = {ROOT: PACKAGE, ROOT / "quantize": ROOT / "quantize" / "edge_slm_quantize"}


def modules() -> list[Path]:
    """Return the files of all modules."""
    return sorted(path for package in ROOTS.values() for path in package.rglob("*.py"))


def dotted(path: Path) -> str:
    """Return the dotted name of a module."""
    (root,) = (root for root, package in ROOTS.items() if path.is_relative_to(package))
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def tree(path: Path) -> ast.Module:
    """Return the syntax tree of a module."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imports(path: Path, *, lazy: bool = True) -> set[str]:
    """Return the dotted names that a module imports.

    Args:
        path: the module.
        lazy: also those inside functions; imports for type checkers never count.
    """
    found: set[str] = set()
    _collect(tree(path), found, lazy)
    return found


def _collect(node: ast.AST, found: set[str], lazy: bool) -> None:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            found.update(alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            # "from edge_slm import files" imports edge_slm.files
            found.update(f"{child.module}.{alias.name}" for alias in child.names)
        elif isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        elif lazy or not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            _collect(child, found, lazy)
