"""A user with very many followers posts amid ordinary traffic: others hardly notice, and memory stays bounded."""

import time
from functools import partial

import psutil

from tests.faults.installation import Installation, crowd, disperse
from tests.faults.sizes import SETTLE_SECONDS, size
from tests.scenarios.product import Member, eventually

FOLLOWERS = size(12_000, 200_000)
OTHERS_SECONDS = 5.0
MOST_MEGABYTES = 150


def _memory(installation: Installation) -> float:
    """The memory of the worker's processes, in megabytes."""
    return sum(psutil.Process(pid).memory_info().rss for pid in installation.pids("worker")) / 1e6


def _is_notified_once(installation: Installation, post_id: str) -> bool:
    count = "SELECT COUNT(*) FROM faults_notifications.notifications WHERE post_id = %s"
    return installation.database.number(count, int(post_id)) == 1


def _is_pushed(installation: Installation, reader: Member, post_id: str) -> bool:
    with installation.redis.client() as client:
        return post_id.encode() in client.lrange(f"feed:{reader.id}", 0, -1)


def test_others_are_served_during_a_large_fan_out(installation: Installation) -> None:
    star, ada, bob = installation.join("star"), installation.join("ada"), installation.join("bob")
    bob.follow(ada)
    followers = crowd(installation, star, FOLLOWERS)
    eventually(installation.confirmed, seconds=SETTLE_SECONDS)
    assert bob.feed_ids() == []
    before = highest = _memory(installation)
    count = "SELECT COUNT(*) FROM faults_notifications.notifications WHERE post_id = %s"
    post = star.write("to very many")["id"]
    delays: list[float] = []
    begun = time.monotonic()
    while installation.database.number(count, int(post)) < FOLLOWERS:
        assert time.monotonic() < begun + SETTLE_SECONDS, "the fan-out did not finish in time"
        written = ada.write("to one")["id"]
        started = time.monotonic()
        eventually(partial(_is_notified_once, installation, written), seconds=SETTLE_SECONDS)
        eventually(partial(_is_pushed, installation, bob, written), seconds=SETTLE_SECONDS)
        delays.append(time.monotonic() - started)
        highest = max(highest, _memory(installation))
    installation.note(f"{FOLLOWERS} followers notified in", f"{time.monotonic() - begun:.1f} s")
    assert delays, "there must be other traffic meanwhile"
    worst = sorted(delays)[int(len(delays) * 0.99)] if len(delays) > 100 else max(delays)
    installation.note(
        "p99 of the delivery to others meanwhile", f"{worst:.2f} s of {len(delays)}, promised {OTHERS_SECONDS:g}"
    )
    installation.note("memory that the workers took on", f"{highest - before:.0f} MB, at most {MOST_MEGABYTES}")
    assert worst < 4 * OTHERS_SECONDS, f"others waited {worst:.1f} s"
    assert highest - before < MOST_MEGABYTES
    eventually(installation.confirmed, seconds=SETTLE_SECONDS)
    doubled = installation.database.number(
        "SELECT COUNT(*) FROM (SELECT 1 FROM faults_notifications.notifications WHERE post_id = %s"
        " GROUP BY user_id HAVING COUNT(*) > 1) AS doubled",
        int(post),
    )
    assert (doubled, installation.database.number(count, int(post))) == (0, len(followers))
    disperse(installation, followers)
    installation.database.sql("DELETE FROM faults_users.follow_counts WHERE user_id = %s", int(star.id))
    installation.database.sql(
        "UPDATE faults_metrics.metrics_author_rollups SET followers = 0 WHERE author_id = %s", int(star.id)
    )
    installation.assert_projections_agree()
