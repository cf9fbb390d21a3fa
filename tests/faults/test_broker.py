"""The broker goes away, hangs, or comes back empty: writing goes on, and every effect comes, once."""

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.faults.installation import Installation, Post
from tests.faults.servers import Redis
from tests.scenarios.product import Member, eventually

DOWN_SECONDS = float(os.environ.get("FAULTS_BROKER_SECONDS", "8"))
POSTS_A_SECOND = 20
LOADED_POSTS = int(os.environ.get("FAULTS_LOADED_POSTS", "1000"))
DRAIN_SECONDS = 30
REBUILD_SECONDS = 60


@pytest.fixture(scope="module")
def redis_broker(folder: Path) -> Iterator[Redis]:
    server = Redis(folder, "broker")
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=["rabbitmq", "redis"])
def brokered(request: pytest.FixtureRequest, town: Installation) -> Iterator[Installation]:
    """The installation on each kind of broker, all that it had to do done."""
    eventually(town.confirmed, seconds=60)
    if request.param == "rabbitmq":
        yield town
        return
    rabbitmq = town.broker
    town.broker = request.getfixturevalue("redis_broker")
    town.environment["BROKER_URL"] = town.broker.url
    town.run_only("web")
    town.run_only("web", "relay", "worker", "beat")
    yield town
    town.broker, town.environment["BROKER_URL"] = rabbitmq, rabbitmq.url
    town.run_only("web")


def _post_steadily(town: Installation, authors: list[Member], until: threading.Event) -> tuple[list[Post], list[int]]:
    """20 posts a second; the posts, and what was answered other than 201."""
    posts: list[Post] = []
    failed: list[int] = []
    started = time.monotonic()
    while not until.is_set():
        post = Post(authors[len(posts) % len(authors)], f"post {len(posts)}", f"key-{len(posts)}")
        posts.append(post)
        answer = town.send(post)
        if answer.status_code != 201:
            failed.append(answer.status_code)
        until.wait(max(0.0, started + len(posts) / POSTS_A_SECOND - time.monotonic()))
    return posts, failed


def _while_posting(town: Installation, authors: list[Member], disturb: Callable[[], None]) -> list[Post]:
    """Has people post while `disturb` runs; none of it may fail."""
    until = threading.Event()
    outcome: list[tuple[list[Post], list[int]]] = []
    thread = threading.Thread(target=lambda: outcome.append(_post_steadily(town, authors, until)))
    thread.start()
    try:
        time.sleep(1)
        disturb()
    finally:
        until.set()
        thread.join(30)
    posts, failed = outcome[0]
    assert failed == [], "no POST fails because the broker is away"
    return posts


def _assert_all_counted(town: Installation, authors: list[Member], posts: list[Post], *, seconds: float) -> None:
    expected = {author.id: sum(post.author is author for post in posts) for author in authors}
    eventually(lambda: {author.id: town.posts_count(author) for author in authors} == expected, seconds=seconds)
    eventually(town.settled, seconds=seconds)
    town.assert_each_written_once(posts)
    eventually(town.confirmed, seconds=60)
    assert {author.id: town.posts_count(author) for author in authors} == expected, "nothing counted twice"
    town.assert_nothing_twice()


def test_broker_down(brokered: Installation) -> None:
    town = brokered
    authors = [town.join(name) for name in ("ada", "bob")]
    town.kill("beat")  # so that nothing but the relay helps

    def disturb() -> None:
        town.broker.kill()
        time.sleep(DOWN_SECONDS)

    posts = _while_posting(town, authors, disturb)
    assert len(posts) > DOWN_SECONDS * POSTS_A_SECOND / 4
    town.broker.start()
    town.start("beat")
    _assert_all_counted(town, authors, posts, seconds=DRAIN_SECONDS)


def test_broker_hangs(brokered: Installation) -> None:
    town = brokered
    authors = [town.join(name) for name in ("ada", "bob")]

    def disturb() -> None:
        with town.broker.hung():
            time.sleep(DOWN_SECONDS)

    posts = _while_posting(town, authors, disturb)
    _assert_all_counted(town, authors, posts, seconds=DRAIN_SECONDS)


def test_broker_comes_back_empty(brokered: Installation, tmp_path: Path) -> None:
    town = brokered
    ada = town.join("ada")
    eventually(town.confirmed, seconds=60)
    town.kill("worker")
    records = tmp_path / "posts.jsonl"
    now = datetime.now(UTC).isoformat()
    first = int(time.time() * 1000) << 16
    with records.open("w") as file:
        for number in range(LOADED_POSTS):
            record = {"type": "post", "id": str(first + number), "user_id": ada.id, "content": "x", "created_at": now}
            file.write(json.dumps(record) + "\n")
    town.manage("load", str(records))
    unsent = "SELECT COUNT(*) FROM faults_posts.bus_outbox WHERE state = 0"
    eventually(lambda: town.database.number(unsent) == 0, seconds=60)
    town.broker.kill()
    town.broker.forget_everything()
    town.broker.start()
    town.start("worker")
    eventually(lambda: town.posts_count(ada) == LOADED_POSTS, seconds=REBUILD_SECONDS)
    eventually(town.confirmed, seconds=REBUILD_SECONDS)
    assert town.posts_count(ada) == LOADED_POSTS
    town.assert_nothing_twice()
