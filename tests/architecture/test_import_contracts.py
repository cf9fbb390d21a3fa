"""The contracts of import-linter detect violations: each is broken once, in a copy."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINTER = Path(sys.executable).with_name("lint-imports")


def broken_contracts(tree: Path) -> list[str]:
    """The names of the contracts that the tree violates."""
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    command = [str(LINTER), "--no-logo", "--no-cache"]
    ended = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)
    found = [line.removesuffix(" BROKEN") for line in ended.stdout.splitlines() if line.endswith(" BROKEN")]
    assert ended.returncode == (1 if found else 0), ended.stdout + ended.stderr
    return found


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the code that the contracts cover."""
    for folder in ("apps", "socialapp", "web"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_project_fulfils_its_contracts_without_exceptions(tree: Path) -> None:
    assert broken_contracts(tree) == []
    assert "ignore_imports" not in (ROOT / "pyproject.toml").read_text()


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("apps/comments/actions.py", "import apps.posts.service", "Contexts know each other"),
        ("apps/reactions/models.py", "import apps.reactions.views", "Layers of a context"),
        ("apps/reactions/helpers.py", "", "Layers of a context"),
        ("socialapp/core/db.py", "import apps.users.service", "The kernel knows no context"),
        ("socialapp/contracts/users.py", "import django.db", "Contracts are plain data"),
        ("apps/comments/views.py", "import apps.comments.models", "Only actions, queries, admin"),
        ("apps/metrics/actions/rollups.py", "import rest_framework", "Business files import neither"),
        ("apps/metrics/queries.py", "import socialapp.http.views", "Business files import neither"),
        ("web/pages.py", "import apps.posts.service", "The web client knows contexts"),
    ],
)
def test_a_planted_import_is_detected(tree: Path, file: str, line: str, contract: str) -> None:
    with (tree / file).open("a") as source:
        source.write(f"\n{line}\n")
    assert any(name.startswith(contract) for name in broken_contracts(tree))
