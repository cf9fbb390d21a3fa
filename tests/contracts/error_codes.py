"""Finds the problem codes that the code raises."""

import ast
from collections.abc import Iterator
from typing import TypeGuard

from socialapp.core.errors import PROBLEMS
from tests.architecture.source_files import ROOT

STATUSES = {kind.__name__: status for status, kind in PROBLEMS.items()}


def raised_codes() -> Iterator[tuple[int, str, str]]:
    """(status, code, place) of every problem that is raised with its own code."""
    for folder in ("apps", "socialapp"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for status, call in _problems(ast.parse(path.read_text())):
                for keyword in call.keywords:
                    if keyword.arg == "code" and isinstance(keyword.value, ast.Constant):
                        yield status, str(keyword.value.value), f"{path.relative_to(ROOT)}:{call.lineno}"


def _problems(tree: ast.Module) -> Iterator[tuple[int, ast.Call]]:
    """Every call that makes a problem, and its status: of a kind of problem, or of `super().__init__` in a subclass."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in STATUSES:
            yield STATUSES[node.func.id], node
        elif isinstance(node, ast.ClassDef):
            for base in node.bases:
                if isinstance(base, ast.Name) and base.id in STATUSES:
                    yield from ((STATUSES[base.id], call) for call in ast.walk(node) if _is_initializer(call))


def _is_initializer(node: ast.AST) -> TypeGuard[ast.Call]:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "__init__"
