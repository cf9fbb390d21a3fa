"""Module rules: SQL only in queries and actions, no rules or other servers in queries, keyword arguments."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.source_files import ROOT, imports_of, module_files

HOLD_SQL = {"queries", "actions", "admin", "models", "migrations", "management"}
# Queries must not use other contexts or Redis, or raise rejections.
NOT_IN_QUERIES = ("socialapp.rpc", "socialapp.core.cache", "redis", "socialapp.messaging", "socialapp.http")
NAME_ARGUMENTS = {"access", "actions", "gateways", "presenters", "queries"}
RULES = ("sql", "queries", "arguments")
# Signatures given by Django, REST framework, Celery, structlog and templates; a command's main; METHOD URL.
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
    """(rule, context, violation) for the contexts below `root`."""
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
    """Public functions of the kernel at `root` with two or more positional arguments."""
    for path in sorted(root.rglob("*.py")):
        if "migrations" not in path.parts:
            for name in _positional(ast.parse(path.read_text())):
                yield f"{path.relative_to(root)}: {name}"


def _sql_lines(tree: ast.Module) -> Iterator[int]:
    """Places that read or write rows, with a model's manager or a cursor."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in ("objects", "_default_manager", "cursor"):
            yield node.lineno


def _positional(tree: ast.Module) -> Iterator[str]:
    """Public functions with two or more positional arguments."""
    functions = (node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    for node in functions:
        if not node.name.startswith("_") and len(node.args.posonlyargs + node.args.args) > 1:
            yield node.name


@pytest.mark.parametrize("rule", RULES)
def test_contexts_follow_the_module_rules(rule: str) -> None:
    found = [what for name, context, what in module_violations(ROOT / "apps") if name == rule]
    assert found == [], (
        "SQL only in queries and actions, no calls or rules in queries, keyword arguments if there are two or more"
    )


def test_kernel_functions_take_two_or_more_arguments_by_keyword() -> None:
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
def test_a_planted_rule_violation_is_detected(tmp_path: Path, file: str, source: str, rule: str) -> None:
    (tmp_path / "polls").mkdir()
    (tmp_path / "polls" / file).write_text(f'"""P."""\n{source}\n')
    assert {name for name, _, _ in module_violations(tmp_path)} == {rule}
