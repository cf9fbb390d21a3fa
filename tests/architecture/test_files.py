"""The structure of contexts: the same files everywhere, each with a module docstring, and layers by import."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from socialapp.core.contexts import CONTEXTS
from tests.architecture.source_files import ROOT, imports_of, module_files

ALLOWED = {
    "__init__", "apps", "models", "queries", "access", "gateways", "presenters", "actions", "service", "handlers",
    "tasks", "serializers", "views", "urls",
    "sockets", "admin", "management", "migrations",
}  # fmt: skip
FORBIDDEN_NAMES = {"utils", "helpers", "common", "manager", "misc", "base"}
MODELS_FOR = {"access", "actions", "presenters", "queries", "admin", "migrations", "models"}
DRF_OR_CHANNELS = ("rest_framework", "channels", "drf_spectacular")
BUSINESS = {"models", "queries", "access", "gateways", "presenters", "actions", "service", "handlers", "tasks"}


def shape_violations(root: Path) -> list[str]:
    """Violations of the structure in the contexts below `root`, one per line."""
    found = []
    for context, module, path in module_files(root):
        where = f"{context}/{path.relative_to(root / context)}"
        if module not in ALLOWED:
            found.append(f"{where}: contexts have no file with this name")
        if path.stem in FORBIDDEN_NAMES:
            found.append(f"{where}: the name is meaningless")
        if module == "migrations":
            continue
        tree = ast.parse(path.read_text())
        if path.read_text().strip() and not ast.get_docstring(tree):
            found.append(f"{where}: the module docstring is missing")
        imported = imports_of(path)
        models = f"apps.{context}.models"
        if module not in MODELS_FOR and any(name == models or name.startswith(f"{models}.") for name in imported):
            found.append(f"{where}: only actions, queries, admin and migrations import models")
        if module in BUSINESS and any(name.split(".")[0] in DRF_OR_CHANNELS for name in imported):
            found.append(f"{where}: business files import neither DRF nor Channels")
        others = {name.split(".")[1] for name in imported if name.startswith("apps.") and name.count(".")} - {context}
        if others:
            found.append(f"{where}: imports the context {', '.join(sorted(others))}")
        found.extend(f"{where}: {problem}" for problem in call_violations(tree, module))
    return found


def call_violations(tree: ast.AST, module: str) -> Iterator[str]:
    """Forbidden calls."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name == "get_model":
            yield "do not look up other contexts' models by name"
        if name == "publish" and module != "actions" and isinstance(node.func, ast.Name):
            yield "only actions publish"
        if name in {"receiver", "connect"} and "signal" in ast.dump(node):
            yield "do not use model signals: they hide effects"
        if name == "using" and node.args and isinstance(node.args[0], ast.Constant):
            yield "the router chooses the alias, not the code"
        for keyword in node.keywords:
            if keyword.arg == "using" and isinstance(keyword.value, ast.Constant):
                yield "the router chooses the alias, not the code"


def test_every_context_has_the_same_structure() -> None:
    assert shape_violations(ROOT / "apps") == []


def test_every_registered_context_has_a_folder() -> None:
    folders = {path.name for path in (ROOT / "apps").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders == set(CONTEXTS)


def test_the_kernel_imports_no_context() -> None:
    offenders = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "socialapp").rglob("*.py")
        if any(name == "apps" or name.startswith("apps.") for name in imports_of(path))
    ]
    assert offenders == []


def test_contracts_are_plain_data() -> None:
    allowed = (
        "datetime",
        "typing",
        "enum",
        "collections",
        "dataclasses",
        "functools",
        "importlib",
        "pkgutil",
        "socialapp.contracts",
        "socialapp.core.contexts",  # the names of the contexts
    )
    for path in (ROOT / "socialapp" / "contracts").glob("*.py"):
        assert all(name.startswith(allowed) for name in imports_of(path)), f"{path.name} imports more than data"


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("helpers.py", '"""Things."""', "no file with this name"),
        ("views.py", "x = 1", "the module docstring is missing"),
        ("views.py", '"""V."""\nfrom apps.posts.models import Post', "import models"),
        ("actions.py", '"""A."""\nfrom rest_framework.views import APIView', "neither DRF nor Channels"),
        ("queries.py", '"""Q."""\nfrom apps.users import queries', "imports the context users"),
        ("queries.py", '"""Q."""\nfrom django.apps import apps\nM = apps.get_model("users", "Profile")', "by name"),
        ("queries.py", '"""Q."""\nM.objects.using("users").all()', "the router chooses"),
        ("handlers.py", '"""H."""\npublish(Event())', "only actions publish"),
    ],
)
def test_a_planted_violation_is_detected(tmp_path: Path, file: str, content: str, said: str) -> None:
    (tmp_path / "posts").mkdir()
    (tmp_path / "posts" / file).write_text(content)
    assert any(said in line for line in shape_violations(tmp_path))


EXPORTING = {"queries", "access", "actions", "presenters", "views"}
# Imported only where it is needed, as it loads Elasticsearch's client.
LOADED_LATE = {"apps.search.queries.elastic"}


def test_packages_export_what_others_import() -> None:
    """Packages with these names list their exports in `__all__`; others import from the package, not its modules."""
    found = []
    for file in sorted((ROOT / "apps").glob("*/**/__init__.py")):
        package = ".".join(file.parent.relative_to(ROOT).parts)
        if "__all__" not in file.read_text():
            if file.parent.name in EXPORTING:
                found.append(f"{package} has no __all__")
            continue
        inner = tuple(f"{package}.{path.parent.name}" for path in file.parent.glob("*/__init__.py"))
        for _, module, path in module_files(ROOT / "apps"):
            if module != "migrations" and file.parent not in path.parents:
                deep = {name.rpartition(".")[0] for name in imports_of(path) if name.startswith(f"{package}.")}
                deep = {name for name in deep - LOADED_LATE if name != package and not name.startswith(inner)}
                found += [f"{path.relative_to(ROOT)} imports from {name}" for name in sorted(deep)]
    assert found == []


def test_no_test_module_imports_from_another() -> None:
    again = "tests/multi_service/test_scenarios.py"  # runs the same tests on several services
    found = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sorted((ROOT / "tests").rglob("*.py"))
        if path != ROOT / again
        for name in sorted(imports_of(path))
        if re.match(r"tests\.(\w+\.)*test_\w+", name)
    ]
    assert found == [], "move shared code to a conftest or a separate module"


def test_decisions_are_numbered_without_gaps_and_indexed() -> None:
    records = sorted(path.name for path in (ROOT / "docs/adr").glob("[0-9]*.md"))
    assert [int(name[:4]) for name in records] == list(range(1, len(records) + 1))
    index = (ROOT / "docs/adr/README.md").read_text()
    assert [name for name in records if f"({name})" not in index] == []
