"""Change data capture on real servers: positions, lost connections, changed schemas, rejected settings, Debezium."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pymysql
import pytest
from django.conf import settings as django_settings

from apps.search import access
from apps.search.actions.capture import CaptureRefused, follow, sources
from apps.search.actions.capture.binlog import BinlogSource, Server, merged_mariadb
from apps.search.actions.capture.debezium import RedisSource, row_change
from apps.search.actions.capture.source import Batch, RowChange
from apps.search.models import SyncPosition
from apps.search.queries import reader
from socialapp.core.cache import redis_client
from tests.conftest import ALL_CONTEXTS
from tests.search.recordings import DEBEZIUM

DATABASE = "socialapp_capture_test"
LONG = 20  # timeout in seconds for something that must arrive


def server_urls() -> dict[str, str]:
    """MariaDB if the tests use one, and MySQL 8 if MYSQL8_URL is set (tests/services/mysql8/start)."""
    urls = {"mariadb": os.environ.get("DATABASE_URL", ""), "mysql8": os.environ.get("MYSQL8_URL", "")}
    return {name: url for name, url in urls.items() if url.startswith("mysql:")}


@dataclass
class Captured:
    """A server with its own database, and the changes read from it."""

    server: Server
    changes: list[RowChange] = field(default_factory=list)
    position: str = ""

    def run(self, *statements: str) -> None:
        """Runs the statements, each in its own transaction."""
        with pymysql.connect(**self.login(), autocommit=True) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def login(self, **more: Any) -> dict[str, Any]:
        return {"host": self.server.host, "port": self.server.port, "user": self.server.user,
                "password": self.server.password, "database": DATABASE, "charset": "utf8mb4", **more}  # fmt: skip

    def readers(self) -> set[int]:
        """The server's connections that read its binlog."""
        with pymysql.connect(**self.login()) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT id FROM information_schema.processlist WHERE command LIKE 'Binlog Dump%'")
            return {row[0] for row in cursor.fetchall()}

    def source(self) -> BinlogSource:
        source = BinlogSource(self.server)
        source.check()
        return source

    def read(self, source: BinlogSource, *, until: int) -> None:
        """Reads until there are the given number of changes, saving each position."""
        watchdog = threading.Event()
        timer = threading.Timer(LONG, watchdog.set)
        timer.start()
        for batch in source.read(self.position, watchdog):
            self.take(batch)
            source.saved(self.position)
            if len(self.changes) >= until:
                break
        timer.cancel()
        assert not watchdog.is_set(), f"only {self.changes}"

    def take(self, batch: Batch) -> None:
        self.changes += batch.changes
        self.position = batch.position

    @property
    def rows(self) -> list[tuple[Any, Any]]:
        """The content before and after each change."""
        return [
            (change.before and change.before["content"], change.after and change.after["content"])
            for change in self.changes
        ]


@pytest.fixture(params=[pytest.param(name, id=name) for name in server_urls()])
def captured(request: pytest.FixtureRequest) -> Iterator[Captured]:
    """A server whose binlog is read from its current position."""
    url = urlsplit(server_urls()[request.param])
    server = Server(url.hostname or "", url.port or 3306, url.username or "", url.password or "", (DATABASE,))
    found = Captured(server)
    login = {**found.login(), "database": None}
    with pymysql.connect(**login, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {DATABASE}")
        cursor.execute(f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4")
    found.run(
        "CREATE TABLE posts (id bigint primary key, user_id bigint, content text, version int)",
        "CREATE TABLE other (id int primary key)",
    )
    found.position = found.source().start()
    yield found
    with pymysql.connect(**login, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {DATABASE}")


def test_rows_are_read_before_and_after_each_change_from_the_saved_position(captured: Captured) -> None:
    captured.run("INSERT INTO posts VALUES (1, 5, 'schön 🪁', 1), (2, 5, 'two', 1)", "INSERT INTO other VALUES (1)")
    captured.read(captured.source(), until=2)
    captured.run("UPDATE posts SET content = 'new' WHERE id = 1", "DELETE FROM posts WHERE id = 2")
    captured.read(captured.source(), until=4)
    assert captured.rows == [(None, "schön 🪁"), (None, "two"), ("schön 🪁", "new"), ("two", None)]
    assert captured.changes[3].before == {"id": 2, "user_id": 5, "content": "two", "version": 1}


def test_after_a_lost_connection_reading_continues_from_the_saved_position(captured: Captured) -> None:
    source = captured.source()
    before = captured.readers()
    captured.run("INSERT INTO posts VALUES (1, 5, 'one', 1)")
    stopping = threading.Event()
    reading: Any = source.read(captured.position, stopping)
    captured.take(next(reading))
    source.saved(captured.position)
    (ours,) = captured.readers() - before
    captured.run(f"KILL {ours}")
    captured.run("INSERT INTO posts VALUES (2, 5, 'two', 1)")
    captured.take(next(reading))
    stopping.set()
    reading.close()
    assert captured.rows == [(None, "one"), (None, "two")], "changes before the saved position are not read again"


def test_column_names_stay_correct_when_the_schema_changes(captured: Captured) -> None:
    captured.run(
        "INSERT INTO posts VALUES (1, 5, 'one', 1)",
        "ALTER TABLE posts ADD COLUMN mood varchar(10) DEFAULT 'fine' AFTER id",
        "INSERT INTO posts VALUES (2, 'glad', 5, 'two', 1)",
        "ALTER TABLE posts DROP COLUMN user_id",
        "INSERT INTO posts VALUES (3, 'sad', 'three', 1)",
    )
    captured.read(captured.source(), until=3)
    assert [change.after and change.after["content"] for change in captured.changes] == ["one", "two", "three"]
    assert captured.changes[1].after == {"id": 2, "mood": "glad", "user_id": 5, "content": "two", "version": 1}
    assert captured.changes[0].after == {"id": 1, "user_id": 5, "content": "one", "version": 1}


def test_savepoints_do_not_end_a_transaction(captured: Captured) -> None:
    with pymysql.connect(**captured.login()) as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO posts VALUES (1, 5, 'one', 1)")
        cursor.execute("SAVEPOINT here")
        cursor.execute("INSERT INTO posts VALUES (2, 5, 'two', 1)")
        cursor.execute("RELEASE SAVEPOINT here")
        connection.commit()
    captured.read(captured.source(), until=2)
    assert captured.rows == [(None, "one"), (None, "two")]


def test_changes_that_are_rolled_back_are_not_read(captured: Captured) -> None:
    with pymysql.connect(**captured.login()) as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO posts VALUES (1, 5, 'one', 1)")
        connection.rollback()
        cursor.execute("INSERT INTO posts VALUES (2, 5, 'two', 1)")
        connection.commit()
    captured.read(captured.source(), until=1)
    assert captured.rows == [(None, "two")]


@pytest.mark.skipif("mysql8" not in server_urls(), reason="changes server settings: needs MYSQL8_URL")
@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("binlog_row_image", "MINIMAL", "minimal rows leave out the author and the version of what is deleted"),
        ("binlog_row_metadata", "MINIMAL", "without the names of columns, rows are wrong after a change of the schema"),
    ],
)
def test_server_settings_that_lead_to_wrong_documents_are_rejected(name: str, value: str, reason: str) -> None:
    url = urlsplit(server_urls()["mysql8"])
    server = Server(url.hostname or "", url.port or 3306, url.username or "", url.password or "", (DATABASE,))
    login = {"host": server.host, "port": server.port, "user": server.user, "password": server.password}
    with pymysql.connect(**login) as connection, connection.cursor() as cursor:
        cursor.execute(f"SET GLOBAL {name} = {value}")
        try:
            with pytest.raises(CaptureRefused) as refused:
                BinlogSource(server).check()
        finally:
            cursor.execute(f"SET GLOBAL {name} = FULL")
    assert str(refused.value) == f"binlog {server.host}:{server.port}: {name} must be FULL and is {value}: {reason}"


def test_positions_are_merged() -> None:
    assert merged_mariadb(position="0-1-17,3-1-2", gtid="0-2-18") == "0-2-18,3-1-2"
    assert merged_mariadb(position="", gtid="10-1-1") == "10-1-1"
    server = Server("", 0, "", "", ())
    source = BinlogSource(server)
    uuid = "19d69c1e-ae97-4b8c-a1ef-9e12ba966457"
    assert source._merged(f"{uuid}:1-3:5", f"{uuid}:4") == f"{uuid}:1-5"


def test_a_database_without_a_binlog_is_rejected(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(django_settings.DATABASES, "posts", {"ENGINE": "django.db.backends.sqlite3"})
    settings.SEARCH_CDC_URL = ""
    with pytest.raises(CaptureRefused, match="the database of posts has no binlog"):
        sources()


def test_debezium_messages_are_parsed() -> None:
    changes = [row_change(line) for line in DEBEZIUM]
    assert [change and (change.table, bool(change.before), bool(change.after)) for change in changes] == [
        ("posts", False, True),
        ("posts", True, True),
        ("posts", True, True),
        ("posts", True, False),
        ("profiles", False, True),
        ("follows", False, True),
        ("follows", True, False),
    ]
    altered, deleted = changes[2], changes[3]
    assert altered
    assert altered.after
    assert (altered.after["mood"], altered.after["version"]) == ("fine", 3)
    assert deleted
    assert deleted.before
    assert deleted.before["user_id"] == 5
    assert [row_change(value) for value in (b"", b"default", b"null", b'{"op":"t"}')] == [None] * 4
    with pytest.raises(CaptureRefused, match="binlog_row_image must be FULL"):
        row_change(b'{"op":"d","before":null,"after":null,"source":{"table":"posts"}}')


@pytest.mark.django_db(databases=ALL_CONTEXTS)
def test_debezium_in_redis_is_read_in_both_formats_from_the_saved_position(settings: Any) -> None:
    settings.SEARCH_CDC_URL, settings.SEARCH_CDC_PREFIX = settings.REDIS_URL, "capture"
    (source,) = sources()
    assert isinstance(source, RedisSource)
    posts = f"capture.{settings.DATABASES['posts']['NAME']}.posts"
    redis_client().xadd(posts, {b'{"id":1}': DEBEZIUM[0]})
    context = {b"__DEBEZIUM.CONTEXT.TASKID": b'{"payload":"0"}'}
    fields: Any = {b"key": b'{"id":1}', b"value": DEBEZIUM[1], **context}
    redis_client().xadd(posts, fields)
    first = next(source.read(source.start(), threading.Event()))
    assert [bool(change.before) for change in first.changes] == [False, True]
    redis_client().xadd(posts, {b'{"id":1}': DEBEZIUM[3]})
    redis_client().xadd(posts, {b'{"id":1}': b"default"})
    second = next(source.read(first.position, threading.Event()))
    assert [change.after for change in second.changes] == [None]


@dataclass
class Scripted:
    """A source with scripted batches that can fail after them."""

    batches: list[Batch]
    name: str = "scripted"
    read_from: list[str] = field(default_factory=list)
    saved_positions: list[str] = field(default_factory=list)

    def check(self) -> None: ...

    def start(self) -> str:
        return "0"

    def read(self, position: str, stopping: threading.Event) -> Iterator[Batch]:
        self.read_from.append(position)
        yield from self.batches

    def saved(self, position: str) -> None:
        self.saved_positions.append(position)


@pytest.mark.django_db(databases=ALL_CONTEXTS)
def test_duplicate_and_reordered_changes_are_indexed_and_the_position_saved(
    searching: Any, people: Any, anonymous: Any, settings: Any
) -> None:
    settings.SEARCH_SYNC = "cdc"
    alice = people["alice"]
    kept, gone = (searching.post(alice, f"kite {name}") for name in ("kept", "gone"))
    searching.settle()
    assert searching.contents(anonymous, "kite") == [], "events no longer update the index"
    row = {"user_id": int(alice.id), "version": 1}
    written = [RowChange("posts", None, {**row, "id": int(one)}) for one in (kept, gone)]
    person = RowChange("profiles", None, {"user_id": int(alice.id)})
    followed = RowChange("follows", None, {"following_id": int(alice.id), "follower_id": int(people["bob"].id)})
    source = Scripted([Batch([person, followed], "1"), Batch(written, "2"), Batch([], "3")])
    follow(source=source, stopping=threading.Event())
    searching.settle()
    assert searching.contents(anonymous, "kite") == ["kite gone", "kite kept"]
    assert (source.read_from, source.saved_positions) == (["0"], ["1", "2", "3"])
    assert alice.client.delete(f"/v1/posts/{gone}").status_code == 204
    deleted = RowChange("posts", {**row, "id": int(gone)}, None)
    again = Scripted([Batch([deleted], "4"), Batch([*written, person], "5"), Batch([deleted], "6")])
    follow(source=again, stopping=threading.Event())
    searching.settle()
    assert searching.contents(anonymous, "kite") == ["kite kept"]
    assert again.read_from == ["3"], "it continues from the saved position"
    assert SyncPosition.objects.get(source="scripted").position == "6"


@pytest.mark.django_db(databases=ALL_CONTEXTS)
def test_a_position_is_not_saved_without_its_effect(people: Any, searching: Any, monkeypatch: Any) -> None:
    post = searching.post(people["alice"], "kite")
    change = RowChange("posts", None, {"id": int(post), "user_id": int(people["alice"].id), "version": 1})
    follow(source=Scripted([]), stopping=threading.Event())

    def fail(*_: Any) -> None:
        raise OSError("the index is unavailable")

    from apps.search.actions.elastic import ElasticWriter
    from apps.search.actions.fts import FtsWriter

    for writer in (FtsWriter, ElasticWriter):
        monkeypatch.setattr(writer, "write_posts", fail)
    with pytest.raises(OSError, match="unavailable"):
        follow(source=Scripted([Batch([change], "9")]), stopping=threading.Event())
    assert SyncPosition.objects.get(source="scripted").position == "0"


def product_environment() -> dict[str, str]:
    """Environment variables for a process that uses this test's databases and index."""
    found = {**os.environ, "SEARCH_SYNC": "cdc", "ELASTICSEARCH_PREFIX": django_settings.ELASTICSEARCH_PREFIX}
    for context in ALL_CONTEXTS:
        one = django_settings.DATABASES[context]
        found[f"{context.upper()}_DATABASE_URL"] = (
            f"mysql://{one['USER']}:{one['PASSWORD']}@{one['HOST']}:{one['PORT']}/{one['NAME']}"
        )
    return found


@pytest.mark.skipif(django_settings.EMBEDDED, reason="SQLite has no binlog")
@pytest.mark.django_db(databases=ALL_CONTEXTS, transaction=True)
def test_a_process_that_is_killed_repeatedly_misses_no_change(
    searching: Any, register: Callable[..., Any], anonymous: Any, settings: Any, record_property: Any
) -> None:
    settings.SEARCH_SYNC = "cdc"
    command = [sys.executable, "manage.py", "search", "cdc"]
    (source,) = sources()
    follow(source=Scripted([], name=source.name), stopping=threading.Event())
    source.check()
    SyncPosition.objects.filter(source=source.name).update(position=source.start())
    ann = register("ann")

    def wrong() -> list[Any]:
        found = [access.differences(index=reader(), kind=kind) for kind in ("user", "post")]
        return [drift for drift in found if drift.ids]

    posts: list[str] = []
    for _ in range(3):
        process = subprocess.Popen(command, env=product_environment())
        for _ in range(20):
            posts.append(searching.post(ann, f"kite {len(posts)}"))
        for post in posts[-10:-5]:
            assert ann.client.patch(f"/v1/posts/{post}", {"content": "edited kite"}).status_code == 200
        for post in posts[-5:]:
            assert ann.client.delete(f"/v1/posts/{post}").status_code == 204
        process.kill()
        process.wait()
    process = subprocess.Popen(command, env=product_environment())
    try:
        deadline = time.monotonic() + 60
        while wrong() and time.monotonic() < deadline:
            searching.settle()
        assert wrong() == []
        waited = []
        for number in range(10):
            started = time.monotonic()
            searching.post(ann, f"fresh{number}")
            while not searching.contents(anonymous, f"fresh{number}"):
                assert time.monotonic() < started + 60
            waited.append(time.monotonic() - started)
    finally:
        process.terminate()
        assert process.wait(30) == 0
    record_property("measured: from the request to the result, the longest of 10", f"{max(waited):.2f} s")
