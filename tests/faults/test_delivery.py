"""Relay and workers are killed: every effect comes, once, within half a minute of the restart."""

import random
import threading
import time

from tests.faults.installation import Installation, crowd
from tests.faults.proxy import proxy_to
from tests.scenarios.product import Member, eventually

FOLLOWERS = 5_000
RESTART_SECONDS = 30


def _told(town: Installation, post_id: str) -> dict[int, int]:
    """How often each follower was told of the post."""
    rows = town.database.sql(
        "SELECT user_id, COUNT(*) FROM faults_notifications.notifications WHERE post_id = %s GROUP BY user_id",
        int(post_id),
    )
    return {int(user_id): int(count) for user_id, count in rows}


def _feed_has_once(town: Installation, reader: Member, post_id: str) -> bool:
    entries = town.redis.client().lrange(f"feed:{reader.id}", 0, -1)
    return entries.count(post_id.encode()) == 1 and reader.feed_ids().count(post_id) == 1


def test_relay_killed_between_sending_and_marking(town: Installation) -> None:
    ada, bob = town.join("ada"), town.join("bob")
    bob.follow(ada)
    eventually(town.settled, seconds=30)
    assert bob.feed_ids() == []
    town.kill("relay")
    about_to_mark = threading.Event()

    def hold_the_mark(data: bytes) -> bool:
        if b"UPDATE `bus_outbox` SET `state` = 1" in data:
            about_to_mark.set()
        return not about_to_mark.is_set()

    with proxy_to(town.database.port) as proxy:
        proxy.on_request = hold_the_mark
        posts = [ada.write(f"post {number}")["id"] for number in range(20)]
        town.start("relay", DATABASE_URL=town.database.url(port=proxy.port))
        assert about_to_mark.wait(30), "the relay has sent"
        town.kill("relay")
    states = town.database.sql(
        f"SELECT state FROM faults_posts.bus_outbox WHERE subject IN ({','.join(['%s'] * 20)})", *posts
    )
    assert {state for (state,) in states} == {0}, "sent, and not marked"
    town.start("relay")
    eventually(town.settled, seconds=RESTART_SECONDS)
    eventually(lambda: town.posts_count(ada) == 20, seconds=RESTART_SECONDS)
    eventually(lambda: all(_told(town, post) == {int(bob.id): 1} for post in posts), seconds=RESTART_SECONDS)
    assert all(_feed_has_once(town, bob, post) for post in posts)
    assert bob.feed_ids() == posts[::-1]
    eventually(town.confirmed, seconds=60)
    assert town.posts_count(ada) == 20, "and what was sent twice counts once"


def test_relay_killed_at_any_moment(town: Installation) -> None:
    ada = town.join("ada")
    moment = random.Random(2)
    written = 0
    for _ in range(3):
        for _ in range(20):
            ada.write("another one")
            written += 1
        time.sleep(moment.uniform(0.0, 0.4))
        town.kill("relay")
        for _ in range(10):
            ada.write("while it was away")
            written += 1
        town.start("relay")
    eventually(lambda: town.posts_count(ada) == written, seconds=RESTART_SECONDS)
    eventually(town.confirmed, seconds=60)
    assert town.posts_count(ada) == written


def test_worker_killed_in_the_middle_of_a_fan_out(town: Installation) -> None:
    ada = town.join("ada")
    readers = [town.join(name) for name in ("bob", "eve")]
    for reader in readers:
        reader.follow(ada)
    followers = crowd(town, ada, FOLLOWERS)
    eventually(town.settled, seconds=30)
    for reader in readers:
        assert reader.feed_ids() == []
    receivers = {*followers, *(int(reader.id) for reader in readers)}
    post = ada.write("to all of you")["id"]
    for reached in (1, FOLLOWERS // 2):
        eventually(lambda reached=reached: len(_told(town, post)) >= reached, seconds=30)
        town.kill("worker")
        town.start("worker")
    eventually(lambda: len(_told(town, post)) == len(receivers), seconds=RESTART_SECONDS)
    eventually(town.confirmed, seconds=60)
    assert _told(town, post) == dict.fromkeys(receivers, 1), "each follower was told once"
    assert all(_feed_has_once(town, reader, post) for reader in readers)
    assert town.posts_count(ada) == 1


def test_worker_killed_in_the_middle_of_batches(town: Installation) -> None:
    ada, bob = town.join("ada"), town.join("bob")
    bob.follow(ada)
    eventually(town.settled, seconds=30)
    town.kill("worker")
    posts = [ada.write(f"post {number}")["id"] for number in range(150)]
    moment = random.Random(3)
    town.start("worker")
    for _ in range(3):
        eventually(lambda: town.posts_count(ada) > 0, seconds=30)
        time.sleep(moment.uniform(0.0, 0.3))
        town.kill("worker")
        town.start("worker")
    eventually(lambda: town.posts_count(ada) == len(posts), seconds=RESTART_SECONDS)
    eventually(lambda: all(_told(town, post) == {int(bob.id): 1} for post in posts), seconds=RESTART_SECONDS)
    eventually(town.confirmed, seconds=60)
    assert town.posts_count(ada) == len(posts)
    assert bob.feed_ids() == posts[::-1]
    town.assert_nothing_twice()
