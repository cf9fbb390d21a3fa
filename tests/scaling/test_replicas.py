"""Reads from replicas: they take over load, users always see their own writes, and losing one causes no error."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from socialapp.core.cache import redis_client
from socialapp.core.replicas import LAG_HEADER, lag_headers
from socialapp.rpc.calls import service_token
from tests.faults.servers import MariaDB
from tests.scaling.dataset import Dataset, Replica
from tests.scenarios.product import eventually

_LAG = 20  # seconds that a replica may lag in these tests: longer than one is held back
_PATIENCE = 120  # timeout in seconds, with room for a busy machine
_READS = 40

Headers = dict[str, str]


@pytest.fixture(scope="module")
def replicas(folder: Path, database: MariaDB) -> Iterator[list[Replica]]:
    """Two replicas, not started yet."""
    servers = [Replica(folder, database, number=number) for number in (1, 2)]
    yield servers
    for server in servers:
        server.stop()


@pytest.fixture(scope="module")
def dataset(folder: Path, database: MariaDB, replicas: list[Replica]) -> Iterator[Dataset]:
    home = folder / "replicas"
    home.mkdir()
    urls = (f"mysql://app:app@127.0.0.1:{server.port}/dataset_{{context}}" for server in replicas)
    made = Dataset(home, database, REPLICA_MAX_LAG_SECONDS=str(_LAG), DATABASE_REPLICA_URLS=",".join(urls))
    with ThreadPoolExecutor() as pool:
        starting = [pool.submit(server.start) for server in replicas]
        made.create(people=20)
        for started in starting:
            started.result()
    for server in replicas:
        server.catch_up()
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def author(dataset: Dataset) -> Headers:
    return dataset.log_in("person0")


@pytest.fixture(scope="module", autouse=True)
def reader(dataset: Dataset) -> Headers:
    """A user who writes nothing. Logged in before all tests: the session must be old enough to read from replicas."""
    return dataset.log_in("person1")


@pytest.fixture(scope="module")
def post_id(dataset: Dataset, replicas: list[Replica], author: Headers) -> str:
    """A post that the replicas have."""
    made = _write(dataset, author, "known to all")
    for server in replicas:
        server.catch_up()
    return made


def _write(dataset: Dataset, author: Headers, content: str) -> str:
    answer = dataset.http.post("/v1/posts", json={"content": content}, headers=author)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def _status(dataset: Dataset, post_id: str, headers: Headers | None = None) -> int:
    """The status of reading a post; without headers the request is anonymous, which any replica may serve."""
    answer = dataset.http.get(f"/v1/posts/{post_id}", headers=headers or {})
    return {200: 200, 404: 404}[answer.status_code]


def _has(replica: Replica, post_id: str) -> bool:
    return bool(replica.sql(f"SELECT 1 FROM dataset_posts.posts WHERE id = {post_id}"))


def _until_read_from(dataset: Dataset, post_id: str, *servers: Replica) -> None:
    """Returns when all of these serve reads: one that was skipped is checked again after some seconds."""
    before = [server.selects() for server in servers]

    def are_read() -> bool:
        assert _status(dataset, post_id) == 200
        return all(server.selects() > known for server, known in zip(servers, before, strict=True))

    eventually(are_read, seconds=_PATIENCE)


def _primary_selects(database: MariaDB) -> int:
    return int(database.sql("SHOW GLOBAL STATUS LIKE 'Com_select'")[0][1])


def test_reads_are_spread_over_the_replicas(dataset: Dataset, replicas: list[Replica], post_id: str) -> None:
    def are_spread() -> bool:
        """At random: forty reads leave out neither of two, unless one happens to be skipped for some seconds."""
        before, primary_before = [server.selects() for server in replicas], _primary_selects(dataset.database)
        for _ in range(_READS):
            assert _status(dataset, post_id) == 200
        at_replicas = [server.selects() - known for server, known in zip(replicas, before, strict=True)]
        at_primary = _primary_selects(dataset.database) - primary_before  # nothing except health checks
        return min(at_replicas) >= 5 and sum(at_replicas) >= _READS and at_primary < _READS // 2

    eventually(are_spread, seconds=_PATIENCE)


def test_writes_and_their_reads_stay_on_the_primary(dataset: Dataset, replicas: list[Replica], author: Headers) -> None:
    before = [server.selects() for server in replicas]
    for number in range(5):
        made = _write(dataset, author, f"written on the primary {number}")
        answer = dataset.http.patch(f"/v1/posts/{made}", json={"content": "changed there"}, headers=author)
        assert answer.status_code == 200
        assert _status(dataset, made, author) == 200
    assert [server.selects() for server in replicas] == before


def test_calls_between_contexts_state_whether_they_may_lag(dataset: Dataset, replicas: list[Replica]) -> None:
    def selects(**headers: str) -> int:
        before = sum(server.selects() for server in replicas)
        answer = dataset.http.get(
            "/internal/users/Users/audience",
            params={"viewer_id": "1", "author_ids": "[1]"},
            headers={"Authorization": f"Bearer {service_token('users')}", **headers},
        )
        assert answer.status_code == 200, answer.text
        return sum(server.selects() for server in replicas) - before

    assert selects() == 0, "calls of handlers and writes do not allow lag"
    eventually(lambda: selects(**{LAG_HEADER: "7"}) >= 1, seconds=_PATIENCE)
    assert lag_headers() == {}, "only calls of requests that read may lag"


def test_an_author_sees_their_own_write_at_once_and_others_later(
    dataset: Dataset, replicas: list[Replica], author: Headers, post_id: str
) -> None:
    _until_read_from(dataset, post_id, *replicas)
    with ExitStack() as stack:
        for server in replicas:
            stack.enter_context(server.held_back())
        made = _write(dataset, author, "seen by me first")
        until = time.monotonic() + 5
        eventually(lambda: _status(dataset, made) == 404, seconds=_LAG)  # the replicas lack it, and may lag
        seen = [_status(dataset, made, author)]
        while time.monotonic() < until:
            time.sleep(0.1)
            seen.append(_status(dataset, made, author))
        assert set(seen) == {200}, "an author must see their own post"
        assert not any(_has(server, made) for server in replicas)
    for server in replicas:
        server.catch_up()
    eventually(lambda: _status(dataset, made) == 200)


def test_replica_lag_is_a_metric(dataset: Dataset, replicas: list[Replica], author: Headers) -> None:
    late, *_ = replicas
    with late.held_back():
        _write(dataset, author, "late")
        eventually(lambda: _metric(dataset, late, "lag_seconds") >= 2, seconds=_PATIENCE)
        assert _metric(dataset, late, "up") == 1
    eventually(lambda: _metric(dataset, late, "lag_seconds") == 0, seconds=_PATIENCE)
    late.sql("STOP SLAVE SQL_THREAD")
    try:
        assert _metric(dataset, late, "up") == 0
        assert _metric(dataset, late, "lag_seconds") == -1, "the lag is unknown"
    finally:
        late.sql("START SLAVE SQL_THREAD")
    eventually(lambda: _metric(dataset, late, "up") == 1, seconds=_PATIENCE)


def _metric(dataset: Dataset, replica: Replica, what: str) -> float:
    """A replica's metric as Prometheus reads it; -1 if there is none."""
    name = f'socialapp_replica_{what}{{server="127.0.0.1:{replica.port}"}} '
    lines = dataset.http.get("/metrics").text.splitlines()
    return next((float(line.removeprefix(name)) for line in lines if line.startswith(name)), -1.0)


def test_a_replica_that_stopped_replicating_is_skipped(
    dataset: Dataset, replicas: list[Replica], author: Headers, post_id: str
) -> None:
    for server in replicas:
        server.sql("STOP SLAVE SQL_THREAD")
    try:
        made = _write(dataset, author, "never mind the replicas")
        assert _status(dataset, made, author) == 200
        eventually(lambda: _status(dataset, made) == 200, seconds=_PATIENCE)  # the primary serves their reads
        assert not any(_has(server, made) for server in replicas)
    finally:
        for server in replicas:
            server.sql("START SLAVE SQL_THREAD")
    _until_read_from(dataset, post_id, *replicas)


def test_without_redis_users_still_see_their_own_writes(
    dataset: Dataset, replicas: list[Replica], author: Headers, post_id: str
) -> None:
    _until_read_from(dataset, post_id, *replicas)
    with ExitStack() as stack:
        for server in replicas:
            stack.enter_context(server.held_back())
        made = _write(dataset, author, "remembered by nobody")
        for key in redis_client().scan_iter(f"{dataset.environment['REDIS_PREFIX']}*"):
            redis_client().delete(key)
        eventually(lambda: _status(dataset, made) == 404, seconds=_LAG)
        for _ in range(10):
            assert _status(dataset, made, author) == 200
    for server in replicas:
        server.catch_up()


def test_a_killed_replica_fails_no_request_and_comes_back(
    dataset: Dataset, replicas: list[Replica], post_id: str
) -> None:
    gone, stays = replicas
    _until_read_from(dataset, post_id, gone, stays)
    gone.kill()
    try:
        _until_carried_on(dataset, post_id, stays)
        health = dataset.http.get("/health/ready")
        assert health.status_code == 200
        assert health.json()["dependencies"]["replica:posts-replica-1"]["status"] == "down"
    finally:
        gone.start()
    _until_read_from(dataset, post_id, gone, stays)


def test_a_hanging_replica_is_skipped_and_comes_back(dataset: Dataset, replicas: list[Replica], post_id: str) -> None:
    hanging, stays = replicas
    _until_read_from(dataset, post_id, hanging, stays)
    before = hanging.selects()
    with hanging.hung():
        _until_carried_on(dataset, post_id, stays)
    # What had been sent to it meanwhile it answers now, to nobody.
    assert hanging.selects() - before <= 16, "once by each thread that was reading from it when it hung, not every read"
    _until_read_from(dataset, post_id, hanging, stays)


def test_a_user_keeps_reading_from_one_replica(
    dataset: Dataset, replicas: list[Replica], post_id: str, reader: Headers
) -> None:
    key = f"{dataset.environment['REDIS_PREFIX']}replicas:since"
    redis_client().set(key, repr(time.time() - 3600))  # as if Redis had recorded writers for an hour

    def one_is_read_from() -> bool:
        before = [server.selects() for server in replicas]
        for _ in range(20):
            assert _status(dataset, post_id, reader) == 200
        read_from = [server.selects() - known for server, known in zip(replicas, before, strict=True)]
        return min(read_from) == 0 and max(read_from) >= 20

    eventually(one_is_read_from, seconds=_PATIENCE)  # at random, twenty reads would not all go to one of two


def _until_carried_on(dataset: Dataset, post_id: str, server: Replica) -> None:
    """Reads from several threads at once, all successfully, until a server has served many."""
    before = server.selects()

    def has_carried_on() -> bool:
        with ThreadPoolExecutor(4) as pool:
            read = pool.map(lambda _: httpx.get(f"{dataset.url}/v1/posts/{post_id}", timeout=60).status_code, range(4))
        assert list(read) == [200] * 4
        return server.selects() - before >= 3 * _READS

    eventually(has_carried_on, seconds=_PATIENCE)
