"""Reads from replicas: they take the load, nobody misses what they have written, and losing one is no fault."""

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from socialapp.calls import service_token
from socialapp.replicas import LAG_HEADER, lag_headers
from tests.faults.servers import MariaDB
from tests.growing.town import Replica, Town
from tests.scenarios.product import eventually

_LAG = 6  # seconds that a replica may be behind in these tests
_PIN = _LAG + 3


@pytest.fixture(scope="module")
def replica(folder: Path, database: MariaDB) -> Iterator[Replica]:
    server = Replica(folder, database)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def town(folder: Path, database: MariaDB, replica: Replica) -> Iterator[Town]:
    home = folder / "replicas"
    home.mkdir()
    url = f"mysql://app:app@127.0.0.1:{replica.port}/town_{{context}}"
    replicas = {f"{name.upper()}_REPLICA_URLS": url.replace("{context}", name) for name in ("posts", "users")}
    made = Town(home, database, REPLICA_MAX_LAG_SECONDS=str(_LAG), **replicas)
    made.create(people=20)
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def author(town: Town) -> dict[str, str]:
    return town.log_in("person0")


@pytest.fixture(scope="module")
def reader(town: Town, author: dict[str, str]) -> dict[str, str]:
    """Somebody who has written nothing for long enough."""
    found = town.log_in("person1")
    time.sleep(_PIN + 0.5)
    town.http.get("/v1/feed", headers=found)  # from here on it is known whose writes Redis remembers
    time.sleep(_PIN + 0.5)
    return found


def _write(town: Town, author: dict[str, str], content: str) -> str:
    answer = town.http.post("/v1/posts", json={"content": content}, headers=author)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def _status(town: Town, post_id: str, headers: dict[str, str] | None = None) -> int:
    answer = town.http.get(f"/v1/posts/{post_id}", headers=headers or {})
    assert answer.status_code in (200, 404), answer.text
    return answer.status_code


def _caught_up(replica: Replica, post_id: str) -> bool:
    return bool(replica.sql(f"SELECT 1 FROM town_posts.posts WHERE id = {post_id}"))


def test_reads_go_to_the_replica(town: Town, replica: Replica, reader: dict[str, str]) -> None:
    town.http.get("/v1/feed", headers=reader)
    before, primary_before = replica.selects(), _primary_selects(town.database)
    for _ in range(20):
        assert town.http.get("/v1/feed", headers=reader).status_code == 200
    at_replica, at_primary = replica.selects() - before, _primary_selects(town.database) - primary_before
    assert at_replica >= 60, "the rows of each page and who may see them"
    assert at_primary <= at_replica, "comments and reactions have no replica here"


def test_writes_and_what_is_read_for_them_stay_with_the_primary(
    town: Town, replica: Replica, reader: dict[str, str], author: dict[str, str]
) -> None:
    _write(town, author, "the first of two")
    before = replica.selects()
    for number in range(5):
        post_id = _write(town, author, f"written on the primary {number}")
        answer = town.http.patch(f"/v1/posts/{post_id}", json={"content": "changed there"}, headers=author)
        assert answer.status_code == 200
    assert replica.selects() - before <= 5, "only the looks at its state, once a second, count"


def test_calls_between_contexts_say_whether_they_may_lag(town: Town, replica: Replica, reader: dict[str, str]) -> None:
    def selects(**headers: str) -> int:
        before = replica.selects()
        answer = town.http.get(
            "/internal/users/Users/audience",
            params={"viewer_id": "1", "author_ids": "[1]"},
            headers={"Authorization": f"Bearer {service_token('users')}", **headers},
        )
        assert answer.status_code == 200, answer.text
        return replica.selects() - before

    assert selects() == 0, "handlers and writes ask without it"
    assert selects(**{LAG_HEADER: "7"}) >= 1
    assert lag_headers() == {}, "nothing may lag but a request that reads"


def test_an_author_sees_at_once_what_others_see_later(
    town: Town, replica: Replica, reader: dict[str, str], author: dict[str, str]
) -> None:
    lock = _Lock(replica)
    try:
        post_id = _write(town, author, "seen by me first")
        started = time.monotonic()
        seen = []
        while time.monotonic() - started < 5:
            assert _status(town, post_id, author) == 200, "an author must see their own post"
            seen.append(_status(town, post_id, reader))
            time.sleep(0.3)
        assert seen[0] == 404, "the replica has it not yet, and may be behind"
        assert not _caught_up(replica, post_id)
    finally:
        lock.release()
    eventually(lambda: _status(town, post_id, reader) == 200, seconds=10)


def test_a_replica_that_stopped_replicating_is_passed_over(
    town: Town, replica: Replica, reader: dict[str, str], author: dict[str, str]
) -> None:
    replica.sql("STOP SLAVE SQL_THREAD")
    try:
        post_id = _write(town, author, "never mind the replica")
        for _ in range(15):
            assert _status(town, post_id, author) == 200
            time.sleep(0.1)
        assert _status(town, post_id, reader) == 200, "the primary answers for it"
        assert not _caught_up(replica, post_id)
    finally:
        replica.sql("START SLAVE SQL_THREAD")
    eventually(lambda: _caught_up(replica, post_id), seconds=10)


def test_without_what_redis_remembers_nobody_misses_their_own(
    town: Town, replica: Replica, reader: dict[str, str], author: dict[str, str]
) -> None:
    from socialapp.cache import redis_client

    time.sleep(6)  # the replica that was passed over is looked at again
    lock = _Lock(replica)
    try:
        post_id = _write(town, author, "remembered by nobody")
        for key in redis_client().scan_iter(f"{town.environment['REDIS_PREFIX']}*"):
            redis_client().delete(key)
        for _ in range(10):
            assert _status(town, post_id, author) == 200
            time.sleep(0.2)
    finally:
        lock.release()


def test_a_killed_replica_costs_no_answer_and_comes_back(
    town: Town, replica: Replica, reader: dict[str, str], author: dict[str, str]
) -> None:
    time.sleep(_PIN + 1)
    before = replica.selects()
    assert town.http.get("/v1/feed", headers=reader).status_code == 200
    assert replica.selects() > before
    replica.kill()
    health = town.http.get("/health/ready")
    assert health.status_code == 200
    assert health.json()["dependencies"]["replica:posts-replica-1"]["status"] == "down"
    slowest = 0.0
    for _ in range(40):
        started = time.monotonic()
        assert town.http.get("/v1/feed", headers=reader).status_code == 200
        slowest = max(slowest, time.monotonic() - started)
        assert _many_at_once(town, reader) == {200}
    assert slowest < 3
    replica.start()
    eventually(
        lambda: town.http.get("/v1/feed", headers=reader).status_code == 200 and replica.selects() > 20, seconds=30
    )


def _many_at_once(town: Town, reader: dict[str, str]) -> set[int]:
    from concurrent.futures import ThreadPoolExecutor

    def read(_: int) -> int:
        return httpx.get(f"{town.url}/v1/feed", headers=reader, timeout=20).status_code

    with ThreadPoolExecutor(4) as pool:
        return set(pool.map(read, range(4)))


def _primary_selects(database: MariaDB) -> int:
    return int(database.sql("SHOW GLOBAL STATUS LIKE 'Com_select'")[0][1])


class _Lock:
    """Keeps the replica from writing while it goes on to say that it replicates."""

    def __init__(self, replica: Replica) -> None:
        import MySQLdb

        self._connection = MySQLdb.connect(unix_socket=str(replica.folder / "s.sock"), user="root")
        self._connection.query("FLUSH TABLES WITH READ LOCK")

    def release(self) -> None:
        self._connection.close()
