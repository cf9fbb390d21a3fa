"""Timeouts: silent connections are closed after a while, and servers that are down are retried soon."""

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.db import OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from socialapp.core import answering
from socialapp.core.contexts import CONTEXTS
from socialapp.core.db import is_tidb, set_database_timeouts
from socialapp.core.mysql import base
from socialapp.messaging.application import celery_app
from tests.kernel.silent import silent_server
from tests.scenarios.product import eventually, free_port

DATABASES = pytest.mark.django_db(databases={"posts", "users"}, transaction=True)


@pytest.fixture
def _impatient() -> Iterator[None]:
    """This process, configured as a role with a timeout of four seconds; its connections end with the test."""
    if connections["posts"].vendor != "mysql":
        pytest.skip("SQLite is no server")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "DATABASE_SECONDS", 4)
        for configured in connections.settings.values():
            patch.setitem(configured, "OPTIONS", dict(configured.get("OPTIONS", {})))
        set_database_timeouts()
        connections.close_all()
        yield
    connections.close_all()


@DATABASES
@pytest.mark.usefixtures("_impatient")
def test_a_database_that_does_not_respond_times_out() -> None:
    with connections["posts"].cursor() as cursor, pytest.raises(OperationalError):
        cursor.execute("SELECT SLEEP(60)")
    connections["posts"].close()


@DATABASES
@pytest.mark.usefixtures("_impatient")
def test_an_idle_transaction_times_out() -> None:
    silent, asking = connections["posts"], connections["users"]
    with silent.cursor() as cursor:
        cursor.execute("SELECT VERSION(), CONNECTION_ID()")
        version, number = cursor.fetchone()
        if "MariaDB" not in version or is_tidb("posts"):
            pytest.skip("only MariaDB ends transactions of clients that are gone")
        cursor.execute("BEGIN")
        cursor.execute("SELECT COUNT(*) FROM posts")

    def is_there() -> bool:
        with asking.cursor() as cursor:
            cursor.execute("SELECT COUNT(*) FROM information_schema.processlist WHERE id = %s", [number])
            return bool(cursor.fetchone()[0])

    assert is_there()
    eventually(lambda: not is_there())
    silent.close()


@DATABASES
@pytest.mark.usefixtures("_impatient")
def test_only_the_first_broken_connection_to_a_server_costs_a_timeout() -> None:
    posts, users = connections["posts"], connections["users"]
    with posts.cursor() as cursor:
        cursor.execute("SELECT CONNECTION_ID()")
        [number] = cursor.fetchone()
    with users.cursor() as cursor:
        cursor.execute(f"KILL {number}")
    assert not posts.is_usable()
    assert users.connection is None, "renewed without a query"
    posts.close()


@DATABASES
@pytest.mark.usefixtures("_impatient")
def test_connecting_again_to_a_server_that_did_not_respond_fails_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    set_database_timeouts(skip_silent=True)
    monkeypatch.setattr(base, "_SKIPPED_SECONDS", 2.0)
    posts, users = connections["posts"], connections["users"]
    with silent_server() as port:
        for connection in (posts, users):
            monkeypatch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
            monkeypatch.setitem(connection.settings_dict, "PORT", port)
            monkeypatch.setitem(connection.settings_dict["OPTIONS"], "connect_timeout", 2)
        with pytest.raises(OperationalError, match="initial communication"):
            posts.ensure_connection()
        for connection in (posts, users):
            with pytest.raises(OperationalError, match="Skipped"):
                connection.ensure_connection()
    with pytest.raises(OperationalError, match="Can't connect"):
        eventually(lambda: not _is_skipped(users))
    with pytest.raises(OperationalError, match="Can't connect"):
        posts.ensure_connection()  # what is refused at once is tried every time


def _is_skipped(connection: BaseDatabaseWrapper) -> bool:
    """Whether connecting is not tried; the error if it was tried and failed."""
    try:
        connection.ensure_connection()
    except OperationalError as error:
        if "Skipped" in str(error):
            return True
        raise
    return False


def test_a_broker_that_is_down_is_retried_every_few_seconds() -> None:
    pauses: list[float] = []
    connection = celery_app().connection_for_read(f"amqp://127.0.0.1:{free_port()}//")
    with pytest.raises(connection.connection_errors):
        connection.ensure_connection(
            lambda _, pause: pauses.append(pause), max_retries=3, reraise_as_library_errors=False
        )
    assert pauses == [2, 3, 3]


@pytest.mark.django_db(databases=list(CONTEXTS), transaction=True)
def test_periodic_tasks_are_skipped_for_a_context_whose_database_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    if connections["posts"].vendor != "mysql":
        pytest.skip("SQLite is no server")
    answering._breaker.cache_clear()
    answering._answered_at.clear()
    with silent_server() as port:
        monkeypatch.setitem(connections["posts"].settings_dict, "HOST", "127.0.0.1")
        monkeypatch.setitem(connections["posts"].settings_dict, "PORT", port)
        answer = [context.name for context in answering.answering_contexts()]
        assert answer == [name for name in CONTEXTS if name != "posts"]
        monkeypatch.setattr(
            answering, "_answers", lambda parameters: pytest.fail("the database was queried again at once")
        )
        celery_app().loader.import_default_modules()
        assert str(celery_app().tasks["posts.flush_views"].apply().state) == "IGNORED"
        assert celery_app().tasks["comments.check_counts"].apply().state == "SUCCESS"
    answering._breaker.cache_clear()
