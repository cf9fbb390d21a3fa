"""Effects of a post or a reaction: CPU of all effects and of fan-out to many followers, and the time to a socket."""

import http.client
import itertools
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.bench.bench_setup import BenchSetup, Member
from tests.scenarios.product import eventually

_BATCH = 2000
_ids = itertools.count(int(time.time() * 1000) << 16)  # shaped like the product's
_POSTERS = 8
_FOLLOWERS = 99
_ALL = ("web", "relay", "worker", "beat", "sockets")
_FEWEST = 10
_IDLE_FACTOR = 5  # of the default of six seconds: periodic tasks run every thirty at least, or seldom


def all_effects(setup: BenchSetup, *, rates: Sequence[int], seconds: float) -> dict[str, Any]:
    """CPU milliseconds, by process, of a post with 99 followers and of a new reaction to a post, including effects in
    all contexts until the reconciler has confirmed them. The processes' idle CPU is measured in the same run and
    subtracted; at low rates it is the larger part."""
    author, *others = setup.members
    followers = [next(_ids) for _ in range(_FOLLOWERS)]
    _make_followers(setup, author, followers)
    _make_feeds(setup, followers)
    wanted = sum(_count(rate, seconds) for rate in rates)
    posts = [author.write(setup, f"to be reacted to, {number}") for number in range(wanted // len(others) + 1)]
    pairs = ((post, member) for post in posts for member in others)
    setup.drain()
    idle = _idle(setup, seconds=seconds * _IDLE_FACTOR)
    found: dict[str, Any] = {"idle_cpu_ms_a_second": {name: round(cpu * 1000, 1) for name, cpu in idle.items()}}

    for rate in rates:
        number = _count(rate, seconds)
        reactions = [
            Request("PUT", f"/v1/posts/{post}/reaction", {"reaction_type": "like"}, member.access)
            for post, member in itertools.islice(pairs, number)
        ]
        found[f"react, {rate} a second"] = _with_effects(setup, reactions.__getitem__, idle, rate, number)

    def write(number: int) -> Request:
        return Request("POST", "/v1/posts", {"content": f"to 99, {number}"}, author.access)

    for rate in rates:  # after all reactions: Elasticsearch goes on for some time
        number = _count(rate, seconds)
        found[f"post with 99 followers, {rate} a second"] = _with_effects(setup, write, idle, rate, number)
    return found


def _count(rate: int, seconds: float) -> int:
    return max(int(rate * seconds), _FEWEST)


def _idle(setup: BenchSetup, *, seconds: float) -> dict[str, float]:
    """CPU seconds per second, by process, while idle."""
    meter = setup.meter(*_ALL)
    before = meter.read()
    time.sleep(seconds)
    return {name: cpu / seconds for name, cpu in meter.since(before).items()}


def _with_effects(
    setup: BenchSetup, request: Callable[[int], "Request"], idle: dict[str, float], rate: int, number: int
) -> dict[str, Any]:
    meter = setup.meter(*_ALL)
    before, started = meter.read(), time.monotonic()
    sent = _send_at(setup, request, rate=rate, number=number)
    setup.drain()
    lasted = time.monotonic() - started
    spent = {name: (cpu - idle[name] * lasted) * 1000 / len(sent) for name, cpu in meter.since(before).items()}
    return {"cpu_ms": round(sum(spent.values()), 1), **{name: round(cpu, 2) for name, cpu in spent.items()}}


def fan_out(setup: BenchSetup, *, followers: int, rounds: int) -> dict[str, Any]:
    """CPU milliseconds of one post to the given number of followers, who all have a feed in Redis: first for feeds,
    then for notifications, each by a separate worker. The median of some posts."""
    star = setup.members[1]
    ids = [next(_ids) for _ in range(followers)]
    _make_followers(setup, star, ids)
    _make_feeds(setup, ids)
    setup.stop("worker")
    last = ids[-1]
    feeds = _one_context(setup, "posts", star, rounds, lambda post: _is_in_feed(setup, last, post))
    count = f"SELECT COUNT(*) FROM `{setup.name}_notifications`.notifications WHERE target_id = {{}}"
    count_all = _one_context(
        setup, "notifications", star, rounds, lambda post: setup.sql(count.format(post))[0][0] >= followers
    )
    setup.start("worker", [sys.executable, "manage.py", "serve", "worker"])
    return {"followers": followers, "feeds": feeds, "notifications": count_all}


def _make_followers(setup: BenchSetup, star: Member, ids: list[int]) -> None:
    for some in _chunks(ids):
        rows = ",".join(f"({next(_ids)},{follower},{star.id},UTC_TIMESTAMP(3))" for follower in some)
        setup.sql(f"INSERT INTO `{setup.name}_users`.follows (id, follower_id, following_id, created_at) VALUES {rows}")


def _make_feeds(setup: BenchSetup, ids: list[int]) -> None:
    """Writes lists as a read of the feed leaves them: some posts, then the entry that describes the list."""
    entries = [str(next(_ids)) for _ in range(40)][::-1]
    pipe = setup.redis.pipeline(transaction=False)
    for follower in ids:
        pipe.rpush(setup.feed_key(follower), *entries, "=1:0:0:")
    pipe.execute()


def _is_in_feed(setup: BenchSetup, follower: int, post: str) -> bool:
    return post.encode() in setup.redis.lrange(setup.feed_key(follower), 0, 3)


def _one_context(
    setup: BenchSetup, context: str, star: Member, rounds: int, is_done: Callable[[str], bool]
) -> dict[str, float]:
    """The CPU of a post for a worker of this context, the database and Redis, without the request itself."""
    name = f"worker_{context}"
    command = [sys.executable, "-m", "celery", "-A", "socialapp.celery", "worker", "-Q", f"events.{context}"]
    setup.start(name, [*command, "--pool=threads", "-c1", "--without-gossip", "--without-mingle", "-lERROR"])
    first = star.write(setup, "one to warm up")
    eventually(lambda: is_done(first), seconds=60)
    time.sleep(1)
    spent = []
    for number in range(rounds):
        setup.processes["relay"].suspend()  # so that the request is not counted
        post = star.write(setup, f"to everybody, {number}")
        time.sleep(0.3)
        meter = setup.meter(name)
        before = meter.read()
        setup.processes["relay"].resume()
        eventually(lambda post=post: is_done(post), seconds=60)  # type: ignore[misc]
        time.sleep(0.5)  # until the transaction has ended
        spent.append(meter.since(before))
    setup.stop(name)
    middle = sorted(spent, key=lambda found: sum(found.values()))[rounds // 2]
    each = {part: round(seconds * 1000, 1) for part, seconds in middle.items() if part != "elasticsearch"}
    return {"cpu_ms": round(sum(each.values()), 1), **each}


def socket_latency(setup: BenchSetup, *, rate: int, seconds: float) -> dict[str, Any]:
    """Milliseconds from sending a POST until the follower's socket has the notification; `rate`: posts per second."""
    author, follower = setup.members[2], setup.members[3]
    follower.call(setup, "PUT", f"/v1/profiles/{author.id}/follow")
    arrived: dict[str, float] = {}
    url = f"ws://127.0.0.1:{setup.ports['sockets']}/ws/notifications/"
    origin: Any = f"http://127.0.0.1:{setup.ports['gateway']}"
    with connect(url, subprotocols=["bearer", follower.access], origin=origin) as socket:  # type: ignore[list-item]
        listener = threading.Thread(target=_listen, args=(socket, arrived))
        listener.start()
        _post_at(setup, author, rate=rate, seconds=2)
        meter = setup.meter("web", "relay", "worker", "sockets")
        before = meter.read()
        sent = _post_at(setup, author, rate=rate, seconds=seconds)
        deadline = time.monotonic() + 20
        while not sent.keys() <= arrived.keys() and time.monotonic() < deadline:
            time.sleep(0.1)
        spent = meter.since(before)
    listener.join()
    taken = sorted((arrived[post] - started) * 1000 for post, started in sent.items() if post in arrived)
    if not taken:
        raise SystemExit("no message arrived at the socket")
    return {
        "rate": rate,
        "posts": len(sent),
        "not_within_20_seconds": len(sent) - len(taken),
        "p50_ms": round(taken[len(taken) // 2], 1),
        "p99_ms": round(taken[int(len(taken) * 0.99)], 1),
        "cpu_ms_of_a_post_with_all_effects": {name: round(cpu * 1000 / len(sent), 1) for name, cpu in spent.items()},
    }


def _listen(socket: Any, arrived: dict[str, float]) -> None:
    try:
        for message in socket:
            said = json.loads(message)
            if said["type"] == "notification" and said["notification"]["target"]:
                arrived.setdefault(said["notification"]["target"]["id"], time.perf_counter())
    except ConnectionClosed:
        return


@dataclass(frozen=True, slots=True)
class Request:
    """A request that must succeed."""

    method: str
    path: str
    body: dict[str, str]
    access: str


def _post_at(setup: BenchSetup, author: Member, *, rate: int, seconds: float) -> dict[str, float]:
    """Posts at a steady rate; post id → when it was sent."""

    def write(number: int) -> Request:
        return Request("POST", "/v1/posts", {"content": f"at once, {number}"}, author.access)

    return {answer["id"]: started for started, answer in _send_at(setup, write, rate=rate, number=int(rate * seconds))}


def _send_at(
    setup: BenchSetup, request: Callable[[int], Request], *, rate: int, number: int
) -> list[tuple[float, dict[str, Any]]]:
    """Sends requests at a steady rate, without waiting for responses; returns the time and the response of each."""
    sent: list[tuple[float, dict[str, Any]]] = []
    local = threading.local()

    def write(number: int) -> None:
        if not hasattr(local, "connection"):
            local.connection = http.client.HTTPConnection("127.0.0.1", setup.ports["gateway"], timeout=20)
        started, wanted = time.perf_counter(), request(number)
        headers = {"Authorization": f"Bearer {wanted.access}", "Content-Type": "application/json"}
        local.connection.request(wanted.method, wanted.path, json.dumps(wanted.body), headers)
        answer = local.connection.getresponse()
        content = answer.read()
        if answer.status not in (200, 201):
            raise SystemExit(f"{wanted.method} {wanted.path} got {answer.status}: {content[:200]!r}")
        sent.append((started, json.loads(content)))

    begun = time.perf_counter()
    with ThreadPoolExecutor(_POSTERS) as posters:
        waiting = []
        for index in range(number):
            time.sleep(max(begun + index / rate - time.perf_counter(), 0))
            waiting.append(posters.submit(write, index))
        for one in waiting:
            one.result()
    return sent


def _chunks(ids: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), _BATCH):
        yield ids[start : start + _BATCH]
