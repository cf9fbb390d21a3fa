"""Migrated, empty SQLite databases of all contexts: made once for each state of the migrations, then copied.

Migrating all contexts takes over five seconds of CPU, and some twenty installations are made by the tests.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import django

from socialapp.core.contexts import CONTEXTS

ROOT = Path(__file__).parents[1]


def copy_migrated(folder: Path, *contexts: str) -> None:
    """Puts a migrated database of each context (default: all) into `folder`, which is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    for context in contexts or CONTEXTS:
        target = folder / f"{context}.sqlite3"
        if not target.exists():
            shutil.copyfile(_template() / "db" / target.name, target)


@cache
def _template() -> Path:
    place = Path(tempfile.gettempdir()) / f"socialapp-migrated-{os.getuid()}"
    place.mkdir(mode=0o700, exist_ok=True)
    made = place / _digest()
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            for older in place.glob("*/"):
                shutil.rmtree(older)
            being_made = made.with_suffix(".new")
            (being_made / "db").mkdir(parents=True)
            _migrate(being_made)
            being_made.rename(made)
    return made


def _migrate(folder: Path) -> None:
    kept = {
        name: value for name, value in os.environ.items() if not name.endswith("DATABASE_URL") and name != "SERVICES"
    }
    subprocess.run(
        [sys.executable, "manage.py", "migrate_all", "--verbosity", "0"],
        cwd=ROOT,
        env={**kept, "DATA_DIR": str(folder), "SECRET_KEY": "x" * 50},
        check=True,
        timeout=300,
    )


def _digest() -> str:
    """Of all that decides what the databases look like."""
    files = [
        ROOT / "socialapp/core/contexts.py",
        *ROOT.glob("apps/*/migrations/*.py"),
        *ROOT.glob("socialapp/*/migrations/*.py"),
    ]
    digest = hashlib.sha256(django.__version__.encode() + (ROOT / "requirements.lock").read_bytes())
    for file in sorted(files):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
