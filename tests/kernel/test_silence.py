"""Roles and their database servers take each other for gone after a while of silence; commands may take their time."""

import pytest
from django.conf import settings
from django.db import OperationalError, connections

from socialapp.db import give_up_on_silence, is_tidb
from tests.scenarios.product import eventually

pytestmark = pytest.mark.django_db(databases={"posts", "users"}, transaction=True)


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process as a role that waits for four seconds."""
    if connections["posts"].vendor != "mysql":
        pytest.skip("SQLite is no server")
    monkeypatch.setattr(settings, "DATABASE_SECONDS", 4)
    for configured in connections.settings.values():
        monkeypatch.setitem(configured, "OPTIONS", dict(configured.get("OPTIONS", {})))
    give_up_on_silence()
    for alias in ("posts", "users"):
        connections[alias].close()


@pytest.mark.usefixtures("_impatient")
def test_a_server_that_does_not_answer_is_given_up() -> None:
    with connections["posts"].cursor() as cursor, pytest.raises(OperationalError):
        cursor.execute("SELECT SLEEP(60)")
    connections["posts"].close()


@pytest.mark.usefixtures("_impatient")
def test_a_client_in_a_transaction_that_says_nothing_is_given_up() -> None:
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


@pytest.mark.usefixtures("_impatient")
def test_only_the_first_broken_connection_to_a_server_is_waited_for() -> None:
    posts, users = connections["posts"], connections["users"]
    with posts.cursor() as cursor:
        cursor.execute("SELECT CONNECTION_ID()")
        [number] = cursor.fetchone()
    with users.cursor() as cursor:
        cursor.execute(f"KILL {number}")
    assert not posts.is_usable()
    assert users.connection is None, "renewed, not asked"
    posts.close()
