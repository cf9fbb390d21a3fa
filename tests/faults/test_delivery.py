"""Relay and workers are killed: every effect happens once, within half a minute of the restart."""

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


def _notified(installation: Installation, post: Post) -> dict[int, int]:
    """How often each follower was notified of the post."""
    assert post.answer is not None
    rows = installation.database.sql(
        "SELECT user_id, COUNT(*) FROM faults_notifications.notifications WHERE post_id = %s GROUP BY user_id",
        int(post.answer["id"]),
    )
    return {int(user_id): int(count) for user_id, count in rows}


def _arrived(installation: Installation, posts: list[Post], reader: Member) -> bool:
    """Whether the posts are counted, and the reader was notified of them and has them in their feed."""
    author = posts[0].author
    return (
        installation.posts_count(author) == len(posts)
        and installation.wrongly_notified([author]) == 0
        and reader.feed_ids() == installation.feed_in_sql(reader)
    )


def _reader(installation: Installation, author: Member, name: str) -> Member:
    """A user who follows the author and whose feed is a list in Redis."""
    reader = installation.join(name)
    reader.follow(author)
    eventually(installation.settled, seconds=SETTLE_SECONDS)
    assert reader.feed_ids() == []
    return reader


def test_relay_killed_after_sending_and_before_marking_the_outbox(installation: Installation) -> None:
    ada = installation.join("ada")
    bob = _reader(installation, ada, "bob")
    installation.kill("relay")
    about_to_mark = threading.Event()

    def hold_the_mark(data: bytes) -> bool:
        if b"UPDATE bus_outbox SET state = 1" in data:
            about_to_mark.set()
        return not about_to_mark.is_set()

    with proxy_to(installation.database.port) as proxy:
        proxy.on_request = hold_the_mark
        posts = installation.write([ada], 20)
        installation.start("relay", DATABASE_URL=installation.database.url(port=proxy.port))
        assert about_to_mark.wait(SETTLE_SECONDS), "the relay has sent the event"
        installation.kill("relay")
    ids = [post.answer["id"] for post in posts if post.answer]
    states = installation.database.sql(
        f"SELECT state FROM faults_posts.bus_outbox WHERE subject IN ({','.join(['%s'] * len(ids))})", *ids
    )
    assert {state for (state,) in states} == {0}, "sent, but not marked as sent"
    installation.start("relay")
    installation.within(
        RESTART_SECONDS, lambda: _arrived(installation, posts, bob), "effects after the relay's restart"
    )
    installation.assert_all_agree(posts, [ada, bob])


def test_relay_killed_at_any_moment(installation: Installation) -> None:
    ada = installation.join("ada")
    bob = _reader(installation, ada, "bob")
    moment = random.Random(2)
    posts = []
    for _ in range(3):
        posts += installation.write([ada], 20)
        time.sleep(moment.uniform(0.0, 0.4))
        installation.kill("relay")
        posts += installation.write([ada], 10)
        installation.start("relay")
    installation.within(
        RESTART_SECONDS, lambda: _arrived(installation, posts, bob), "effects after the relay's third restart"
    )
    installation.assert_all_agree(posts, [ada, bob])


def test_worker_killed_during_a_fan_out(installation: Installation) -> None:
    ada = installation.join("ada")
    followers = crowd(installation, ada, FOLLOWERS)
    installation.manage("search", "reindex")
    readers = [_reader(installation, ada, name) for name in ("bob", "eve")]
    receivers = {*followers, *(int(reader.id) for reader in readers)}
    [post] = installation.write([ada], 1)
    for reached in (1, FOLLOWERS // 2):
        eventually(lambda reached=reached: len(_notified(installation, post)) >= reached, seconds=SETTLE_SECONDS)  # type: ignore[misc]
        installation.kill("worker")
        installation.start("worker")
    everybody = f"all {len(receivers)} followers notified after the worker's restart"
    installation.within(RESTART_SECONDS, lambda: len(_notified(installation, post)) == len(receivers), everybody)
    installation.assert_all_agree([post], [ada, *readers])
    assert _notified(installation, post) == dict.fromkeys(receivers, 1), "each follower was notified once"


def test_worker_killed_during_batches(installation: Installation) -> None:
    ada = installation.join("ada")
    bob = _reader(installation, ada, "bob")
    installation.kill("worker")
    posts = installation.write([ada], BACKLOG)
    moment = random.Random(3)
    installation.start("worker")
    for _ in range(3):
        eventually(lambda: installation.posts_count(ada) > 0, seconds=SETTLE_SECONDS)
        time.sleep(moment.uniform(0.0, 0.3))
        installation.kill("worker")
        installation.start("worker")
    waited = f"effects of {BACKLOG} posts after the worker's third restart"
    installation.within(RESTART_SECONDS, lambda: _arrived(installation, posts, bob), waited)
    installation.assert_all_agree(posts, [ada, bob])
