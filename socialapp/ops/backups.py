"""Backs up all contexts as of one moment while the application keeps running, and restores such backups.

Commits are blocked in all databases while their snapshots are opened; then they continue while the snapshots are
written out. So the backup never holds an effect without its cause: every event in an inbox is in some outbox, and every
event that an outbox calls confirmed is in every inbox. Events that were on their way are found by the reconciler after
restoring.
"""

import gzip
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.db import Error, connections

from socialapp.core.contexts import served
from socialapp.core.db import is_tidb

FORMAT = 1
MANIFEST = "manifest.json"
_PIECE = 1 << 20
_START_SECONDS = 20
_LOCK_SECONDS = 15
_BEGUN = b"-- Table structure for table"  # what a dump prints once its snapshot is open

OnBytes = Callable[[int], object]


class BackupError(Exception):
    """Why there is no backup, or why it was not restored."""


@dataclass(slots=True)
class Part:
    """One context's file in a backup: its checksum, and how many rows each table had."""

    file: str
    kind: str
    sha256: str = ""
    bytes: int = 0
    rows: dict[str, int] = field(default_factory=dict)


def take_backup(folder: Path, *, on_bytes: OnBytes) -> dict[str, Any]:
    """Writes a backup of all served contexts into an empty folder, its manifest last; returns the manifest."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if any(folder.iterdir()):
        raise BackupError(f"{folder} is not empty")
    with ExitStack() as stack:
        with _nobody_commits() as positions:
            cut_at = datetime.now(UTC)
            started = time.monotonic()
            dumps = {context.name: _open_dump(context.name, folder, stack, on_bytes) for context in served()}
            for dump in dumps.values():
                if isinstance(dump, _MySQLDump):
                    dump.wait_begun(until=started + _START_SECONDS)
            held = time.monotonic() - started
        for dump in dumps.values():
            dump.finish()
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "cut_at": cut_at.isoformat(),
        "commits_held_seconds": round(held, 3),
        "positions": positions,
        "contexts": {name: _as_dict(dump.part) for name, dump in dumps.items()},
    }
    _write_private(folder / MANIFEST, json.dumps(manifest, indent=2).encode())
    return manifest


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a complete backup, after checking that every file is there and intact."""
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
    except (OSError, ValueError):
        raise BackupError(f"{folder} holds no whole backup: {MANIFEST} is missing or broken") from None
    if manifest.get("format") != FORMAT:
        raise BackupError(f"{folder} was written in a format that this version does not read")
    for name, part in manifest["contexts"].items():
        path = folder / part["file"]
        if not path.is_file() or _digest(path) != part["sha256"]:
            raise BackupError(f"{path.name} ({name}) is missing or was changed since the backup")
    return manifest


def restore_backup(folder: Path, *, force: bool, on_bytes: OnBytes) -> dict[str, dict[str, int]]:
    """Fills the databases of all served contexts from a backup; returns each table's row counts, equal to the backup's.

    A database that holds tables is refused, or emptied with `force`. Everything is checked before anything is changed.
    """
    manifest = read_manifest(folder)
    parts = {name: Part(**part) for name, part in manifest["contexts"].items()}
    names = [context.name for context in served()]
    if missing := sorted(set(names) - parts.keys()):
        raise BackupError(f"the backup has nothing of {', '.join(missing)}")
    for name in names:
        if parts[name].kind != _kind(name):
            raise BackupError(f"{name} was {parts[name].kind}, and its database here is {_kind(name)}")
    filled = [name for name in names if _tables(name)]
    if filled and not force:
        raise BackupError(f"there is something in {', '.join(filled)} already (give --force to replace it)")
    restored = {}
    for name in names:
        restore = _restore_sqlite if parts[name].kind == "sqlite" else _restore_mysql
        restore(name, folder / parts[name].file, on_bytes)
        restored[name] = _counts(name)
        if restored[name] != parts[name].rows:
            raise BackupError(f"{name} has other rows than the backup after restoring it")
    return restored


# --- The moment ---------------------------------------------------------------------------------------------------


@contextmanager
def _nobody_commits() -> Iterator[dict[str, str]]:
    """No served context's database commits anything inside the block; yields the servers' binlog positions (GTID)."""
    with ExitStack() as stack:
        positions = {}
        for server, alias in _servers().items():
            control = connections[alias].copy()
            stack.callback(control.close)
            positions[server] = _lock_server(control)
        for context in served():
            if _kind(context.name) == "sqlite":
                lock = stack.enter_context(closing(_sqlite(context.name)))
                lock.execute("BEGIN IMMEDIATE")
        yield positions


def _lock_server(control: Any) -> str:
    if is_tidb(control.alias):
        raise BackupError("TiDB cannot hold commits for a moment; use its own tool, `br backup`")
    try:
        with control.cursor() as cursor:
            cursor.execute(f"SET SESSION lock_wait_timeout = {_LOCK_SECONDS}")
            cursor.execute("FLUSH TABLES WITH READ LOCK")
            cursor.execute("SELECT @@gtid_binlog_pos" if control.mysql_is_mariadb else "SELECT @@GLOBAL.gtid_executed")
            return str(cursor.fetchone()[0] or "")
    except Error as error:
        raise BackupError(f"commits cannot be held for a moment (this needs the privilege RELOAD): {error}") from None


def _servers() -> dict[str, str]:
    """Each MySQL or MariaDB server among the served contexts, with one alias on it."""
    found = {}
    for context in served():
        config = connections[context.name].settings_dict
        if _kind(context.name) == "mysql":
            found[f"{config['HOST']}:{config['PORT']}"] = context.name
    return found


def _kind(alias: str) -> str:
    return connections[alias].vendor


def _open_dump(alias: str, folder: Path, stack: ExitStack, on_bytes: OnBytes) -> "_MySQLDump | _SQLiteDump":
    make = _SQLiteDump if _kind(alias) == "sqlite" else _MySQLDump
    return make(alias, folder, stack, on_bytes)


# --- MySQL and MariaDB: their own dump tool, in one transaction ---------------------------------------------------


class _MySQLDump:
    """A running dump, whose output is compressed into the file as it comes."""

    def __init__(self, alias: str, folder: Path, stack: ExitStack, on_bytes: OnBytes) -> None:
        self.part = Part(f"{alias}.sql.gz", "mysql")
        self._alias = alias
        self._path = folder / self.part.file
        self._on_bytes = on_bytes
        self._begun = threading.Event()
        # Server-wide, and at the same moment: the transaction in which the rows are counted.
        self._snapshot = connections[alias].copy()
        stack.callback(self._snapshot.close)
        with self._snapshot.cursor() as cursor:
            cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")
        self._errors = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
        command = [*_client("mariadb-dump", "mysqldump"), f"--defaults-extra-file={_login(alias, stack)}", *_DUMP]
        self._process = subprocess.Popen(  # noqa: S603 (our own arguments)
            [*command, connections[alias].settings_dict["NAME"]], stdout=subprocess.PIPE, stderr=self._errors
        )
        stack.callback(self._process.wait)
        stack.callback(self._process.kill)
        self._writer = threading.Thread(target=self._write, daemon=True)
        self._writer.start()

    def wait_begun(self, *, until: float) -> None:
        """Waits until the tool's snapshot is open, up to a time of the monotonic clock: meanwhile all writes are
        blocked."""
        if not self._begun.wait(until - time.monotonic()):
            raise BackupError(f"the dump of {self._alias} did not begin")

    def finish(self) -> None:
        """Waits for the tool to end."""
        self._writer.join()
        if self._process.wait() != 0:
            self._errors.seek(0)
            raise BackupError(
                f"the dump of {self._alias} failed: {self._errors.read().decode(errors='replace')[-500:]}"
            )
        self.part.rows = _counts_in(self._snapshot)
        self.part.sha256, self.part.bytes = _digest(self._path), self._path.stat().st_size

    def _write(self) -> None:
        said: IO[bytes] = self._process.stdout  # type: ignore[assignment]
        try:
            with said, _private(self._path) as file, gzip.GzipFile(fileobj=file, mode="wb", mtime=0) as packed:
                head = b""
                while piece := said.read1(_PIECE):  # type: ignore[attr-defined]
                    if not self._begun.is_set():
                        head += piece
                        if _BEGUN in head:
                            self._begun.set()
                    packed.write(piece)
                    self._on_bytes(len(piece))
        finally:
            self._begun.set()


_DUMP = (
    "--single-transaction",
    "--quick",
    "--hex-blob",
    "--no-tablespaces",
    "--skip-lock-tables",
    "--skip-add-locks",
    "--skip-triggers",
    "--default-character-set=utf8mb4",
)


def _client(*names: str) -> list[str]:
    for name in names:
        if path := shutil.which(name):
            return [path]
    raise BackupError(f"{names[0]} is missing: install the client programs of MariaDB (or MySQL)")


def _login(alias: str, stack: ExitStack) -> Path:
    """An option file for the client programs: on the command line everybody could read the password."""
    config = connections[alias].settings_dict
    values = {"host": config["HOST"], "port": config["PORT"], "user": config["USER"], "password": config["PASSWORD"]}
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    path = Path(folder) / "login.cnf"
    quoted = {name: str(value).replace("\\", "\\\\").replace('"', '\\"') for name, value in values.items() if value}
    _write_private(path, "".join(["[client]\n", *(f'{key}="{value}"\n' for key, value in quoted.items())]).encode())
    return path


def _drop_tables(alias: str) -> None:
    connection = connections[alias]
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION foreign_key_checks = 0")
        for table in _tables(alias):
            cursor.execute(f"DROP TABLE {connection.ops.quote_name(table)}")
        cursor.execute("SET SESSION foreign_key_checks = 1")


def _restore_mysql(alias: str, path: Path, on_bytes: OnBytes) -> None:
    _drop_tables(alias)
    with ExitStack() as stack:
        errors = stack.enter_context(tempfile.TemporaryFile())
        command = [*_client("mariadb", "mysql"), f"--defaults-extra-file={_login(alias, stack)}"]
        process = subprocess.Popen(  # noqa: S603 (our own arguments)
            [*command, "--default-character-set=utf8mb4", connections[alias].settings_dict["NAME"]],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
        try:
            with process.stdin as target, gzip.open(path) as packed:  # type: ignore[union-attr]
                while piece := packed.read(_PIECE):
                    target.write(piece)
                    on_bytes(len(piece))
        except BrokenPipeError:
            pass  # the client has ended and prints why
        if process.wait() != 0:
            errors.seek(0)
            raise BackupError(f"{alias} could not be restored: {errors.read().decode(errors='replace')[-500:]}")


# --- SQLite: its own backup interface -----------------------------------------------------------------------------


class _SQLiteDump:
    """A read transaction, which sees the file as it was when it began."""

    def __init__(self, alias: str, folder: Path, stack: ExitStack, on_bytes: OnBytes) -> None:
        self.part = Part(f"{alias}.sqlite3", "sqlite")
        self._path = folder / self.part.file
        self._on_bytes = on_bytes
        self._source = stack.enter_context(closing(_sqlite(alias)))
        self._source.execute("BEGIN")
        self._source.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()

    def finish(self) -> None:
        """Copies page by page."""
        with _private(self._path):
            pass
        with closing(sqlite3.connect(self._path)) as copy:
            self._source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")
            self.part.rows = _sqlite_counts(copy)
        self.part.sha256, self.part.bytes = _digest(self._path), self._path.stat().st_size
        self._on_bytes(self.part.bytes)


def _sqlite(alias: str) -> sqlite3.Connection:
    path = connections[alias].settings_dict["NAME"]
    return sqlite3.connect(path, isolation_level=None, timeout=30, check_same_thread=False)


def _restore_sqlite(alias: str, path: Path, on_bytes: OnBytes) -> None:
    """Copies into the file instead of replacing it: programs that have it open see the change, or block it."""
    connections[alias].close()
    target = Path(connections[alias].settings_dict["NAME"])
    target.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as source, closing(_sqlite(alias)) as into:
        source.backup(into)
    on_bytes(path.stat().st_size)


def _sqlite_counts(connection: sqlite3.Connection) -> dict[str, int]:
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    ordinary = [name for name in names if not name.startswith("sqlite_")]
    return {name: connection.execute(f'SELECT COUNT(*) FROM "{name}"').fetchone()[0] for name in ordinary}  # noqa: S608


# --- Rows and files -----------------------------------------------------------------------------------------------


def _tables(alias: str) -> list[str]:
    connection = connections[alias]
    if connection.vendor == "sqlite":
        path = Path(connection.settings_dict["NAME"])
        if not path.is_file():
            return []
        with closing(_sqlite(alias)) as opened:
            return sorted(_sqlite_counts(opened))
    with connection.cursor() as cursor:
        return sorted(connection.introspection.table_names(cursor))


def _counts(alias: str) -> dict[str, int]:
    if _kind(alias) == "sqlite":
        with closing(_sqlite(alias)) as opened:
            return _sqlite_counts(opened)
    return _counts_in(connections[alias])


def _counts_in(connection: Any) -> dict[str, int]:
    with connection.cursor() as cursor:
        counts = {}
        for table in sorted(connection.introspection.table_names(cursor)):
            cursor.execute(f"SELECT COUNT(*) FROM {connection.ops.quote_name(table)}")  # noqa: S608
            counts[table] = int(cursor.fetchone()[0])
        return counts


def _as_dict(part: Part) -> dict[str, Any]:
    return {name: getattr(part, name) for name in Part.__slots__}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _private(path: Path) -> IO[bytes]:
    return open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def _write_private(path: Path, content: bytes) -> None:
    with _private(path) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def media_folder() -> Path:
    """The folder of uploads, if they are files: a backup of the databases does not include them."""
    return Path(settings.DATA_DIR) / "media"
