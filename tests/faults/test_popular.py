"""Somebody with very many followers posts in ordinary traffic: others hardly notice, and memory stays bounded."""

import os
import time

import psutil

from tests.faults.installation import Installation, crowd
from tests.scenarios.product import eventually

FOLLOWERS = int(os.environ.get("FAULTS_POPULAR_FOLLOWERS", "50000"))
OTHERS_SECONDS = 5.0
MOST_MEGABYTES = 150


def _memory(town: Installation) -> float:
    """Megabytes of the worker's processes."""
    return sum(psutil.Process(pid).memory_info().rss for pid in town.pids("worker")) / 1e6


def test_others_are_served_meanwhile(town: Installation) -> None:
    star, ada, bob = town.join("star"), town.join("ada"), town.join("bob")
    bob.follow(ada)
    followers = crowd(town, star, FOLLOWERS)
    eventually(town.settled, seconds=30)
    assert bob.feed_ids() == []
    before = highest = _memory(town)
    told = "SELECT COUNT(*) FROM faults_notifications.notifications WHERE post_id = %s"
    post = star.write("to very many")["id"]
    delays: list[float] = []
    deadline = time.monotonic() + 240
    while town.database.number(told, int(post)) < FOLLOWERS:
        assert time.monotonic() < deadline, "the fan-out does not end"
        written = ada.write("to one")["id"]
        started = time.monotonic()
        eventually(lambda written=written: town.database.number(told, int(written)) == 1, seconds=60)
        eventually(
            lambda written=written: written.encode() in town.redis.client().lrange(f"feed:{bob.id}", 0, -1), seconds=60
        )
        delays.append(time.monotonic() - started)
        highest = max(highest, _memory(town))
    assert delays, "there was other traffic meanwhile"
    worst = sorted(delays)[int(len(delays) * 0.99)] if len(delays) > 100 else max(delays)
    assert worst < OTHERS_SECONDS, f"others waited {worst:.1f} s"
    assert highest - before < MOST_MEGABYTES
    eventually(town.confirmed, seconds=60)
    doubled = town.database.number(
        "SELECT COUNT(*) FROM (SELECT 1 FROM faults_notifications.notifications WHERE post_id = %s"
        " GROUP BY user_id HAVING COUNT(*) > 1) AS doubled",
        int(post),
    )
    assert (doubled, town.database.number(told, int(post))) == (0, len(followers))
