"""Imports and the dependencies in pyproject.toml match, and the requirements files are generated from it."""

import ast
import re
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PRODUCT = ("mysql", "kafka", "telemetry")
FILES = {
    "requirements.txt": (),
    "requirements-mysql.txt": ("mysql", "telemetry"),
    "requirements-kafka.txt": ("kafka",),
    "requirements.lock": PRODUCT,
    "requirements-dev.txt": ("dev",),
}
# Needed although our code does not import them → why.
NOT_IMPORTED = {
    "argon2-cffi": "Django's Argon2 password hasher",
    "hiredis": "redis parses answers with it",
    "mysqlclient": "Django's database backend",
    "packaging": "kombu's Redis transport, which does not ask for it",
    "uvloop": "uvicorn's event loop",
    "websockets": "uvicorn's WebSocket protocol",
    "boto3": "django-storages' access to S3",
    "nanio": "the S3 server of tests/services/s3",
}


def named(*groups: str) -> dict[str, Requirement]:
    """The product's requirements and those of the groups, by canonical name."""
    wanted = [Requirement(text) for text in PYPROJECT["project"]["dependencies"]]
    pending = list(groups)
    while pending:
        for entry in PYPROJECT["dependency-groups"][pending.pop()]:
            if isinstance(entry, dict):
                pending.append(entry["include-group"])
            else:
                wanted.append(Requirement(entry))
    return {canonicalize_name(requirement.name): requirement for requirement in wanted}


@cache
def distributions() -> dict[str, set[str]]:
    """Top-level module → the distributions that contain it."""
    return {module: {canonicalize_name(name) for name in names} for module, names in packages_distributions().items()}


def modules_of(*folders: str, strings: bool = False) -> set[str]:
    """Top-level modules that the code in these folders imports; with `strings`, also those named in strings."""
    found = set()
    for folder in folders:
        path = ROOT / folder
        for file in [path] if path.is_file() else path.rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Import):
                    found |= {alias.name for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    found.add(node.module)
                elif strings and isinstance(node, ast.Constant) and re.fullmatch(r"[a-z_][\w.]*", str(node.value)):
                    found.add(str(node.value))
    return {name.partition(".")[0] for name in found}


def used_distributions(*folders: str) -> set[str]:
    """The distributions of the used modules; all of them if several share a namespace."""
    return set().union(*(distributions().get(module, set()) for module in modules_of(*folders, strings=True)))


@pytest.mark.parametrize(("folders", "groups"), [(("socialapp", "apps", "manage.py"), PRODUCT), (("tests",), ("dev",))])
def test_every_import_is_a_declared_requirement(folders: tuple[str, ...], groups: tuple[str, ...]) -> None:
    listed = set(named(*groups))
    brought = {module: distributions().get(module, set()) for module in modules_of(*folders)}
    missing = {module for module, names in brought.items() if names and not names & listed}
    assert missing == set()


def test_every_product_requirement_is_imported() -> None:
    used = used_distributions("socialapp", "apps", "manage.py") | set(NOT_IMPORTED)
    assert set(named(*PRODUCT)) - used == set()


def test_every_test_requirement_is_imported() -> None:
    asked = set(named("dev")) - set(named(*PRODUCT))
    files = ("test", "justfile", ".pre-commit-config.yaml", "mkdocs.yml", "docker/lock", "tests/deploy/test_image.py")
    commands = " ".join((ROOT / name).read_text() for name in files) + str(PYPROJECT["tool"])
    used = used_distributions("tests") | set(NOT_IMPORTED)
    unused = {
        name
        for name in asked - used
        if not _is_stub_of_something_used(name)
        and not any(re.search(rf"\b{re.escape(word)}\b", commands) for word in _commands(name))
    }
    assert unused == set()


def _commands(name: str) -> set[str]:
    """The words that may refer to a tool: its name, its modules, or a part of its name."""
    modules = {module for module, names in distributions().items() if name in names}
    return {name, *modules, name.removeprefix("rust-"), name.removesuffix("-bin"), name.removeprefix("pytest-")}


def _is_stub_of_something_used(name: str) -> bool:
    base = re.sub(r"^types-|-stubs$|-types$", "", name)
    return base != name and any(base in known for known in named(*PRODUCT))


@pytest.mark.parametrize(("file", "groups"), FILES.items())
def test_the_requirements_files_match_pyproject(file: str, groups: tuple[str, ...]) -> None:
    text = (ROOT / file).read_text()
    pins = re.findall(r"^([\w.-]+)==([^\s;]+)", text, re.M)
    pinned: dict[str, str] = {canonicalize_name(name): version for name, version in pins}
    behind = [
        str(wanted)
        for name, wanted in named(*groups).items()
        if not wanted.specifier.contains(pinned.get(name, "0"), prereleases=True)
    ]
    assert behind == [], f"{file} does not match pyproject.toml: run `just lock`"
    blocks = re.split(r"\n(?=\w)", text.partition("\n")[2])
    assert [block for block in blocks if "--hash=sha256:" not in block] == []
    assert not re.search(r"https?://|--(extra-)?index|--find-links|--trusted-host| @ ", text)


@pytest.mark.parametrize("file", FILES)
def test_all_requirements_files_agree(file: str) -> None:
    everything = _pins("requirements-dev.txt")
    different = {name: version for name, version in _pins(file).items() if everything.get(name) != version}
    assert different == {}


def _pins(file: str) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==([^\s;]+)", (ROOT / file).read_text(), re.M))
