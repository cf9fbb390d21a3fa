"""Graceful stop: on SIGTERM every role finishes or returns its work, and exits within ten seconds."""

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from socialapp.core.contexts import CONTEXTS
from socialapp.runtime.roles import ROLES
from tests.deploy.processes import STOP_SECONDS, Roles, installed, until
from tests.faults.proxy import proxy_to
from tests.scenarios.product import ROOT, Member

_HELD_SECONDS = 1.5
_POSTS = 30


@pytest.fixture(scope="module")
def roles(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Roles]:
    """One installation for all these tests: creating the tables takes longest."""
    with installed(tmp_path_factory.mktemp("stop")) as made:
        yield made


@pytest.fixture
def alice(roles: Roles) -> Iterator[Member]:
    """A registered user, with the web role running."""
    roles.start("web")
    yield roles.product.join("alice")
    if "web" in roles.running:
        roles.stop("web")


@pytest.fixture(autouse=True)
def _none_left_over(roles: Roles) -> Iterator[None]:
    yield
    roles.kill_all()
    roles.running.clear()


def handled(roles: Roles) -> tuple[int, int]:
    """How many new posts notifications has processed, and how many of its inbox entries are duplicates."""
    with_type = "SELECT COUNT(*) FROM bus_inbox WHERE handler = 'notifications.notify_first_followers'"
    twice = "SELECT COUNT(*) FROM (SELECT 1 FROM bus_inbox GROUP BY event_id, handler HAVING COUNT(*) > 1)"
    return roles.number("notifications", with_type), roles.number("notifications", twice)


def indexed(roles: Roles) -> tuple[int, int]:
    """How many new posts search has processed, and how many deliveries it has to retry."""
    taken = "SELECT COUNT(*) FROM bus_inbox WHERE handler = 'search.index_post'"
    return roles.number("search", taken), roles.number("search", "SELECT COUNT(*) FROM bus_failed_delivery")


def posts_in(roles: Roles) -> int:
    return roles.number("posts", "SELECT COUNT(*) FROM bus_outbox WHERE type = 'posts.post_created.v1'")


def start_and_wait_for_the_lock(writing: threading.Thread, roles: Roles) -> None:
    """Starts a request that writes a post, and waits until it is under way: it needs the database of posts first."""
    assert not roles.has_opened("posts", role="web")
    writing.start()
    until(lambda: roles.has_opened("posts", role="web"))


def test_web_finishes_the_request_in_progress(roles: Roles, alice: Member) -> None:
    answers: list[httpx.Response] = []
    with roles.locked("posts"):
        writing = threading.Thread(target=lambda: answers.append(alice.post("/v1/posts", {"content": "slow"})))
        start_and_wait_for_the_lock(writing, roles)
        roles.ask_to_stop("web")
        time.sleep(_HELD_SECONDS)
        assert not answers, "the request must still be under way"
        roles.ask_to_stop("web")  # a second signal, from an impatient operator, changes nothing
    writing.join(STOP_SECONDS)
    code, seconds = roles.wait_for_end("web")
    assert [answer.status_code for answer in answers] == [201]
    assert code == 0
    assert seconds < STOP_SECONDS - _HELD_SECONDS
    assert roles.number("posts", f"SELECT COUNT(*) FROM posts WHERE id = {answers[0].json()['id']}") == 1


def test_web_that_cannot_finish_stops_nevertheless(roles: Roles, alice: Member) -> None:
    with roles.locked("posts"):

        def write() -> None:
            with pytest.raises(httpx.HTTPError):
                alice.post("/v1/posts", {"content": "never"})

        writing = threading.Thread(target=write)
        start_and_wait_for_the_lock(writing, roles)
        _, seconds = roles.stop("web")
        assert seconds < STOP_SECONDS
        writing.join(STOP_SECONDS)
    assert roles.number("posts", "SELECT COUNT(*) FROM posts WHERE content = 'never'") == 0


def give_to_the_broker(roles: Roles, alice: Member, count: int) -> None:
    """Posts whose events wait in the broker when this returns, with neither relay nor worker running."""
    for number in range(count):
        alice.write(f"post {number}")
    roles.start("relay")
    until(lambda: roles.unsent() == 0)
    assert roles.stop("relay")[0] == 0


def wait_for_the_others(roles: Roles) -> None:
    """Waits until all but notifications, whose database is locked, have processed every post: only its batch
    remains.
    """
    takers = (
        ("users", "count_post"),
        ("search", "index_post"),
        ("metrics", "count_post"),
        ("moderation", "check_post"),
    )
    for context, handler in takers:
        taken = f"SELECT COUNT(*) FROM bus_inbox WHERE handler = '{context}.{handler}'"
        until(lambda context=context, taken=taken: roles.number(context, taken) == posts_in(roles), seconds=180)  # type: ignore[misc]
    until(lambda: roles.has_opened("notifications", role="worker"), seconds=60)
    time.sleep(1)  # until it waits for the lock


def everything_arrives_once(roles: Roles, **options: Any) -> None:
    """With all roles running again, every event is handled exactly once."""
    for role in ("relay", "beat"):
        roles.start(role)
    roles.start("worker", **options)
    until(lambda: handled(roles) == indexed(roles) == (posts_in(roles), 0), seconds=90)
    for role in ("beat", "relay", "worker"):
        assert roles.stop(role)[0] == 0, role


def test_a_stopped_worker_neither_loses_nor_duplicates_events(roles: Roles, alice: Member) -> None:
    options: dict[str, Any] = {"WORKER_POOL": "prefork", "WORKER_CONCURRENCY": "2"}
    give_to_the_broker(roles, alice, _POSTS)
    with roles.locked("notifications"):  # a batch stops in the middle of its transaction
        roles.start("worker", **options)
        wait_for_the_others(roles)
        roles.ask_to_stop("worker")
        time.sleep(_HELD_SECONDS)
        assert roles.running["worker"].poll() is None, "the worker must still have work in progress"
        roles.ask_to_stop("worker")  # a second signal, from an impatient operator, changes nothing
    assert roles.wait_for_end("worker")[0] == 0
    assert handled(roles)[1] == 0
    everything_arrives_once(roles, **options)


def test_a_worker_that_cannot_finish_returns_its_messages(roles: Roles, alice: Member) -> None:
    options: dict[str, Any] = {"WORKER_POOL": "threads", "WORKER_CONCURRENCY": "6"}  # periodic tasks take some
    give_to_the_broker(roles, alice, 1)
    with roles.locked("notifications"):
        roles.start("worker", **options)
        wait_for_the_others(roles)
        _, seconds = roles.stop("worker")
        assert 3 < seconds < STOP_SECONDS
    everything_arrives_once(roles, **options)


def test_a_stopping_worker_does_not_wait_for_a_hanging_elasticsearch(roles: Roles, alice: Member) -> None:
    give_to_the_broker(roles, alice, 1)
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        hanging.settimeout(60)
        url = f"http://127.0.0.1:{hanging.getsockname()[1]}"
        roles.start("worker", WORKER_POOL="prefork", ELASTICSEARCH_URL=url, ELASTICSEARCH_SECONDS="60")
        connection, _ = hanging.accept()
        with connection:
            assert connection.recv(1), "its request must be waiting for a response that will not come"
            code, seconds = roles.stop("worker")
    assert (code, seconds < STOP_SECONDS) == (0, True)
    everything_arrives_once(roles, WORKER_POOL="threads")


@pytest.mark.parametrize("role", [*ROLES, "all"])
def test_a_role_that_is_still_loading_stops_at_once(roles: Roles, role: str, tmp_path: Path) -> None:
    """As the first process of a container it would not receive a signal without a handler."""
    (tmp_path / "django_stubs_ext.py").write_text(
        f"import pathlib, time\npathlib.Path({str(tmp_path / 'loading')!r}).touch()\ntime.sleep(120)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "manage.py", "serve", role],
        cwd=ROOT,
        env={**roles.environment, "PYTHONPATH": str(tmp_path)},
        stdin=subprocess.DEVNULL,
    )
    try:
        until((tmp_path / "loading").exists, seconds=60)
        process.send_signal(signal.SIGTERM)
        assert process.wait(STOP_SECONDS) == 0
    finally:
        process.kill()
        process.wait()


def test_a_stopping_relay_sends_the_events_it_has_claimed(roles: Roles, alice: Member) -> None:
    for number in range(_POSTS):
        alice.write(f"waiting {number}")
    assert roles.unsent() >= _POSTS
    roles.start("relay")
    assert roles.stop("relay")[0] == 0
    claimed = "SELECT COUNT(*) FROM bus_outbox WHERE state = 0 AND claim <> 0"
    assert sum(roles.number(name, claimed) for name in CONTEXTS) == 0, "no event may have to wait until a claim expires"
    everything_arrives_once(roles, WORKER_POOL="threads")


def test_beat_stops_while_a_task_is_being_sent(roles: Roles) -> None:
    if "BROKER_URL" not in roles.environment:
        pytest.skip("the broker is Redis, which sends no confirmations")
    broker = urlsplit(roles.environment["BROKER_URL"])
    with proxy_to(broker.port or 5672) as network:
        url = broker._replace(netloc=broker.netloc.replace(f":{broker.port}", f":{network.port}"))
        roles.start("beat", BROKER_URL=url.geturl())
        sending = threading.Event()

        def note_task(request: bytes) -> bool:
            if b"reconcile" in request:
                network.chunk_bytes, network.delay = 3, 0.05  # the response comes in pieces, each shorter than a header
                sending.set()
            return True

        network.on_request = note_task
        assert sending.wait(60)
        time.sleep(0.2)
        code, seconds = roles.stop("beat")
    assert code == 0
    assert seconds < STOP_SECONDS


def test_sockets_clients_are_asked_to_reconnect(roles: Roles, alice: Member) -> None:
    roles.start("sockets")
    url = f"ws://127.0.0.1:{roles.environment['SOCKETS_PORT']}/ws/notifications/"
    with connect(url, subprotocols=["bearer", alice.access]) as socket:  # type: ignore[list-item]
        assert '"ready"' in str(socket.recv(timeout=60))
        roles.ask_to_stop("sockets")
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=STOP_SECONDS)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code in (1001, 1012), "service restart: clients reconnect"
    code, seconds = roles.wait_for_end("sockets")
    assert code == 0
    assert seconds < STOP_SECONDS


def test_all_roles_under_one_supervisor_stop(roles: Roles, tmp_path: Path) -> None:
    more: dict[str, Any] = {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "metrics")}
    roles.start("all", **more)
    code, seconds = roles.stop("all")
    assert code == 0
    assert seconds < STOP_SECONDS
