"""The Python files of the contexts and their imports."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def module_files(root: Path) -> Iterator[tuple[str, str, Path]]:
    """(context, module, path) of every Python file in the contexts below `root`."""
    for context in sorted(path.name for path in root.iterdir() if path.is_dir() and path.name != "__pycache__"):
        for path in sorted((root / context).rglob("*.py")):
            parts = path.relative_to(root / context).parts
            yield context, parts[0].removesuffix(".py"), path


@cache
def imports_of(path: Path) -> frozenset[str]:
    """The dotted names of all imports of a file."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
            found.add(node.module)
    return frozenset(found)
