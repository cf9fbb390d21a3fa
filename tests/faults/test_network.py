"""The network silently drops packets, or is slow: nothing waits forever, and everything recovers by itself."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from statistics import median

import pytest

from socialapp.messaging.publish import WAKE_CHANNEL
from tests.faults.installation import Installation, Post, Writers
from tests.faults.proxy import Proxy, proxy_to
from tests.faults.sizes import ONLY_FULL, SETTLE_SECONDS, size
from tests.scenarios.product import PASSWORD, eventually

DATABASE_SECONDS = size(4, 20)
DEAD_SECONDS = size(6, 60)
RECOVERY_SECONDS = 30
_CONNECT_SECONDS = 5  # a connection attempt's timeout
_WEB_THREADS = 4


@contextmanager
def _through(installation: Installation, port: int, *roles: str, **urls: str) -> Iterator[Proxy]:
    """These roles reach a server through a proxy; `{port}` in the variables is replaced by the proxy's port."""
    with proxy_to(port) as network:
        installation.kill(*roles)
        installation.start(*roles, **{name: value.replace("{port}", str(network.port)) for name, value in urls.items()})
        try:
            yield network
        finally:
            installation.kill(*roles)  # before the proxy closes: a cut connection would be another fault


def _all_write_again(writers: Writers) -> None:
    """Waits until each writer has begun another post after this call, and got a response."""
    begun = len(writers.posts)

    def again() -> bool:
        since = writers.posts[begun:]
        return {post.author.id for post in since if post.answer} == {author.id for author in writers.authors}

    writers.installation.within(RECOVERY_SECONDS, again, "everybody writes again after the network is back")


@pytest.mark.parametrize(
    "forgets",
    [
        pytest.param(False, marks=ONLY_FULL, id="what was under way comes late"),
        pytest.param(True, id="old connections stay dead"),
    ],
)
def test_database_unreachable(installation: Installation, forgets: bool) -> None:
    authors = [installation.join(name) for name in ("ada", "bob", "eve", "ida")]
    for author, other in pairwise(authors):
        author.follow(other)
    writers = Writers(installation, authors, pause=0.05)
    url = installation.database.url().replace(str(installation.database.port), "{port}")
    variables = {"DATABASE_URL": url, "DATABASE_SECONDS": str(DATABASE_SECONDS)}
    with _through(installation, installation.database.port, "web", "relay", "worker", "beat", **variables) as network:
        with writers.writing():
            eventually(lambda: len(writers.posts) > 20, seconds=SETTLE_SECONDS)
            with network.dead(forgets=forgets):
                meanwhile = Post(authors[0], "written while the database was out of reach", "key of ada")
                started = time.monotonic()
                assert installation.send(meanwhile).status_code == 503, "no request waits forever"
                installation.note("a write is answered 503 after", f"{time.monotonic() - started:.1f} s")
                time.sleep(DEAD_SECONDS)
            _all_write_again(writers)
        eventually(lambda: installation.send(meanwhile).status_code == 201, seconds=SETTLE_SECONDS)
        posts = [*writers.posts, meanwhile]
        installation.within(RECOVERY_SECONDS, lambda: installation.arrived(posts), "all effects after the last post")
        assert set(writers.refused) <= {503}, "the only error is that the database is unavailable"
        installation.assert_all_agree(posts, authors)


def test_the_database_of_one_context_unreachable(installation: Installation) -> None:
    """Requests that need it do not hold the threads that all others need."""
    ada = installation.join("ada")
    [post] = installation.write([ada], 1)
    assert post.answer
    comments = f"/posts/{post.answer['id']}/comments"
    url = installation.database.url().replace(str(installation.database.port), "{port}").format
    variables = {
        "COMMENTS_DATABASE_URL": url(context="comments", port="{port}"),
        "DATABASE_SECONDS": str(DATABASE_SECONDS),
    }
    stopping = threading.Event()
    refused: list[int] = []

    def read(path: str) -> int:
        headers = {"Authorization": f"Bearer {ada.access}"}
        return installation.http.get(f"{installation.url}/v1{path}", headers=headers).status_code

    def ask() -> None:
        while not stopping.is_set():
            refused.append(read(comments))

    with _through(installation, installation.database.port, "web", **variables) as network:
        assert read(comments) == 200
        with network.dead(forgets=True):
            asking = [threading.Thread(target=ask) for _ in range(_WEB_THREADS * 2)]
            for thread in asking:
                thread.start()
            installation.within(RECOVERY_SECONDS, lambda: len(refused) > 100, "requests are refused at once")
            seconds = []
            for _ in range(9):
                started = time.monotonic()
                assert read("/auth/me") == 200
                seconds.append(time.monotonic() - started)
            stopping.set()
            for thread in asking:
                thread.join()
        assert set(refused) == {503}
        installation.note("a response that does not need that database, median", f"{median(seconds):.2f} s")
        assert median(seconds) < _CONNECT_SECONDS / 2
        installation.within(RECOVERY_SECONDS, lambda: read(comments) == 200, "the database is used again")


@pytest.mark.parametrize("brokered", ["rabbitmq", pytest.param("redis", marks=ONLY_FULL)], indirect=True)
def test_broker_unreachable_with_connections_that_stay_dead(brokered: Installation) -> None:
    installation = brokered
    ada, bob = installation.join("ada"), installation.join("bob")
    bob.follow(ada)
    url = installation.broker.url.replace(str(installation.broker.port), "{port}")
    with _through(installation, installation.broker.port, "relay", "worker", "beat", BROKER_URL=url) as network:
        posts = installation.write([ada], 20)
        eventually(lambda: installation.arrived(posts), seconds=SETTLE_SECONDS)
        with network.dead(forgets=True):
            deadline = time.monotonic() + DEAD_SECONDS
            while time.monotonic() < deadline:
                posts += installation.write([ada], 5)  # fails if a request is refused
                time.sleep(0.2)
        reached = "all effects after the network to the broker is back"
        installation.within(RECOVERY_SECONDS, lambda: installation.arrived(posts), reached)
        posts += installation.write([ada], 20)
        installation.assert_all_agree(posts, [ada, bob])


def test_commits_wake_the_relay_again_after_a_network_failure(installation: Installation) -> None:
    def listeners() -> int:
        with installation.redis.client() as client:
            return int(dict(client.pubsub_numsub(WAKE_CHANNEL))[WAKE_CHANNEL.encode()])

    url = installation.redis.url.replace(str(installation.redis.port), "{port}")
    with _through(installation, installation.redis.port, "relay", REDIS_URL=url) as network:
        eventually(lambda: listeners() == 1, seconds=SETTLE_SECONDS)
        with network.dead(forgets=True):
            pass
        # Redis does not notice either that the first one is dead.
        installation.within(RECOVERY_SECONDS, lambda: listeners() == 2, "the relay listens again")
        installation.assert_all_agree(installation.write([installation.join("ada")], 5))


def test_slow_redis(installation: Installation) -> None:
    authors = [installation.join(name) for name in ("ada", "bob", "eve")]
    url = installation.redis.url.replace(str(installation.redis.port), "{port}")
    with _through(
        installation, installation.redis.port, "web", "relay", "worker", REDIS_URL=url, RATE_LIMITS="on"
    ) as network:
        network.delay, network.bytes_per_second = 0.1, 100_000  # each way: a response takes 200 ms
        for author, other in pairwise(authors):
            author.follow(other)
        login = {"login": authors[0].username, "password": PASSWORD}
        eventually(
            lambda: installation.http.post(f"{installation.url}/v1/auth/login", json=login).status_code == 200,
            seconds=SETTLE_SECONDS,
        )
        started = time.monotonic()
        posts = installation.write(authors, 15)
        installation.note("a post with an answer of Redis every 200 ms", f"{(time.monotonic() - started) / 15:.2f} s")
        installation.within(RECOVERY_SECONDS, lambda: installation.arrived(posts), "all effects")
        installation.assert_all_agree(posts, authors)
