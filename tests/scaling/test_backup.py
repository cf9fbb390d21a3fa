"""Backups taken under load are consistent across databases, and contain everything acknowledged when restored."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from socialapp.core.contexts import CONTEXTS
from socialapp.ops.backups import BackupError, read_manifest
from tests.faults.servers import MariaDB
from tests.migrated import copy_migrated
from tests.scaling.dataset import ON_MARIADB, Dataset, embedded
from tests.scenarios.product import ROOT, eventually

_PEOPLE = 6
# Does what relay, broker, worker and reconciler do, until nothing is left; prints how many events were sent again.
_SETTLE = """
from socialapp.messaging.reconcile import reconcile
from socialapp.core.contexts import CONTEXTS
from tests.conftest import deliver_outbox
deliver_outbox()
resent = sum(reconcile(name)[1] for name in CONTEXTS)
deliver_outbox()
print(resent, sum(reconcile(name)[1] for name in CONTEXTS))
"""


@dataclass
class Written:
    """Acknowledged writes: the ids of posts with the time of each acknowledgement."""

    posts: dict[int, datetime] = field(default_factory=dict)
    refused: list[int] = field(default_factory=list)


@dataclass
class Backup:
    """A backup that was taken under writers."""

    folder: Path
    manifest: dict[str, Any]
    written: Written


@pytest.fixture(scope="module")
def dataset(folder: Path, database: MariaDB) -> Iterator[Dataset]:
    home = folder / "source"
    home.mkdir()
    made = Dataset(home, database, name="source")
    made.create(people=_PEOPLE)
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def backup(dataset: Dataset, folder: Path) -> Backup:
    """Taken with three users writing, each cause before its effect, in different databases."""
    for context, table in (("posts", "cause"), ("comments", "effect")):
        dataset.database.sql(f"CREATE TABLE source_{context}.{table} (id BIGINT PRIMARY KEY)")
    written = Written()
    target = folder / "backup"
    with _running(*(_writer(dataset, f"person{n}", written) for n in range(3)), _causes_and_effects(dataset.database)):
        eventually(lambda: len(written.posts) >= 10, seconds=120)
        # Some events have been sent to a broker that will not exist any more.
        dataset.database.sql(
            "UPDATE source_posts.bus_outbox SET state = 1, sent_at = NOW() - INTERVAL 1 MINUTE ORDER BY id LIMIT 4"
        )
        manifest = json.loads(dataset.manage("backup", str(target), "--json").stdout)
        enough = len(written.posts) + 5
        eventually(lambda: len(written.posts) >= enough, seconds=120)
    assert written.refused == [], "the backup made no write fail"
    return Backup(target, manifest, written)


@pytest.fixture
def empty(folder: Path, database: MariaDB) -> Dataset:
    """An installation with empty databases."""
    home = folder / f"restored-{time.time_ns()}"
    home.mkdir()
    made = Dataset(home, database, name="restored", RECONCILE_AFTER_SECONDS="0")
    made.make_databases()
    return made


def test_a_restored_backup_has_every_acknowledged_write_and_projections_catch_up(
    backup: Backup, empty: Dataset
) -> None:
    restored = json.loads(empty.manage("restore", str(backup.folder), "--json").stdout)
    assert {name: part["rows"] for name, part in backup.manifest["contexts"].items()} == restored
    assert set(restored) == set(CONTEXTS)

    cut = datetime.fromisoformat(backup.manifest["cut_at"])
    before = {post_id for post_id, moment in backup.written.posts.items() if moment < cut}
    held = {row[0] for row in empty.database.sql("SELECT id FROM restored_posts.posts")}
    assert len(before) >= 10
    assert before <= held, "acknowledged before the cut, but not in the backup"
    assert sum(post_id > max(before) for post_id in held) <= 3, "only writes in progress at the cut"

    causes, effects = (
        empty.database.number(f"SELECT COUNT(*) FROM restored_{table}") for table in ("posts.cause", "comments.effect")
    )
    assert effects <= causes <= effects + 1, "all databases are cut at one moment"

    resent, left = map(int, empty.manage("shell", "-v", "0", "-c", _SETTLE).stdout.split())
    assert resent >= 4, "events that only the lost broker had were sent again"
    assert left == 0
    wrote = empty.database.sql("SELECT user_id, COUNT(*) FROM restored_posts.posts GROUP BY user_id")
    for user_id, count in wrote:
        shown = empty.database.number("SELECT posts FROM restored_users.post_counts WHERE user_id = %s", user_id)
        assert shown == count, "the projections have caught up"
    verified = empty.manage("verify", check=False)
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_the_manifest_of_a_backup_is_complete(backup: Backup, dataset: Dataset) -> None:
    assert json.loads((backup.folder / "manifest.json").read_text()) == backup.manifest
    (position,) = backup.manifest["positions"].values()
    assert position.startswith("0-1-"), "the position from which a replica or a point-in-time recovery continues"
    assert backup.manifest["commits_held_seconds"] > 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in backup.folder.iterdir())
    taken = dataset.manage("backup", str(backup.folder), check=False)
    assert taken.returncode != 0
    assert "is not empty" in taken.stderr


def test_a_backup_that_is_stopped_leaves_no_password_behind(dataset: Dataset, tmp_path: Path) -> None:
    dump, begun, temporary = tmp_path / "mariadb-dump", tmp_path / "begun", tmp_path / "temporary"
    dump.write_text(f"#!/bin/sh\ntouch {begun}\nexec sleep 300\n")
    dump.chmod(0o755)
    temporary.mkdir()
    environment = {**dataset.environment, "PATH": f"{tmp_path}:{os.environ['PATH']}", "TMPDIR": str(temporary)}
    command = [sys.executable, "manage.py", "backup", str(tmp_path / "backup")]
    with subprocess.Popen(command, cwd=ROOT, env=environment) as running:
        eventually(begun.exists, seconds=120)
        assert list(temporary.rglob("login.cnf")) != []
        running.terminate()
        assert running.wait(60) == 143
    assert list(temporary.iterdir()) == []


def test_restoring_replaces_existing_data_only_on_request(backup: Backup, empty: Dataset) -> None:
    empty.database.sql("CREATE TABLE restored_posts.mine (id INT)")
    refused = empty.manage("restore", str(backup.folder), check=False)
    assert refused.returncode != 0
    assert "posts already" in refused.stderr
    assert empty.database.sql("SHOW TABLES FROM restored_posts") == [("mine",)]
    assert empty.database.sql("SHOW TABLES FROM restored_users") == []
    empty.manage("restore", str(backup.folder), "--force")
    assert ("mine",) not in empty.database.sql("SHOW TABLES FROM restored_posts")


def test_a_corrupted_backup_is_refused(backup: Backup, empty: Dataset, tmp_path: Path) -> None:
    shutil.copytree(backup.folder, tmp_path, dirs_exist_ok=True)
    harmed = tmp_path / "posts.sql.gz"
    harmed.write_bytes(b"x" + harmed.read_bytes()[1:])
    refused = empty.manage("restore", str(tmp_path), check=False)
    assert refused.returncode != 0
    assert "posts.sql.gz" in refused.stderr
    assert all(empty.database.sql(f"SHOW TABLES FROM restored_{name}") == [] for name in ON_MARIADB)


@pytest.mark.parametrize("lost", ["posts.sql.gz", "manifest.json"])
def test_an_incomplete_backup_is_refused(backup: Backup, tmp_path: Path, lost: str) -> None:
    shutil.copytree(backup.folder, tmp_path, dirs_exist_ok=True)
    (tmp_path / lost).unlink()
    with pytest.raises(BackupError, match=lost):
        read_manifest(tmp_path)


def test_a_backup_of_sqlite_files_is_of_one_moment(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "restored"
    copy_migrated(source / "db")
    for context, table in (("posts", "cause"), ("comments", "effect")):
        with closing(sqlite3.connect(source / "db" / f"{context}.sqlite3")) as connection:
            connection.execute(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY)")
    written = source / "db" / "posts.sqlite3", "SELECT COUNT(*) FROM cause"
    with _running(_causes_and_effects_in_files(source / "db")):
        eventually(lambda: _number(*written) > 1, seconds=120)
        embedded(source, "backup", str(tmp_path / "backup"))
        before = _number(*written)
        eventually(lambda: _number(*written) > before, seconds=120)
    refused = embedded(source, "restore", str(tmp_path / "backup"), check=False)
    assert "already" in refused.stderr
    embedded(target, "restore", str(tmp_path / "backup"))
    causes, effects = (
        _number(target / "db" / f"{context}.sqlite3", f"SELECT COUNT(*) FROM {table}")
        for context, table in (("posts", "cause"), ("comments", "effect"))
    )
    assert 0 < effects <= causes <= effects + 1
    assert causes < _number(*written), "writes continued"
    embedded(target, "migrate_all", "--check")


def _number(path: Path, sql: str) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute(sql).fetchone()[0])


Loop = Callable[[threading.Event], None]


@contextmanager
def _running(*loops: Loop) -> Iterator[None]:
    """Runs the loops in threads until the block ends; a failing loop fails the test."""
    stopping, failures = threading.Event(), []

    def guarded(loop: Loop) -> None:
        try:
            loop(stopping)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(loop,)) for loop in loops]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopping.set()
        for thread in threads:
            thread.join(60)
    assert failures == []


def _writer(dataset: Dataset, username: str, written: Written) -> Loop:
    headers = dataset.log_in(username)

    def write(stopping: threading.Event) -> None:
        with httpx.Client(base_url=dataset.url, timeout=30, headers=headers) as http:
            number = 0
            while not stopping.is_set():
                number += 1
                answer = http.post("/v1/posts", json={"content": f"{number} by {username} — ünïcode 🎉 'quoted' \\"})
                if answer.status_code == 201:
                    written.posts[int(answer.json()["id"])] = datetime.now(UTC)
                else:
                    written.refused.append(answer.status_code)
                stopping.wait(0.2)  # each post is work for all handlers when the backup is restored

    return write


def _causes_and_effects(database: MariaDB) -> Loop:
    def write(stopping: threading.Event) -> None:
        import MySQLdb

        with closing(
            MySQLdb.connect(host="127.0.0.1", port=database.port, user="app", password="app", autocommit=True)
        ) as connection:
            number = 0
            while not stopping.is_set():
                number += 1
                with connection.cursor() as cursor:
                    cursor.execute("INSERT INTO source_posts.cause VALUES (%s)", (number,))
                    cursor.execute("INSERT INTO source_comments.effect VALUES (%s)", (number,))
                stopping.wait(0.002)

    return write


def _causes_and_effects_in_files(folder: Path) -> Loop:
    def write(stopping: threading.Event) -> None:
        with (
            closing(sqlite3.connect(folder / "posts.sqlite3", timeout=30, isolation_level=None)) as posts,
            closing(sqlite3.connect(folder / "comments.sqlite3", timeout=30, isolation_level=None)) as comments,
        ):
            number = 0
            while not stopping.is_set():
                number += 1
                posts.execute("INSERT INTO cause VALUES (?)", (number,))
                comments.execute("INSERT INTO effect VALUES (?)", (number,))
                stopping.wait(0.002)

    return write
