"""Migrated, empty databases of all contexts: created once for each state of the migrations, then copied.

Migrating all contexts takes over ten seconds of CPU, and the tests create some thirty installations.
"""

import contextlib
import fcntl
import hashlib
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import django

from socialapp.core.contexts import CONTEXTS

ROOT = Path(__file__).parents[1]
_KEPT_SECONDS = 86_400  # another checkout on this machine may still use it


def copy_migrated(folder: Path, *contexts: str) -> None:
    """Puts a migrated SQLite database of each context (default: all) into `folder`, which is created if necessary.

    Only their owner may read them, like those that the product creates.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for context in contexts or CONTEXTS:
        target = folder / f"{context}.sqlite3"
        if not target.exists():
            shutil.copyfile(migrated_file(context), target)
            target.chmod(0o600)


def migrated_file(context: str) -> Path:
    """A migrated SQLite database of a context, which must not be changed."""
    return _template("sqlite", _migrate_files) / "db" / f"{context}.sqlite3"


def create_migrated(url: str, names: Mapping[str, str]) -> None:
    """Creates a migrated database with the given name for each of these contexts, on the server at `url`.

    The server speaks MySQL's protocol. Databases with these names are dropped first.
    """
    with _server(url) as server:
        version = str(_rows(server, "SELECT VERSION()")[0][0])
        contexts = [context for context in CONTEXTS if context in names]
        kind = f"mysql-{version}" + ("" if contexts == list(CONTEXTS) else f"-{'-'.join(contexts)}")
        template = _template(kind, lambda folder: _migrate_and_dump(url, folder, contexts))
        for context, name in names.items():
            _create_database(server, name)
            for statement in (template / f"{context}.sql").read_text().split(_END):
                server.cursor().execute(statement)
        server.commit()


def drop_databases(url: str, names: Iterable[str]) -> None:
    """Drops databases on the server at `url`."""
    with _server(url) as server:
        for name in names:
            server.cursor().execute(f"DROP DATABASE IF EXISTS `{name}`")


def _template(name: str, make: Callable[[Path], None]) -> Path:
    return _make_once(f"{_digest()}-{name}", make)


@cache
def _make_once(name: str, make: Callable[[Path], None]) -> Path:
    place = Path(tempfile.gettempdir()) / f"socialapp-migrated-{os.getuid()}"
    place.mkdir(mode=0o700, exist_ok=True)
    made = place / name
    with (place / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            for other in place.glob("*/"):
                with contextlib.suppress(FileNotFoundError):  # removed by another process
                    if other.stat().st_mtime < time.time() - _KEPT_SECONDS:
                        shutil.rmtree(other, ignore_errors=True)
            being_made = place / f"{name}.new"
            shutil.rmtree(being_made, ignore_errors=True)
            being_made.mkdir()
            make(being_made)
            being_made.rename(made)
    return made


def _migrate_files(folder: Path) -> None:
    (folder / "db").mkdir()
    _migrate(folder)


def _migrate(folder: Path, **variables: str) -> None:
    kept = {
        name: value for name, value in os.environ.items() if not name.endswith("DATABASE_URL") and name != "SERVICES"
    }
    subprocess.run(
        [sys.executable, "manage.py", "migrate_all", "--verbosity", "0"],
        cwd=ROOT,
        env={**kept, "DATA_DIR": str(folder), "SECRET_KEY": "x" * 50, **variables},
        check=True,
        timeout=300,
    )


# --- On a server

_END = "\n-- end of statement\n"


@contextlib.contextmanager
def _server(url: str) -> Iterator[Any]:
    import MySQLdb

    parts = urlsplit(url.replace("{context}", ""))
    connection = MySQLdb.connect(
        host=parts.hostname or "127.0.0.1",
        port=parts.port or 3306,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        charset="utf8mb4",
    )
    try:
        yield connection
    finally:
        connection.close()


def _rows(server: Any, statement: str) -> list[tuple[Any, ...]]:
    with server.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def _create_database(server: Any, name: str) -> None:
    server.cursor().execute(f"DROP DATABASE IF EXISTS `{name}`")
    server.cursor().execute(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
    server.select_db(name)
    server.cursor().execute("SET foreign_key_checks = 0")


def _migrate_and_dump(url: str, folder: Path, contexts: list[str]) -> None:
    """Migrates temporary databases on the server, and dumps the result as SQL."""
    prefix = f"migrated_{secrets.token_hex(3)}_"
    scratch = {context: f"{prefix}{context}" for context in contexts}
    try:
        with _server(url) as server:
            for name in scratch.values():
                _create_database(server, name)
        databases = urlsplit(url)._replace(path=f"/{prefix}{{context}}").geturl()
        _migrate(folder, DATABASE_URL=databases, SERVICES=",".join(contexts))
        with _server(url) as server:
            for context, name in scratch.items():
                server.select_db(name)
                (folder / f"{context}.sql").write_text(_END.join(_dump(server)))
    finally:
        drop_databases(url, scratch.values())


def _dump(server: Any) -> Iterator[str]:
    for (table,) in _rows(server, "SHOW TABLES"):
        yield _rows(server, f"SHOW CREATE TABLE `{table}`")[0][1]
        for row in _rows(server, f"SELECT * FROM `{table}`"):
            yield f"INSERT INTO `{table}` VALUES {server.literal(row).decode()}"


@cache
def _digest() -> str:
    """A digest of everything that determines the schema."""
    files = [
        Path(__file__),
        ROOT / "socialapp/core/contexts.py",
        *ROOT.glob("apps/*/migrations/*.py"),
        *ROOT.glob("socialapp/*/migrations/*.py"),
    ]
    digest = hashlib.sha256(django.__version__.encode() + (ROOT / "requirements.lock").read_bytes())
    for file in sorted(files):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
