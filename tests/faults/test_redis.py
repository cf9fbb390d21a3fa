"""Redis is emptied or hangs: what readers see equals the database, writing goes on, log-ins stay limited."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.faults.installation import Installation, Writers
from tests.faults.proxy import proxy_to
from tests.scenarios.product import PASSWORD, Member, eventually

HUNG_SECONDS = 10


def _oracle(town: Installation, reader: Member) -> list[str]:
    """The reader's feed as SQL has it: their own posts and those of whom they follow, newest first."""
    rows = town.database.sql(
        "SELECT id FROM faults_posts.posts WHERE user_id = %s OR user_id IN"
        " (SELECT following_id FROM faults_users.follows WHERE follower_id = %s) ORDER BY id DESC",
        int(reader.id),
        int(reader.id),
    )
    return [str(post_id) for (post_id,) in rows]


def _people(town: Installation) -> list[Member]:
    people = [town.join(name) for name in ("ada", "bob", "eve", "ida")]
    for person in people:
        for other in people[:3]:
            if other is not person:
                person.follow(other)
    eventually(town.settled, seconds=30)
    return people


def test_redis_emptied_while_people_write_and_read(town: Installation) -> None:
    people = _people(town)
    writers = Writers(town, people[:3], pause=0.05)
    with writers.writing():
        for _ in range(6):
            time.sleep(0.4)
            for person in people:
                assert person.get("/v1/feed").status_code == 200
            town.redis.flush()
    assert writers.refused == [], "no write fails"
    town.assert_each_written_once(writers.posts)
    eventually(town.settled, seconds=30)
    for person in people:
        eventually(lambda person=person: person.feed_ids() == _oracle(town, person), seconds=30)


def test_redis_hangs(town: Installation) -> None:
    people = _people(town)
    writers = Writers(town, people[:3], pause=0.2)
    slowest = 0.0
    with writers.writing(), town.redis.hung():
        deadline = time.monotonic() + HUNG_SECONDS
        while time.monotonic() < deadline:
            for person in people:
                started = time.monotonic()
                assert person.get("/v1/feed").status_code == 200
                slowest = max(slowest, time.monotonic() - started)
            time.sleep(0.2)
    assert slowest < 6, "a Redis that hangs costs no request its time"
    assert writers.refused == [], "no write fails"
    assert len(writers.posts) >= 3 * HUNG_SECONDS / 4, "writing goes on"
    town.assert_each_written_once(writers.posts)
    eventually(town.settled, seconds=90)
    for person in people:
        eventually(lambda person=person: person.feed_ids() == _oracle(town, person), seconds=30)


def test_log_in_limits_fail_closed(town: Installation) -> None:
    ada = town.join("ada")
    town.kill("web")
    town.start("web", RATE_LIMITS="on")
    login = {"login": ada.username, "password": PASSWORD}
    with httpx.Client(timeout=20) as http:
        assert http.post(f"{town.url}/v1/auth/login", json=login).status_code == 200
        with town.redis.hung():
            refused = http.post(f"{town.url}/v1/auth/login", json=login)
            assert (refused.status_code, refused.json()["code"]) == (503, "limits_unavailable")
            assert ada.write("still here")["content"] == "still here"
        eventually(lambda: http.post(f"{town.url}/v1/auth/login", json=login).status_code == 200, seconds=10)


def test_one_rebuild_of_a_feed_at_a_time(town: Installation) -> None:
    """Twenty readers find a feed gone; the query that rebuilds it, which is the slow one, is seen once."""
    ada, bob = town.join("ada"), town.join("bob")
    bob.follow(ada)
    expected = [ada.write(f"post {number}")["id"] for number in range(5)][::-1]
    eventually(town.settled, seconds=30)
    in_flight = threading.Semaphore()
    builds: list[bool] = []  # whether each was the only one

    def slow_down(data: bytes) -> bool:
        if b"FROM `posts`" in data and b"LIMIT 800" in data:
            builds.append(is_alone := in_flight.acquire(blocking=False))
            time.sleep(0.5)
            if is_alone:
                in_flight.release()
        return True

    with proxy_to(town.database.port) as proxy:
        proxy.on_request = slow_down
        town.kill("web")
        town.start("web", POSTS_DATABASE_URL=town.database.url("posts", port=proxy.port), WEB_THREADS="8")
        town.redis.flush()
        with ThreadPoolExecutor(8) as readers:
            feeds = list(readers.map(lambda _: bob.feed_ids(), range(20)))
    assert feeds == [expected] * 20
    assert builds, "it was rebuilt"
    assert all(builds), "one rebuild at a time, the others read the database for their page alone"
