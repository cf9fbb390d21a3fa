"""Module rules of a context: SQL in queries and actions only; no rule and no other server in queries; keywords."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.source_files import ROOT, imports_of, module_files

HOLD_SQL = {"queries", "actions", "admin", "models", "migrations", "management"}
# What queries may not reach: other contexts, Redis, and what refuses.
NOT_IN_QUERIES = ("socialapp.rpc", "socialapp.core.cache", "redis", "socialapp.messaging", "socialapp.http")
NAME_ARGUMENTS = {"access", "actions", "gateways", "presenters", "queries"}
RULES = ("sql", "queries", "arguments")
# What Django, REST framework, Celery, structlog and templates call their way, a command's main, and METHOD URL.
CALLED_BY_POSITION = {
    "core/media/convert.py: main",
    "core/outgoing.py: request",
    "http/problems.py: handle_exception",
    "http/problems.py: not_found",
    "http/problems.py: bad_request",
    "http/templatetags/workload.py: workload",
    "messaging/tasks.py: deliver_batch",
    "telemetry/redact.py: redact",
}


def module_violations(root: Path) -> Iterator[tuple[str, str, str]]:
    """(rule, context, what breaks it) for the contexts below `root`."""
    for context, module, path in module_files(root):
        where = f"{context}/{path.relative_to(root / context)}"
        tree = ast.parse(path.read_text())
        if module not in HOLD_SQL:
            yield from (("sql", context, f"{where}:{line}") for line in _sql_lines(tree))
        if module == "queries":
            far = sorted(name for name in imports_of(path) if name.startswith(NOT_IN_QUERIES))
            yield from (("queries", context, f"{where}: {name}") for name in far)
        if module in NAME_ARGUMENTS:
            yield from (("arguments", context, f"{where}: {name}") for name in _positional(tree))


def positional_in_kernel(root: Path) -> Iterator[str]:
    """Public functions of the kernel at `root` that take two arguments or more by position."""
    for path in sorted(root.rglob("*.py")):
        if "migrations" not in path.parts:
            for name in _positional(ast.parse(path.read_text())):
                yield f"{path.relative_to(root)}: {name}"


def _sql_lines(tree: ast.Module) -> Iterator[int]:
    """Where rows are read or written: by a manager of a model, or by a cursor."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in ("objects", "_default_manager", "cursor"):
            yield node.lineno


def _positional(tree: ast.Module) -> Iterator[str]:
    """Public functions that take two arguments or more by position."""
    functions = (node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    for node in functions:
        if not node.name.startswith("_") and len(node.args.posonlyargs + node.args.args) > 1:
            yield node.name


@pytest.mark.parametrize("rule", RULES)
def test_contexts_follow_the_module_rules(rule: str) -> None:
    found = [what for name, context, what in module_violations(ROOT / "apps") if name == rule]
    assert found == [], "SQL is in queries and actions, queries ask nobody else, and two arguments or more have names"


def test_the_kernel_takes_two_arguments_or_more_by_name() -> None:
    assert set(positional_in_kernel(ROOT / "socialapp")) == CALLED_BY_POSITION


@pytest.mark.parametrize(
    ("file", "source", "rule"),
    [
        ("access.py", "Post.objects.all()", "sql"),
        ("presenters.py", "connections['a'].cursor()", "sql"),
        ("queries.py", "from socialapp.rpc.calls import client", "queries"),
        ("queries.py", "from socialapp.core.cache import redis_client", "queries"),
        ("actions.py", "def f(a: int, b: int) -> None: ...", "arguments"),
    ],
)
def test_a_planted_breach_is_found(tmp_path: Path, file: str, source: str, rule: str) -> None:
    (tmp_path / "polls").mkdir()
    (tmp_path / "polls" / file).write_text(f'"""P."""\n{source}\n')
    assert {name for name, _, _ in module_violations(tmp_path)} == {rule}
