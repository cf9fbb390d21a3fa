"""Redis is emptied or hangs: readers see what is in the database, writes succeed, and log-ins stay limited."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.faults.installation import Installation, Writers
from tests.faults.proxy import proxy_to
from tests.faults.sizes import SETTLE_SECONDS
from tests.scenarios.product import PASSWORD, Member, eventually

HUNG_SECONDS = 10


def _feeds_are_right(installation: Installation, people: list[Member]) -> bool:
    """Whether all users see what is in the tables."""
    return all(person.feed_ids() == installation.feed_in_sql(person) for person in people)


def _people(installation: Installation) -> list[Member]:
    people = [installation.join(name) for name in ("ada", "bob", "eve", "ida")]
    for person in people:
        for other in people[:3]:
            if other is not person:
                person.follow(other)
    eventually(installation.settled, seconds=SETTLE_SECONDS)
    return people


def test_redis_emptied_during_writes_and_reads(installation: Installation) -> None:
    people = _people(installation)
    writers = Writers(installation, people[:3], pause=0.05)
    with writers.writing():
        for _ in range(6):
            time.sleep(0.4)
            for person in people:
                assert person.get("/v1/feed").status_code == 200
            installation.redis.flush()
    assert writers.refused == [], "no write fails"
    installation.within(30, lambda: _feeds_are_right(installation, people), "feeds right after six FLUSHALLs")
    installation.assert_all_agree(writers.posts, people)


def test_redis_hangs(installation: Installation) -> None:
    people = _people(installation)
    writers = Writers(installation, people[:3], pause=0.2)
    slowest = 0.0
    with writers.writing(), installation.redis.hung():
        deadline = time.monotonic() + HUNG_SECONDS
        while time.monotonic() < deadline:
            for person in people:
                started = time.monotonic()
                assert person.get("/v1/feed").status_code == 200
                slowest = max(slowest, time.monotonic() - started)
            time.sleep(0.2)
    assert slowest < 4 * 1.5, "a hanging Redis slows no request down"
    assert writers.refused == [], "no write fails"
    assert len(writers.posts) >= 3 * HUNG_SECONDS / 4, "writes continue"
    installation.note("slowest page of a feed while Redis hung", f"{slowest:.1f} s")
    installation.within(
        30, lambda: _feeds_are_right(installation, people), f"feeds right after Redis hung for {HUNG_SECONDS} s"
    )
    with installation.redis.hung():
        assert _feeds_are_right(installation, people), "without Redis feeds are read from the database"
    installation.assert_all_agree(writers.posts, people)


def test_feed_lists_that_survive_an_outage_have_no_gaps(installation: Installation) -> None:
    """Only the workers lose Redis, for longer than an event is retried: the lists that others read remain."""
    people = _people(installation)
    for person in people:
        assert person.feed_ids() == []
    with proxy_to(installation.redis.port) as proxy:
        proxy.on_request = lambda _: False
        installation.kill("worker")
        installation.start("worker", REDIS_URL=f"redis://127.0.0.1:{proxy.port}/0")
        posts = installation.write(people[:3], 10)
        handled = (
            "SELECT COUNT(*) FROM faults_posts.bus_inbox AS inbox JOIN faults_posts.bus_outbox AS outbox"
            f" ON outbox.id = inbox.event_id WHERE handler = 'posts.fan_out_post' AND subject IN ({'%s, ' * 9}%s)"
        )
        ids = [post.answer["id"] for post in posts if post.answer]
        eventually(lambda: installation.database.number(handled, *ids) == 10, seconds=SETTLE_SECONDS)
        assert installation.redis.client().exists(*(f"feed:{person.id}" for person in people)), (
            "feed lists that lack posts"
        )
        installation.within(
            10, lambda: _feeds_are_right(installation, people), "feeds right though nothing could be pushed"
        )
    installation.run_only("web", "relay", "worker", "beat")
    posts += installation.write(people[:3], 3)
    installation.within(10, lambda: _feeds_are_right(installation, people), "feeds right after Redis was back")
    installation.assert_all_agree(posts, people)


def test_redis_comes_back_with_old_feed_lists(installation: Installation) -> None:
    people = _people(installation)
    for person in people:
        assert person.feed_ids() == []
    posts = installation.write(people[:3], 3)
    installation.within(30, lambda: _feeds_are_right(installation, people), "feeds right")
    installation.redis.client().save()
    posts += installation.write(people[:3], 5)
    eventually(installation.settled, seconds=SETTLE_SECONDS)
    installation.redis.kill()
    installation.redis.start()
    assert installation.redis.client().llen(f"feed:{people[0].id}") > 0, "an older list came back"
    installation.within(30, lambda: _feeds_are_right(installation, people), "feeds right after Redis came back older")
    installation.assert_all_agree(posts, people)


def test_log_in_rate_limits_fail_closed(installation: Installation) -> None:
    ada = installation.join("ada")
    installation.kill("web")
    installation.start("web", RATE_LIMITS="on")
    login = {"login": ada.username, "password": PASSWORD}
    with httpx.Client(timeout=20) as http:
        assert http.post(f"{installation.url}/v1/auth/login", json=login).status_code == 200
        with installation.redis.hung():
            refused = http.post(f"{installation.url}/v1/auth/login", json=login)
            assert (refused.status_code, refused.json()["code"]) == (503, "limits_unavailable")
            assert ada.write("still here")["content"] == "still here"
        eventually(lambda: http.post(f"{installation.url}/v1/auth/login", json=login).status_code == 200, seconds=60)


def test_one_rebuild_of_a_feed_at_a_time(installation: Installation) -> None:
    """Readers in two processes find a feed missing; only the query that rebuilds it, which is the slow one, is
    observed.
    """
    ada, bob = installation.join("ada"), installation.join("bob")
    bob.follow(ada)
    expected = [ada.write(f"post {number}")["id"] for number in range(5)][::-1]
    eventually(installation.settled, seconds=SETTLE_SECONDS)
    in_flight = threading.Semaphore()
    builds: list[bool] = []  # whether each ran alone

    def slow_down(data: bytes) -> bool:
        if b"FROM posts WHERE user_id IN" in data and b"LIMIT 800" in data:
            builds.append(is_alone := in_flight.acquire(blocking=False))
            time.sleep(0.5)
            if is_alone:
                in_flight.release()
        return True

    with proxy_to(installation.database.port) as proxy:
        proxy.on_request = slow_down
        installation.kill("web")
        through = installation.database.url("posts", port=proxy.port)
        installation.start("web", POSTS_DATABASE_URL=through, WEB_WORKERS="2", WEB_THREADS="4")
        installation.redis.flush()
        with ThreadPoolExecutor(8) as readers:
            feeds = list(readers.map(lambda _: bob.feed_ids(), range(20)))
    assert feeds == [expected] * 20
    assert builds, "the feed was rebuilt"
    assert all(builds), "one rebuild at a time; the others read only their page from the database"
