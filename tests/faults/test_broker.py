"""The broker is down, hangs, or comes back empty: writes succeed, and every effect happens once."""

import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from tests.faults.installation import Installation, Post
from tests.faults.servers import Redis
from tests.faults.sizes import ONLY_FULL, SETTLE_SECONDS, size
from tests.scenarios.product import Member, drop_queues, eventually

DOWN_SECONDS = size(6, 60)
POSTS_A_SECOND = 20
LOADED_POSTS = size(300, 5_000)
DRAIN_SECONDS = 30
REBUILD_SECONDS = 60


def _people(installation: Installation) -> list[Member]:
    """Two users who follow each other, with feeds in Redis."""
    ada, bob = installation.join("ada"), installation.join("bob")
    ada.follow(bob)
    bob.follow(ada)
    eventually(installation.confirmed, seconds=SETTLE_SECONDS)
    assert (ada.feed_ids(), bob.feed_ids()) == ([], [])
    return [ada, bob]


class _Posting(threading.Thread):
    """Writes 20 posts a second; records every status other than 201."""

    def __init__(self, installation: Installation, authors: list[Member]) -> None:
        super().__init__()
        self.posts: list[Post] = []
        self.failed: list[object] = []
        self.until = threading.Event()
        self._installation, self._authors = installation, authors

    def run(self) -> None:
        started = time.monotonic()
        while not self.until.is_set():
            author = self._authors[len(self.posts) % len(self._authors)]
            post = Post(author, f"post {len(self.posts)}", f"key-{len(self.posts)}")
            self.posts.append(post)
            try:
                answer = self._installation.send(post)
            except httpx.HTTPError as error:
                self.failed.append(error)
            else:
                if answer.status_code != 201:
                    self.failed.append((answer.status_code, answer.text))
            self.until.wait(max(0.0, started + len(self.posts) / POSTS_A_SECOND - time.monotonic()))


def _while_posting(installation: Installation, authors: list[Member], disturb: Callable[[], None]) -> list[Post]:
    """Keeps posting while `disturb` runs; no request may fail."""
    posting = _Posting(installation, authors)
    started = time.monotonic()
    posting.start()
    try:
        eventually(lambda: len(posting.posts) > POSTS_A_SECOND, seconds=SETTLE_SECONDS)
        disturb()
    finally:
        posting.until.set()
        posting.join()
    assert posting.failed == [], "no POST fails because the broker is unavailable"
    took = time.monotonic() - started
    installation.note("written meanwhile", f"{len(posting.posts)} posts, {len(posting.posts) / took:.0f} a second")
    return posting.posts


@pytest.mark.parametrize("brokered", ["rabbitmq", "redis"], indirect=True)
def test_broker_down(brokered: Installation) -> None:
    installation = brokered
    authors = _people(installation)
    lasting = not isinstance(installation.broker, Redis)
    if lasting:
        installation.kill("beat")  # so that only the relay can send events; Redis loses some, for the reconciler

    def disturb() -> None:
        installation.broker.kill()
        time.sleep(DOWN_SECONDS)

    posts = _while_posting(installation, authors, disturb)
    installation.broker.start()
    installation.within(DRAIN_SECONDS, lambda: installation.arrived(posts), f"drained after {DOWN_SECONDS} s down")
    if lasting:
        installation.start("beat")
    installation.assert_all_agree(posts, authors)


@ONLY_FULL  # test_network.py has an unreachable broker whose connections stay dead
@pytest.mark.parametrize("brokered", ["rabbitmq", "redis"], indirect=True)
def test_broker_hangs(brokered: Installation) -> None:
    installation = brokered
    authors = _people(installation)

    def disturb() -> None:
        with installation.broker.hung():
            time.sleep(DOWN_SECONDS)

    posts = _while_posting(installation, authors, disturb)
    installation.within(DRAIN_SECONDS, lambda: installation.arrived(posts), f"drained after {DOWN_SECONDS} s hung")
    installation.assert_all_agree(posts, authors)


def _come_back_empty(installation: Installation) -> None:
    installation.broker.kill()
    installation.broker.forget_everything()
    installation.broker.start()


def _flush(installation: Installation) -> None:
    """It keeps running but loses everything: messages, queues and bindings."""
    if isinstance(installation.broker, Redis):
        installation.broker.flush()
    else:
        drop_queues(installation.broker.url, "")


@pytest.mark.parametrize(
    ("brokered", "lose"),
    [
        ("rabbitmq", _come_back_empty),
        pytest.param("rabbitmq", _flush, marks=ONLY_FULL),
        pytest.param("redis", _come_back_empty, marks=ONLY_FULL),
        ("redis", _flush),
    ],
    indirect=["brokered"],
)
def test_broker_loses_messages_queues_and_bindings(
    brokered: Installation, lose: Callable[[Installation], None], tmp_path: Path
) -> None:
    installation = brokered
    ada = installation.join("ada")
    eventually(installation.confirmed, seconds=SETTLE_SECONDS)
    installation.kill("worker")
    records = tmp_path / "posts.jsonl"
    now = datetime.now(UTC).isoformat()
    first = int(time.time() * 1000) << 16
    ids = [first + number for number in range(LOADED_POSTS)]
    with records.open("w") as file:
        for post_id in ids:
            record = {"type": "post", "id": str(post_id), "user_id": ada.id, "content": "x", "created_at": now}
            file.write(json.dumps(record) + "\n")
    installation.manage("load", str(records))
    unsent = "SELECT COUNT(*) FROM faults_posts.bus_outbox WHERE state = 0"
    eventually(lambda: installation.database.number(unsent) == 0, seconds=SETTLE_SECONDS)
    lose(installation)
    installation.start("worker")
    every = f"effects of {LOADED_POSTS} posts that the broker lost"
    installation.within(REBUILD_SECONDS, lambda: installation.posts_count(ada) == LOADED_POSTS, every)
    installation.assert_all_agree([Post(ada, "x", str(post_id), {"id": str(post_id)}) for post_id in ids])
