"""The network drops packets and tells nobody, or is slow: nothing waits for ever, and all goes on by itself."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest

from socialapp.messaging.publish import WAKE_CHANNEL
from tests.faults.installation import Installation, Post, Writers
from tests.faults.proxy import Proxy, proxy_to
from tests.faults.sizes import ONLY_FULL, SETTLE_SECONDS, size
from tests.scenarios.product import PASSWORD, eventually

DATABASE_SECONDS = size(4, 20)
DEAD_SECONDS = size(6, 60)
RECOVERY_SECONDS = 30


@contextmanager
def _through(town: Installation, port: int, *roles: str, **urls: str) -> Iterator[Proxy]:
    """These roles reach a server through a proxy; `{port}` in the variables stands for the proxy's."""
    with proxy_to(port) as network:
        town.kill(*roles)
        town.start(*roles, **{name: value.replace("{port}", str(network.port)) for name, value in urls.items()})
        try:
            yield network
        finally:
            town.kill(*roles)  # before the proxy is closed: a cut connection would be another fault


def _all_write_again(writers: Writers) -> None:
    """Waits until each writer has begun a post after now, and been answered."""
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
def test_database_out_of_reach(town: Installation, forgets: bool) -> None:
    authors = [town.join(name) for name in ("ada", "bob", "eve", "ida")]
    for author, other in pairwise(authors):
        author.follow(other)
    writers = Writers(town, authors, pause=0.05)
    url = town.database.url().replace(str(town.database.port), "{port}")
    variables = {"DATABASE_URL": url, "DATABASE_SECONDS": str(DATABASE_SECONDS)}
    with _through(town, town.database.port, "web", "relay", "worker", "beat", **variables) as network:
        with writers.writing():
            eventually(lambda: len(writers.posts) > 20, seconds=SETTLE_SECONDS)
            with network.dead(forgets=forgets):
                meanwhile = Post(authors[0], "written while the database was out of reach", "key of ada")
                started = time.monotonic()
                assert town.send(meanwhile).status_code == 503, "no request waits for ever"
                town.note("a write is answered 503 after", f"{time.monotonic() - started:.1f} s")
                time.sleep(DEAD_SECONDS)
            _all_write_again(writers)
        eventually(lambda: town.send(meanwhile).status_code == 201, seconds=SETTLE_SECONDS)
        posts = [*writers.posts, meanwhile]
        town.within(RECOVERY_SECONDS, lambda: town.arrived(posts), "all effects after the last post")
        assert set(writers.refused) <= {503}, "nothing else is wrong than that the database does not answer"
        town.assert_all_agree(posts, authors)


@pytest.mark.parametrize("brokered", ["rabbitmq", pytest.param("redis", marks=ONLY_FULL)], indirect=True)
def test_broker_out_of_reach_whose_connections_stay_dead(brokered: Installation) -> None:
    town = brokered
    ada, bob = town.join("ada"), town.join("bob")
    bob.follow(ada)
    url = town.broker.url.replace(str(town.broker.port), "{port}")
    with _through(town, town.broker.port, "relay", "worker", "beat", BROKER_URL=url) as network:
        posts = town.write([ada], 20)
        eventually(lambda: town.arrived(posts), seconds=SETTLE_SECONDS)
        with network.dead(forgets=True):
            deadline = time.monotonic() + DEAD_SECONDS
            while time.monotonic() < deadline:
                posts += town.write([ada], 5)  # fails if one is refused
                time.sleep(0.2)
        reached = "all effects after the network to the broker is back"
        town.within(RECOVERY_SECONDS, lambda: town.arrived(posts), reached)
        posts += town.write([ada], 20)
        town.assert_all_agree(posts, [ada, bob])


def test_relay_hears_of_commits_again_after_a_dead_network(town: Installation) -> None:
    def listeners() -> int:
        with town.redis.client() as client:
            return int(dict(client.pubsub_numsub(WAKE_CHANNEL))[WAKE_CHANNEL.encode()])

    url = town.redis.url.replace(str(town.redis.port), "{port}")
    with _through(town, town.redis.port, "relay", REDIS_URL=url) as network:
        eventually(lambda: listeners() == 1, seconds=SETTLE_SECONDS)
        with network.dead(forgets=True):
            pass
        # Redis does not know either that the first one is dead.
        town.within(RECOVERY_SECONDS, lambda: listeners() == 2, "the relay listens again")
        town.assert_all_agree(town.write([town.join("ada")], 5))


def test_slow_redis(town: Installation) -> None:
    authors = [town.join(name) for name in ("ada", "bob", "eve")]
    url = town.redis.url.replace(str(town.redis.port), "{port}")
    with _through(town, town.redis.port, "web", "relay", "worker", REDIS_URL=url, RATE_LIMITS="on") as network:
        network.delay, network.bytes_per_second = 0.1, 100_000  # each way: an answer takes 200 ms
        for author, other in pairwise(authors):
            author.follow(other)
        login = {"login": authors[0].username, "password": PASSWORD}
        eventually(
            lambda: town.http.post(f"{town.url}/v1/auth/login", json=login).status_code == 200, seconds=SETTLE_SECONDS
        )
        started = time.monotonic()
        posts = town.write(authors, 15)
        town.note("a post with an answer of Redis every 200 ms", f"{(time.monotonic() - started) / 15:.2f} s")
        town.within(RECOVERY_SECONDS, lambda: town.arrived(posts), "all effects")
        town.assert_all_agree(posts, authors)
