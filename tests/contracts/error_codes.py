"""Finds the problem codes that the code raises."""

import ast
from collections.abc import Iterator

from socialapp.core.errors import PROBLEMS
from tests.architecture.source_files import ROOT

STATUSES = {kind.__name__: status for status, kind in PROBLEMS.items()}


def raised_codes() -> Iterator[tuple[int, str, str]]:
    """(status, code, place) of every problem that is raised with its own code."""
    for folder in ("apps", "socialapp"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                    continue
                if (status := STATUSES.get(node.func.id)) is None:
                    continue
                for keyword in node.keywords:
                    if keyword.arg == "code" and isinstance(keyword.value, ast.Constant):
                        yield status, str(keyword.value.value), f"{path.relative_to(ROOT)}:{node.lineno}"
