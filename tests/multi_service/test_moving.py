"""Moves reactions out of a running installation, following docs/splitting.md, while users keep reacting."""

import contextlib
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import httpx

from socialapp.core.contexts import CONTEXTS
from tests.gateway.nginx import Gateway
from tests.multi_service.cluster import Cluster, Service, shared_services
from tests.scenarios.product import Member, eventually

_KINDS = ("like", "love", "haha", "sad", "angry")
# How kept-alive connections end when the configuration of nginx changes.
_CLOSED = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)
_VERIFYING = (("reactions", "verify", "--context", "reactions"), ("others", "verify"))
_OTHERS = tuple(name for name in CONTEXTS if name != "reactions")


@dataclass
class Load:
    """A user who keeps reacting to posts and reading them, and records the responses."""

    member: Member
    posts: list[str]
    stopping: threading.Event
    answered: dict[str, str] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)
    writes: Counter[int] = field(default_factory=Counter)
    reads: Counter[int] = field(default_factory=Counter)

    def run(self) -> None:
        """Runs until asked to stop."""
        chance = random.Random(self.member.id)
        headers = {"Authorization": f"Bearer {self.member.access}"}
        with httpx.Client(base_url=self.member.product.url, headers=headers, timeout=60) as client:
            while not self.stopping.is_set():
                self._react(client, chance.choice(self.posts), chance.choice(_KINDS))
                self._read(client, chance.choice(self.posts))
                time.sleep(0.02)

    def _react(self, client: httpx.Client, post: str, kind: str) -> None:
        """A connection that closes during a request is retried, as browsers do: the request is idempotent."""
        try:
            answer = client.put(f"/v1/posts/{post}/reaction", json={"reaction_type": kind})
        except _CLOSED:
            answer = client.put(f"/v1/posts/{post}/reaction", json={"reaction_type": kind})
        self.writes[answer.status_code] += 1
        if answer.status_code == 200:
            self.answered[post] = kind
            self.unknown.discard(post)
        else:
            assert answer.status_code != 503 or answer.headers["Retry-After"]
            self.unknown.add(post)  # a 503 may have been executed nevertheless

    def _read(self, client: httpx.Client, post: str) -> None:
        try:
            answer = client.get(f"/v1/posts/{post}")
        except _CLOSED:
            answer = client.get(f"/v1/posts/{post}")
        self.reads[answer.status_code] += 1


def total(loads: list[Load], kind: str) -> Counter[int]:
    """The number of responses to writes, or to reads, by status."""
    return sum((getattr(load, kind) for load in loads), Counter())


def go_on(loads: list[Load], *, answers: int = 40) -> None:
    """Waits until that many more writes got a response."""
    before = sum(total(loads, "writes").values())
    eventually(lambda: sum(total(loads, "writes").values()) >= before + answers, seconds=180)


def is_all_there(loads: list[Load], post: str) -> bool:
    """Asserts that every write acknowledged with 200 is stored, and that counts match the reactions."""
    for load in loads:
        for seen_post, kind in load.answered.items():
            seen = load.member.get(f"/v1/posts/{seen_post}").json()
            assert seen_post in load.unknown or seen["my_reaction"] == kind, (
                f"a reaction of {load.member.username} was lost"
            )
    counts = loads[0].member.get(f"/v1/posts/{post}").json()["reactions"]
    own = [load.member.get(f"/v1/posts/{post}").json()["my_reaction"] for load in loads]
    assert {kind: count for kind, count in counts.items() if count} == dict(Counter(filter(None, own)))
    return True


def nothing_differs(cluster: Cluster) -> bool:
    """Asserts that counts, metrics, notifications and everything else derived from reactions are correct."""
    found = [cluster.services[name].manage(*command) for name, *command in _VERIFYING]
    assert all(ended.returncode == 0 for ended in found), [ended.stdout + ended.stderr for ended in found]
    return not any("under way" in ended.stdout for ended in found)


@contextlib.contextmanager
def people_reacting(cluster: Cluster) -> Iterator[list[Load]]:
    """Three users who react to the posts of one of them until the end of the block."""
    product = cluster.product()
    people = [product.join(name) for name in ("ada", "bob", "eve")]
    posts = [people[0].write(f"post {number}")["id"] for number in range(4)]
    eventually(lambda: all(person.get(f"/v1/posts/{posts[0]}").status_code == 200 for person in people))
    stopping = threading.Event()
    loads = [Load(person, posts, stopping) for person in people]
    threads = [threading.Thread(target=load.run) for load in loads]
    for thread in threads:
        thread.start()
    try:
        go_on(loads)
        yield loads
    finally:
        stopping.set()
        for thread in threads:
            thread.join(120)


def test_reactions_move_to_their_own_service_under_load(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path, shared_services({"CALL_TIMEOUT": "20"}), Gateway(tmp_path / "gateway", {}))
    old = cluster.add("everything", tuple(CONTEXTS))
    try:
        cluster.start()
        with people_reacting(cluster) as loads:
            _serve_beside(cluster, old)
            go_on(loads)
            before, after = dict(cluster.gateway.variables), cluster.upstreams()
            for upstreams in (after, before, after):  # there, back, and there again
                cluster.gateway.change(**upstreams)
                go_on(loads)
            old.stop()
            go_on(loads)
            assert set(total(loads, "writes")) == {200}, "no request failed"
            _move_database(cluster.services["reactions"], loads)
            assert set(total(loads, "writes")) == {200, 503}, "paused, and reported as such"
            assert set(total(loads, "reads")) == {200}, "posts remain readable, without counts"
        for post in loads[0].posts:
            eventually(partial(is_all_there, loads, post))  # a breaker may stay open for two more seconds
        eventually(lambda: nothing_differs(cluster), seconds=180)
        for service in cluster.services.values():
            eventually(lambda service=service: service.manage("doctor").returncode == 0)  # type: ignore[misc]
    finally:
        old.stop()
        cluster.stop()


def _serve_beside(cluster: Cluster, old: Service) -> None:
    """Runs reactions alone, and all others without it, beside the old process and on the same databases."""
    same = {
        "DATABASE_URL": f"sqlite:///{old.environment['DATA_DIR']}/db/{{context}}.sqlite3",
        "SECRET_KEY": old.environment["SECRET_KEY"],
    }
    del cluster.services["everything"]
    cluster.add("reactions", ("reactions",), **same)
    cluster.add("others", _OTHERS, **same)
    cluster.connect()
    for service in cluster.services.values():
        service.start()
    for service in cluster.services.values():
        service.wait()


def _move_database(reactions: Service, loads: list[Load]) -> None:
    """The database moves to its own place while only reactions pauses."""
    before = total(loads, "writes")[503]
    reactions.stop()
    eventually(lambda: total(loads, "writes")[503] > before)
    backup = str(reactions.folder / "backup")
    taken = reactions.manage("backup", backup)
    assert taken.returncode == 0, taken.stderr
    reactions.environment["DATABASE_URL"] = f"sqlite:///{reactions.environment['DATA_DIR']}/db/{{context}}.sqlite3"
    restored = reactions.manage("restore", backup)
    assert restored.returncode == 0, restored.stderr
    reactions.start()
    reactions.wait()
    done = total(loads, "writes")[200]
    eventually(lambda: total(loads, "writes")[200] > done)
    go_on(loads)
