"""Celery over RabbitMQ, Celery over Redis, Kafka: whatever happens to brokers and workers, each effect comes once."""

import json
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from socialapp.messaging.envelope import MAX_CHARACTERS
from tests.deploy.otlp import Collector, collecting
from tests.deploy.processes import STOP_SECONDS, installed, until
from tests.faults.servers import RabbitMQ, Redis, Server
from tests.transports.tower import PATIENCE, Kafka, Tower

BELLS = range(1, 121)
LOCK_SECONDS = 20


@pytest.fixture(autouse=True)
def _empty_redis() -> None:
    """Nothing of these tests is in the test process' own Redis database."""


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A short path that servers which drop root's rights can enter."""
    path = Path(tempfile.mkdtemp(prefix="transports-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    """Takes the traces of all installations."""
    with collecting() as made:
        yield made


def _kafka(folder: Path) -> Server:
    pytest.importorskip("confluent_kafka", reason="Kafka's client is not installed")
    server = Kafka(folder)
    try:
        server.start()
    except AssertionError as error:
        pytest.skip(f"Kafka cannot be had here: {error}")
    return server


def _server(way: str, folder: Path) -> Server:
    if way == "kafka":
        return _kafka(folder)
    server: Server = RabbitMQ(folder) if way == "rabbitmq" else Redis(folder, "broker")
    server.start()
    return server


def _environment(way: str, server: Server) -> dict[str, str]:
    if way == "kafka":  # with the pool that forks, as on servers: the consumer runs beside it
        return {"KAFKA_URL": server.url, "KAFKA_PARTITIONS": "3", "WORKER_POOL": "prefork", "WORKER_CONCURRENCY": "1"}
    return {"BROKER_URL": server.url}


@pytest.fixture(scope="module", params=["rabbitmq", "redis", "kafka"])
def _tower(request: pytest.FixtureRequest, folder: Path, collector: Collector) -> Iterator[Tower]:
    server = _server(request.param, folder)
    data = folder / f"installation-{request.param}"
    data.mkdir()
    traced = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
    try:
        with installed(data, **_environment(request.param, server), **traced) as roles:
            yield Tower(request.param, roles, server)
    finally:
        server.stop()


@pytest.fixture
def tower(_tower: Tower) -> Iterator[Tower]:
    """With all its roles running, nobody waiting and nothing heard yet."""
    _tower.start("relay", "worker", "beat")
    _tower.forget()
    yield _tower
    _tower.hold.unlink(missing_ok=True)


def test_each_event_takes_effect_once_though_it_is_sent_again(tower: Tower) -> None:
    tower.strike(*BELLS)
    tower.assert_heard_once(BELLS)
    tower.strike_again()
    tower.strike(1000)
    tower.assert_heard_once([*BELLS, 1000])


def test_poison_is_tried_again_and_its_neighbours_arrive(tower: Tower) -> None:
    tower.strike(1, -2, 3)
    tower.assert_heard_once([1, 3])
    tried_again = "SELECT COUNT(*) FROM bus_failed_delivery WHERE subject = '-2' AND attempts > 1"
    until(lambda: tower.roles.number("moderation", tried_again) == 1, seconds=PATIENCE)
    assert sorted(tower.heard()) == [1, 3]
    until(lambda: tower.told('socialapp_delivery_retries_total{context="moderation"}') >= 1, seconds=PATIENCE)
    assert tower.told('socialapp_deliveries_failing{context="moderation"}') == 1
    assert tower.told('socialapp_deliveries_failing_seconds{context="moderation"}') > 1


def test_trace_and_request_go_along(tower: Tower, collector: Collector) -> None:
    """From the event to its handler, and to what the log says of it."""
    trace, parent = secrets.token_hex(16), secrets.token_hex(8)
    tower.strike(5, -6, traceparent=f"00-{trace}-{parent}-01", correlationid="the-request")
    names = {"send metrics.bell_struck.v1", "handle moderation.hear"}
    until(lambda: {span.name for span in collector.trace(trace).values()} == names, seconds=PATIENCE)
    assert {span.parent_span_id.hex() for span in collector.trace(trace).values()} == {parent}
    log = (tower.roles.folder / "worker.log").read_text().splitlines()
    failures = [json.loads(line) for line in log if "bus.handler_failed" in line and "the-request" in line]
    assert {line["traceparent"].split("-")[1] for line in failures} == {trace}


def test_only_those_who_listen_are_sent_what_is_published(tower: Tower) -> None:
    tower.roles.stop("worker")
    tower.strike(1, 2)
    until(lambda: tower.unsent() == 0, seconds=PATIENCE)
    until(lambda: tower.depth("moderation") > 0, seconds=PATIENCE)
    assert tower.depth("search") == 0
    tower.start("worker2", SERVICES="moderation")
    tower.assert_heard_once([1, 2])
    until(lambda: tower.depth("moderation") == 0, seconds=PATIENCE)
    tower.roles.stop("worker2")


def test_a_worker_that_is_killed_in_the_middle_leaves_nothing_half_done(tower: Tower) -> None:
    tower.hold_a_bell(7)
    tower.strike(8, 9)
    tower.kill("worker")
    assert tower.heard() == []
    tower.hold.unlink()
    tower.start("worker")
    tower.assert_heard_once([7, 8, 9])


def test_a_worker_that_is_stopped_finishes_what_it_has(tower: Tower) -> None:
    tower.hold_a_bell(7)
    tower.roles.ask_to_stop("worker")
    time.sleep(0.5)
    tower.hold.unlink()
    code, _ = tower.roles.wait_for_end("worker")
    assert (code, tower.heard()) == (0, [7])


def test_a_worker_that_cannot_finish_hands_back_what_it_has(tower: Tower) -> None:
    tower.hold_a_bell(7)
    code, seconds = tower.roles.stop("worker")
    assert (code, seconds < STOP_SECONDS, tower.heard()) == (0, True, [])
    tower.hold.unlink()
    tower.start("worker")
    tower.assert_heard_once([7])


def test_workers_that_come_and_go_lose_nothing(tower: Tower) -> None:
    tower.strike(*BELLS)
    tower.start("worker2")
    tower.strike(*(bell + 1000 for bell in BELLS))
    tower.roles.stop("worker")
    tower.strike(*(bell + 2000 for bell in BELLS))
    tower.assert_heard_once([*BELLS, *(bell + 1000 for bell in BELLS), *(bell + 2000 for bell in BELLS)])
    tower.start("worker")
    tower.roles.stop("worker2")


def test_a_broker_that_comes_back_empty_delays_events_and_loses_none(tower: Tower) -> None:
    tower.roles.stop("worker")
    tower.strike(*BELLS)
    until(lambda: tower.unsent() == 0, seconds=PATIENCE)
    tower.server.kill()
    tower.server.forget_everything()
    tower.server.start()
    tower.start("worker")
    tower.assert_heard_once(BELLS)


def test_a_broker_that_hangs_keeps_no_relay(tower: Tower) -> None:
    tower.strike(1)
    tower.assert_heard_once([1])
    free = "SELECT COUNT(*) FROM bus_outbox WHERE state = 0 AND claimed_until IS NULL"
    log = tower.roles.folder / "relay.log"
    said = log.stat().st_size
    with tower.server.hung():
        tower.strike(2, 3)
        until(lambda: b'"relay.' in log.read_bytes()[said:], seconds=PATIENCE)
        until(lambda: tower.roles.number("metrics", free) == 2, seconds=PATIENCE)
        assert tower.is_live("relay")
    tower.assert_heard_once([1, 2, 3])
    with tower.server.hung():
        tower.strike(4)
        tower.roles.stop("relay")
    tower.start("relay")
    tower.assert_heard_once([1, 2, 3, 4])


def test_a_locked_database_keeps_no_other_contexts_events(tower: Tower) -> None:
    tower.roles.stop("relay")
    tower.strike(1, context="posts")
    with tower.roles.locked("posts"):
        tower.start("relay")
        tower.strike(2, 3)
        started = time.monotonic()
        tower.assert_heard_once([2, 3])
        assert time.monotonic() - started < LOCK_SECONDS, "a claim waits so long for a lock"
    tower.assert_heard_once([1, 2, 3])


def test_events_with_one_key_arrive_in_order(tower: Tower) -> None:
    if tower.way != "kafka":
        pytest.skip("Celery contract_schemas no order")
    for start in range(0, 200, 10):
        for key in (1, 2, 3):
            tower.strike(*range(start, start + 10), tower=key)
    for key in (1, 2, 3):
        tower.assert_heard_once(range(200), tower=key)
        assert tower.heard(key) == list(range(200))


def test_two_relays_keep_that_order(tower: Tower) -> None:
    """More than one of them claims at a time, from several relays that are killed in between."""
    if tower.way != "kafka":
        pytest.skip("Celery contract_schemas no order")
    tower.start("relay2", "relay3")
    for start in range(0, 3000, 100):
        for key in (1, 2):
            tower.strike(*range(start, start + 100), tower=key)
        if start == 1000:
            tower.kill("relay2")
    for key in (1, 2):
        tower.assert_heard_once(range(3000), tower=key)
        assert tower.heard(key) == list(range(3000))
    tower.roles.stop("relay3")


def test_the_largest_events_arrive(tower: Tower) -> None:
    """In characters of four bytes each, which is as large as one may be."""
    padding = "😀" * (MAX_CHARACTERS - 1000)
    tower.strike(*range(1, 7), padding=padding)
    tower.strike(7)
    tower.assert_heard_once(range(1, 8))


def test_what_the_release_before_does_not_know_waits_for_the_new_one(tower: Tower) -> None:
    """While a release is rolled out, old workers take new events from the queue, and cannot tell who listens."""
    with tower.release_before("relay", "worker", "beat"):
        tower.strike(*BELLS)
        until(lambda: tower.unsent() == 0, seconds=PATIENCE)
        until(lambda: tower.depth("moderation") == 0, seconds=PATIENCE)
        tower.wait_for_the_reconciler()
        assert tower.confirmed() == 0, "nobody may say of what they do not know that it has arrived"
    tower.start("relay", "worker", "beat")
    tower.assert_heard_once(BELLS)
    until(lambda: tower.confirmed() == len(BELLS), seconds=PATIENCE)
