"""Shared fixtures: a bus that tests drain themselves, registered users, and clients that act for them."""

import os
import sqlite3
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from django.conf import settings
from django.core.management.sql import emit_post_migrate_signal
from django.core.signals import setting_changed
from django.db import connections
from django.db.backends.signals import connection_created
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.test import Client
from django.test.client import ClientHandler
from httpx._config import DEFAULT_TIMEOUT_CONFIG

from apps.auth.actions import sessions
from apps.posts.actions import posts
from apps.posts.actions.feed import store
from socialapp.core import fragments, hints, ids
from socialapp.core.cache import _BreakingConnection, redis_client
from socialapp.core.contexts import CONTEXTS, served
from socialapp.core.db import after_commit
from socialapp.core.passwords import OwaspArgon2PasswordHasher
from socialapp.http import admission, tokens
from socialapp.http.fast_path import FastPath
from socialapp.lifecycle.tasks import continue_all_jobs
from socialapp.messaging.delivery import deliver
from socialapp.messaging.envelope import decode
from socialapp.messaging.models import OutboxEvent
from tests.factories import Registration
from tests.migrated import create_migrated, drop_databases, migrated_file

ALL_CONTEXTS = list(CONTEXTS)
_PATIENCE_SECONDS = 60.0


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """The databases exist already and are migrated: see below."""
    return True


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> Iterator[None]:
    """Creates the test databases from a template, which takes a fifth of the time that migrating does."""
    on_servers: defaultdict[str, dict[str, str]] = defaultdict(dict)
    with ExitStack() as at_the_end:
        for context in CONTEXTS:
            connection: Any = connections[context]
            name = connection.creation._get_test_db_name()
            if connection.vendor == "sqlite":
                # in memory, and dropped with the last connection
                kept = at_the_end.enter_context(closing(sqlite3.connect(name, uri=True)))
                with closing(sqlite3.connect(migrated_file(context))) as template:
                    template.backup(kept)
            else:
                url = os.environ.get(f"{context.upper()}_DATABASE_URL", settings.DATABASE_URL)
                on_servers[urlsplit(url)._replace(path="").geturl()][context] = name
        for server, names in on_servers.items():
            create_migrated(server, names)
            at_the_end.callback(drop_databases, server, names.values())
        yield


@pytest.fixture(scope="session")
def django_db_setup(_nothing_to_migrate: pytest.MonkeyPatch, django_db_setup: None) -> None:
    """Django looks for missing migrations in each database, which takes seconds: the template has them all."""
    _nothing_to_migrate.undo()


@pytest.fixture(scope="session")
def _nothing_to_migrate() -> pytest.MonkeyPatch:
    patch = pytest.MonkeyPatch()
    patch.setattr("django.core.management.commands.migrate.Command.handle", lambda *_, **__: None)
    return patch


def deliver_outbox() -> int:
    """Delivers every unsent event and continues every job until none are left; returns the number of events."""
    total = 0
    while True:
        sent = sum(_send_from(producer) for producer in CONTEXTS)
        total += sent
        if not sent and not (_are_there_jobs() and continue_all_jobs()):
            return total


def _send_from(producer: str) -> int:
    # SQL, because almost every test calls this several times, mostly without a result
    with connections[producer].cursor() as cursor:
        cursor.execute("SELECT id, envelope FROM bus_outbox WHERE state = %s ORDER BY id", [OutboxEvent.State.NEW])
        rows = cursor.fetchall()
    if rows:
        unsent = OutboxEvent.objects.using(producer).filter(id__in=[event_id for event_id, _ in rows])
        unsent.update(state=OutboxEvent.State.SENT)
        envelopes = [decode(envelope) for _, envelope in rows]
        for consumer in served():
            deliver(consumer.name, envelopes=envelopes)
    return len(rows)


def _are_there_jobs() -> bool:
    for context in CONTEXTS:
        with connections[context].cursor() as cursor:
            cursor.execute("SELECT id FROM jobs LIMIT 1")
            if cursor.fetchone():
                return True
    return False


def refresh_index() -> None:
    """Elasticsearch finds new documents only after a refresh; this is that refresh."""
    if settings.ELASTICSEARCH_URL:
        httpx.post(f"{settings.ELASTICSEARCH_URL}/{settings.ELASTICSEARCH_PREFIX}*/_refresh").raise_for_status()


@dataclass
class Person:
    """A registered user; `client` sends their token with every request."""

    id: str
    username: str
    access: str
    refresh: str
    client: "JsonClient"

    def confirm(self, password: str = "correct horse battery") -> None:
        """Confirms the session, as operations that guard the account require."""
        answer = self.client.post("/v1/auth/confirm", {"password": password})
        assert answer.status_code == 200, answer.content


class _Handler(ClientHandler):
    """Django's test handler, behind the fast path that the server has too."""

    fast_path = FastPath()

    def get_response(self, request: HttpRequest) -> HttpResponseBase:
        found = self.fast_path.answer(request.META)
        if found is None:
            return super().get_response(request)
        response, added = found
        for name, value in added.items():
            response[name] = value
        return response


def _read_settings_again(**changed: object) -> None:
    """The fast path reads the settings once."""
    _Handler.fast_path = FastPath()


setting_changed.connect(_read_settings_again)


class JsonClient:
    """Django's test client, with JSON bodies and, if it has a token, authenticated."""

    def __init__(self, access: str | None = None) -> None:
        self._client = Client(raise_request_exception=True)
        self._client.handler = _Handler(enforce_csrf_checks=False)
        self._headers = {"Authorization": f"Bearer {access}"} if access else {}

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Sends `body` as JSON; header names are written with underscores."""
        sent = {**self._headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        if body is None and method in ("GET", "DELETE"):
            return self._client.generic(method, path, headers=sent)
        import orjson

        content = body if isinstance(body, bytes) else orjson.dumps(body if body is not None else {})
        return self._client.generic(method, path, content, content_type="application/json", headers=sent)

    def send_raw(self, method: str, path: str, content: bytes, content_type: str, **headers: str) -> Any:
        """Sends a body that is not JSON."""
        sent = {**self._headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return self._client.generic(method, path, content, content_type=content_type, headers=sent)

    def get(self, path: str, **headers: str) -> Any:
        return self.request("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.request("POST", path, body, **headers)

    def put(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.request("PUT", path, body, **headers)

    def patch(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.request("PATCH", path, body, **headers)

    def delete(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.request("DELETE", path, body, **headers)


@pytest.fixture
def drain(db: None) -> Callable[[], int]:
    """Delivers all published events in process, as relay, broker and worker do together."""
    return deliver_outbox


@pytest.fixture
def anonymous() -> JsonClient:
    """A client without a token."""
    return JsonClient()


@pytest.fixture
def register(drain: Callable[[], int]) -> Callable[..., Person]:
    """Registers a user through the API and delivers the resulting events."""

    def make(username: str, **extra: Any) -> Person:
        body = Registration(username=username, **extra)
        answer = JsonClient().post("/v1/auth/register", body)
        assert answer.status_code == 201, answer.content
        made = answer.json()
        drain()
        return Person(made["user"]["id"], username, made["access"], made["refresh"], JsonClient(made["access"]))

    return make


@pytest.fixture(autouse=True)
def _cheap_passwords(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Password hashing is almost free, where a real hash takes 31 ms; unless the test is marked `real_passwords`."""
    if "real_passwords" not in request.keywords:
        monkeypatch.setattr(OwaspArgon2PasswordHasher, "time_cost", 1)
        monkeypatch.setattr(OwaspArgon2PasswordHasher, "memory_cost", 8)


@pytest.fixture(autouse=True)
def _ids_of_the_present() -> Iterator[None]:
    """Ids never go back: after a test that advanced the clock, all later ones would lie in the future.

    One second remains, because ids that are drawn faster than 64 a millisecond run ahead of the clock.
    """
    yield
    ids._generator._last_ms = min(ids._generator._last_ms, int(time.time() * 1000) + 1000)


@pytest.fixture(scope="session", autouse=True)
def _content_types_in_auth_only() -> Iterator[None]:
    """After a test with real transactions, Django recreates content types and permissions: only auth has their
    tables.
    """

    def make_again_in_auth(verbosity: int, interactive: bool, db: str, **more: Any) -> None:
        if db == "auth":
            emit_post_migrate_signal(verbosity, interactive, db, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.core.management.commands.flush.emit_post_migrate_signal", make_again_in_auth)
        yield


@pytest.fixture(scope="session", autouse=True)
def _no_locks_of_shared_memory() -> Iterator[None]:
    """In memory, connections share a cache where reads lock whole tables, and a locked table is an error at once.
    The product's files (WAL) do neither, so neither must happen to a server that reads while a test writes.
    """

    def read_without_locks(connection: Any, **more: Any) -> None:
        if connection.vendor == "sqlite" and connection.is_in_memory_db():
            connection.connection.execute("PRAGMA read_uncommitted = ON")

    connection_created.connect(read_without_locks)
    yield
    connection_created.disconnect(read_without_locks)


@pytest.fixture(scope="session", autouse=True)
def _tls_context_made_once() -> Iterator[None]:
    """httpx reads all certificates for every client, also for plain HTTP: 26 ms of CPU each time a test checks
    whether a server is up, taken from that server.
    """
    make = httpx.create_ssl_context
    made = make()

    def made_before(verify: Any = True, **others: Any) -> Any:
        return made if verify is True else make(verify, **others)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("httpx._transports.default.create_ssl_context", made_before)
        yield


@pytest.fixture(scope="session", autouse=True)
def _patience_with_servers() -> Iterator[None]:
    """httpx and writes to the index give up after five seconds: a busy machine is not an outage."""
    with pytest.MonkeyPatch.context() as patch:
        for phase in ("connect", "read", "write", "pool"):
            patch.setattr(DEFAULT_TIMEOUT_CONFIG, phase, _PATIENCE_SECONDS)
        if settings.ELASTICSEARCH_URL:
            patch.setattr("apps.search.actions.elastic._READ_SECONDS", _PATIENCE_SECONDS)
            patch.setattr("apps.search.models.documents._WRITE_SECONDS", _PATIENCE_SECONDS)
        yield


@pytest.fixture(autouse=True)
def _keep_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """An in-process request must not close the connection that holds the test's own transaction."""
    for wrapper in {type(connection) for connection in connections.all()}:
        monkeypatch.setattr(wrapper, "close_if_unusable_or_obsolete", lambda self: None)


@pytest.fixture(autouse=True)
def _forget_fragments(monkeypatch: pytest.MonkeyPatch) -> None:
    """Invalidates what a request has changed, although the test's transaction around it never commits."""

    monkeypatch.setattr(hints, "after_commit", _now_or_after_commit)


def _now_or_after_commit(context: str, *, callback: Callable[[], object]) -> None:
    outer: list[Any] = connections[context].atomic_blocks
    if outer and outer[0]._from_testcase:
        callback()
    else:
        after_commit(context, callback=callback)


@pytest.fixture(params=["on", "tiny", "untold"])
def caches(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, settings: Any) -> str:
    """Caches as in production; so small and short that everything falls out of them; or never told of a change.

    Nobody may be shown more with any of them. What is done after commits is done, as for `_forget_fragments`.
    """
    for module in (posts, sessions):
        monkeypatch.setattr(module, "after_commit", _now_or_after_commit)
    state: str = request.param
    if state == "tiny":
        settings.FRAGMENT_SECONDS = 1
        for name, value in {"CAP": 3, "_SLACK": 1, "_NEWEST": 2, "_FEED_SECONDS": 1, "_EPOCH_SECONDS": 1}.items():
            monkeypatch.setattr(store, name, value)
        monkeypatch.setattr(tokens, "_CACHED_TOKENS", 1)
        monkeypatch.setattr(admission, "_REFRESH_SECONDS", 1)
    elif state == "untold":
        monkeypatch.setattr(fragments, "send_after_commit", lambda *commands, **options: None)
    return state


@pytest.fixture
def redis_down(settings: Any) -> Iterator[Callable[[bool], None]]:
    """Makes Redis unreachable and reachable again: a port that nobody listens on."""
    url = settings.REDIS_URL

    def switch(down: bool) -> None:
        settings.REDIS_URL = "redis://127.0.0.1:1/0" if down else url
        if not down:
            _BreakingConnection.open_until = 0.0

    yield switch
    switch(False)


@pytest.fixture(autouse=True)
def _empty_redis() -> None:
    """Every test starts with an empty Redis, so that no result is right only because of a cache, and none is wrong
    because another test has just made Redis unreachable.
    """
    _BreakingConnection.open_until = 0.0
    redis_client().flushdb()
