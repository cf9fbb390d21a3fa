"""Cost with a thousand to a million users: reads, a rebuilt feed, a post by the most followed user.

Each size is filled with `demo --bulk`, in separate databases that are dropped afterwards.
"""

import random
import tempfile
import threading
import time
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import httpx

from socialapp.core.contexts import CONTEXTS
from tests.bench.bench_setup import BenchSetup, Member, Size
from tests.bench.load import Outcome, Route, send, until_steady
from tests.scenarios.product import eventually

_READERS = 40
_THREADS = 40  # posts with comments
_PROFILES = 200
_SEARCHES = 100
_POSTS_SEEN = 25
_REBUILDS = 9
_WARM_UP_ROUNDS = 12
_MERGE_SECONDS = 600
# The first user has the most followers, the second follows the most users: see socialapp/demo/population.py.
_MOST_FOLLOWED, _FOLLOWS_MOST = 0, 1


def growth(sizes: Iterable[int], *, seconds: int) -> dict[str, Any]:
    """The results for each number of users, the smallest first."""
    found = {}
    for people in sorted(sizes):
        size = Size(people=people, posts=5 * people, comments=5 * people, reactions=10 * people)
        with tempfile.TemporaryDirectory(prefix="growth-") as folder:
            Path(folder).chmod(0o755)
            setup = BenchSetup(Path(folder), size, with_baseline=False, in_bulk=True)
            try:
                setup.open()
                found[str(people)] = _measure(setup, seconds=seconds)
            finally:
                setup.close()
    return found


def _measure(setup: BenchSetup, *, seconds: int) -> dict[str, Any]:
    filled = setup.filled
    report: dict[str, Any] = {
        "fill": {
            "rows": filled["rows"],
            "seconds": filled["seconds"],
            "microseconds_a_row": round(filled["seconds"] / filled["rows"] * 1e6, 1),
            "tables": filled["tables"],
        },
        "bytes_a_person": _bytes_a_person(setup),
    }
    readers = _readers(setup)
    eventually(lambda: not _merges(setup), seconds=_MERGE_SECONDS)
    report["reads"] = {
        route.name: _read(setup, route, paths, readers, seconds) for route, paths in _routes(setup, readers)
    }
    report["redis_bytes_an_id"] = _feed_bytes(setup, readers)
    report["rebuilt_feed"] = _rebuilt_feed(setup)
    report["post_of_the_most_followed"] = _popular_post(setup, readers, seconds=seconds)
    return report


def _readers(setup: BenchSetup) -> list[Member]:
    """Users of all ranks, logged in, with notifications by a writer whom all of them follow."""
    people = setup.size.people
    readers = [setup.member(2 + place * (people - 8) // _READERS) for place in range(_READERS)]
    writer = setup.members[1]
    for reader in readers:
        reader.call(setup, "PUT", f"/v1/profiles/{writer.id}/follow")
    for number in range(_POSTS_SEEN):
        writer.write(setup, f"worth a notification, number {number}")
    setup.drain()
    return readers


def _routes(setup: BenchSetup, readers: list[Member]) -> list[tuple[Route, list[str]]]:
    dice = random.Random(1999)
    profiles = [
        row[0] for row in setup.sql(f"SELECT user_id FROM `{setup.name}_users`.profiles ORDER BY user_id LIMIT 20000")
    ]
    busy = setup.sql(
        f"SELECT post_id FROM `{setup.name}_comments`.comment_counts WHERE count > 1 ORDER BY id DESC LIMIT {_THREADS}"
    )
    number = min(setup.size.people, 1000)
    return [
        (Route("home feed", "GET", "", 0), ["/v1/feed"]),
        (
            Route("profile", "GET", "", 0),
            [f"/v1/profiles/{user_id}" for user_id in dice.sample(profiles, min(_PROFILES, len(profiles)))],
        ),
        (Route("thread", "GET", "", 0), [f"/v1/posts/{row[0]}/comments" for row in busy]),
        (Route("notifications", "GET", "", 0), ["/v1/notifications"]),
        # Each post has its own number; the words are in 3 to 20 of 100 posts.
        (
            Route("search, one hit", "GET", "", 0, warms_up=True),
            [f"/v1/search?q={dice.randrange(5 * setup.size.people)}&type=posts" for _ in range(_SEARCHES)],
        ),
        (
            Route("search, many hits", "GET", "", 0, warms_up=True),
            [f"/v1/search?q={word}&type=posts" for word in ("poetry", "holmes", "book", "sea+places", "dreams")],
        ),
        (
            Route("search people", "GET", "", 0, warms_up=True),
            [f"/v1/search?q=person{dice.randrange(number)}&type=users" for _ in range(_SEARCHES)],
        ),
    ]


def _read(setup: BenchSetup, route: Route, paths: list[str], readers: list[Member], seconds: int) -> dict[str, Any]:
    tokens = [reader.access for reader in readers]
    port = setup.ports["gateway"]

    def load(duration: int) -> Outcome:
        return send(route, path=paths, port=port, access=tokens, seconds=duration, folder=setup.folder)

    def measure(duration: int) -> dict[str, Any]:
        meter = setup.meter("web")
        before = meter.read()
        outcome = load(duration)
        spent = meter.since(before)
        if outcome.failures:
            raise SystemExit(f"{route.name}: {outcome.failures} of {outcome.requests} requests failed")
        each = {name: round(cpu * 1000 / outcome.requests, 2) for name, cpu in spent.items()}
        return {**asdict(outcome), "cpu_ms": round(sum(each.values()), 2), "cpu_ms_by_process": each}

    load(2)
    if route.warms_up:
        until_steady(lambda: float(measure(seconds)["cpu_ms"]), rounds=_WARM_UP_ROUNDS)
    return measure(seconds)


def _merges(setup: BenchSetup) -> int:
    """How many merges of segments Elasticsearch is running, as after a fill: they take CPU and disk from searches."""
    url = setup.environment.get("ELASTICSEARCH_URL")
    if not url:
        return 0
    nodes = httpx.get(f"{url}/_nodes/stats/indices/merge", timeout=60).raise_for_status().json()["nodes"]
    return sum(node["indices"]["merges"]["current"] for node in nodes.values())


def _bytes_a_person(setup: BenchSetup) -> dict[str, float]:
    """Bytes of tables and of the search index, per user."""
    names = ", ".join(f"'{setup.name}_{context}'" for context in CONTEXTS)
    for context in CONTEXTS:
        for (table,) in setup.sql(f"SHOW TABLES IN `{setup.name}_{context}`"):
            setup.sql(f"ANALYZE TABLE `{setup.name}_{context}`.`{table}`")
    rows = setup.sql(
        "SELECT table_schema, SUM(data_length + index_length) FROM information_schema.tables"
        f" WHERE table_schema IN ({names}) GROUP BY table_schema"
    )
    people = setup.size.people
    found: dict[str, float] = {str(schema).rpartition("_")[2]: round(float(size) / people) for schema, size in rows}
    url = setup.environment.get("ELASTICSEARCH_URL")
    if url:
        answer = httpx.get(f"{url}/{setup.name}*/_stats/store", timeout=60).raise_for_status().json()
        found["elasticsearch"] = round(answer["_all"]["primaries"]["store"]["size_in_bytes"] / people)
    found["together"] = sum(found.values())
    return found


def _feed_bytes(setup: BenchSetup, readers: list[Member]) -> float:
    """Bytes in Redis per id in the readers' home feeds, including keys."""
    size = length = 0
    for reader in readers:
        key = setup.feed_key(int(reader.id))
        size += setup.redis.memory_usage(key, samples=0) or 0
        length += int(setup.redis.llen(key))
    return round(size / length, 1)


def _rebuilt_feed(setup: BenchSetup) -> dict[str, Any]:
    """Milliseconds to rebuild the home feed of the user who follows the most users."""
    reader = setup.member(_FOLLOWS_MOST)
    taken = []
    for _ in range(_REBUILDS):
        setup.redis.delete(setup.feed_key(int(reader.id)))
        started = time.perf_counter()
        reader.call(setup, "GET", "/v1/feed")
        taken.append((time.perf_counter() - started) * 1000)
    (followed,) = setup.sql(f"SELECT COUNT(*) FROM `{setup.name}_users`.follows WHERE follower_id = {int(reader.id)}")[
        0
    ]
    return {"follows": followed, "median_ms": round(sorted(taken)[_REBUILDS // 2], 1), "worst_ms": round(max(taken), 1)}


def _popular_post(setup: BenchSetup, readers: list[Member], *, seconds: int) -> dict[str, Any]:
    """Latency of others' home feeds during the fan-out of the most followed user's post, and the fan-out's duration."""
    star = setup.member(_MOST_FOLLOWED)
    (followers,) = setup.sql(f"SELECT COUNT(*) FROM `{setup.name}_users`.follows WHERE following_id = {int(star.id)}")[
        0
    ]
    measured: dict[str, Any] = {}
    route = Route("home feed", "GET", "", 0)

    def read() -> None:
        measured.update(_read(setup, route, ["/v1/feed"], readers, max(seconds, 8)))

    reading = threading.Thread(target=read)
    reading.start()
    time.sleep(3)  # after the warm-up
    started = time.monotonic()
    post = star.write(setup, "to everybody")
    answered = time.monotonic() - started
    count = f"SELECT COUNT(*) FROM `{setup.name}_notifications`.notifications WHERE target_id = {post}"
    eventually(lambda: setup.sql(count)[0][0] >= followers, seconds=1800)
    all_notified = time.monotonic() - started
    reading.join()
    return {
        "followers": followers,
        "answered_ms": round(answered * 1000, 1),
        "all_notified_seconds": round(all_notified, 1),
        "others_p50_ms": measured["p50"],
        "others_p99_ms": measured["p99"],
    }


def table(report: dict[str, Any]) -> str:
    """The results as a table in Markdown."""
    found = report["growth"]
    lines = ["| | " + " | ".join(f"{int(people):,} people" for people in found) + " |", "|---" * (len(found) + 1) + "|"]
    for name in next(iter(found.values()))["reads"]:
        cells = (f"{one['reads'][name]['p50']:.1f} / {one['reads'][name]['p99']:.1f}" for one in found.values())
        lines.append(f"| {name}, p50 / p99 ms | " + " | ".join(cells) + " |")
        cpu = (f"{one['reads'][name]['cpu_ms']:.2f}" for one in found.values())
        lines.append(f"| {name}, CPU ms | " + " | ".join(cpu) + " |")
    rest = {
        "rebuilt feed of a person who follows …, ms": lambda one: (
            f"{one['rebuilt_feed']['follows']:,}: {one['rebuilt_feed']['median_ms']}"
        ),
        "post of the most followed: followers": lambda one: f"{one['post_of_the_most_followed']['followers']:,}",
        "… all notified after, s": lambda one: str(one["post_of_the_most_followed"]["all_notified_seconds"]),
        "… others' home feed meanwhile, p99 ms": lambda one: f"{one['post_of_the_most_followed']['others_p99_ms']:.0f}",
        "Redis bytes an id of a feed": lambda one: str(one["redis_bytes_an_id"]),
        "bytes a person in MariaDB and Elasticsearch": lambda one: f"{one['bytes_a_person']['together']:,.0f}",
        "filled in, s": lambda one: str(one["fill"]["seconds"]),
        "µs a row": lambda one: str(one["fill"]["microseconds_a_row"]),
    }
    lines += [f"| {name} | " + " | ".join(map(cell, found.values())) + " |" for name, cell in rest.items()]
    return "\n".join(lines) + "\n"
