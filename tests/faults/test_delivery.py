"""Relay and workers are killed: every effect comes, once, within half a minute of the restart."""

import random
import threading
import time

from tests.faults.installation import Installation, Post, crowd
from tests.faults.proxy import proxy_to
from tests.faults.sizes import SETTLE_SECONDS, size
from tests.scenarios.product import Member, eventually

FOLLOWERS = size(2_000, 5_000)
BACKLOG = size(100, 1_000)
RESTART_SECONDS = 30


def _told(town: Installation, post: Post) -> dict[int, int]:
    """How often each follower was told of the post."""
    assert post.answer is not None
    rows = town.database.sql(
        "SELECT user_id, COUNT(*) FROM faults_notifications.notifications WHERE post_id = %s GROUP BY user_id",
        int(post.answer["id"]),
    )
    return {int(user_id): int(count) for user_id, count in rows}


def _arrived(town: Installation, posts: list[Post], reader: Member) -> bool:
    """Whether the posts are counted, and the reader told of them and shown them."""
    author = posts[0].author
    return (
        town.posts_count(author) == len(posts)
        and town.wrongly_told([author]) == 0
        and reader.feed_ids() == town.feed_in_sql(reader)
    )


def _reader(town: Installation, author: Member, name: str) -> Member:
    """Somebody who follows the author and has a list of their feed in Redis."""
    reader = town.join(name)
    reader.follow(author)
    eventually(town.settled, seconds=SETTLE_SECONDS)
    assert reader.feed_ids() == []
    return reader


def test_relay_killed_between_sending_and_marking(town: Installation) -> None:
    ada = town.join("ada")
    bob = _reader(town, ada, "bob")
    town.kill("relay")
    about_to_mark = threading.Event()

    def hold_the_mark(data: bytes) -> bool:
        if b"UPDATE `bus_outbox` SET `state` = 1" in data:
            about_to_mark.set()
        return not about_to_mark.is_set()

    with proxy_to(town.database.port) as proxy:
        proxy.on_request = hold_the_mark
        posts = town.write([ada], 20)
        town.start("relay", DATABASE_URL=town.database.url(port=proxy.port))
        assert about_to_mark.wait(SETTLE_SECONDS), "the relay has sent"
        town.kill("relay")
    ids = [post.answer["id"] for post in posts if post.answer]
    states = town.database.sql(
        f"SELECT state FROM faults_posts.bus_outbox WHERE subject IN ({','.join(['%s'] * len(ids))})", *ids
    )
    assert {state for (state,) in states} == {0}, "sent, and not marked"
    town.start("relay")
    town.within(RESTART_SECONDS, lambda: _arrived(town, posts, bob), "effects after the relay's restart")
    town.assert_all_agree(posts, [ada, bob])


def test_relay_killed_at_any_moment(town: Installation) -> None:
    ada = town.join("ada")
    bob = _reader(town, ada, "bob")
    moment = random.Random(2)
    posts = []
    for _ in range(3):
        posts += town.write([ada], 20)
        time.sleep(moment.uniform(0.0, 0.4))
        town.kill("relay")
        posts += town.write([ada], 10)
        town.start("relay")
    town.within(RESTART_SECONDS, lambda: _arrived(town, posts, bob), "effects after the relay's third restart")
    town.assert_all_agree(posts, [ada, bob])


def test_worker_killed_in_the_middle_of_a_fan_out(town: Installation) -> None:
    ada = town.join("ada")
    followers = crowd(town, ada, FOLLOWERS)
    town.manage("search", "reindex")
    readers = [_reader(town, ada, name) for name in ("bob", "eve")]
    receivers = {*followers, *(int(reader.id) for reader in readers)}
    [post] = town.write([ada], 1)
    for reached in (1, FOLLOWERS // 2):
        eventually(lambda reached=reached: len(_told(town, post)) >= reached, seconds=SETTLE_SECONDS)
        town.kill("worker")
        town.start("worker")
    everybody = f"all {len(receivers)} followers told after the worker's restart"
    town.within(RESTART_SECONDS, lambda: len(_told(town, post)) == len(receivers), everybody)
    town.assert_all_agree([post], [ada, *readers])
    assert _told(town, post) == dict.fromkeys(receivers, 1), "each follower was told once"


def test_worker_killed_in_the_middle_of_batches(town: Installation) -> None:
    ada = town.join("ada")
    bob = _reader(town, ada, "bob")
    town.kill("worker")
    posts = town.write([ada], BACKLOG)
    moment = random.Random(3)
    town.start("worker")
    for _ in range(3):
        eventually(lambda: town.posts_count(ada) > 0, seconds=SETTLE_SECONDS)
        time.sleep(moment.uniform(0.0, 0.3))
        town.kill("worker")
        town.start("worker")
    waited = f"effects of {BACKLOG} posts after the worker's third restart"
    town.within(RESTART_SECONDS, lambda: _arrived(town, posts, bob), waited)
    town.assert_all_agree(posts, [ada, bob])
