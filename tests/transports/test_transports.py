"""Celery over RabbitMQ, Celery over Redis, and Kafka: every event takes effect once, despite faults of brokers and
workers."""

import json
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from socialapp.messaging.envelope import MAX_CHARACTERS
from tests.deploy.otlp import Collector, collecting
from tests.deploy.processes import STOP_SECONDS, installed, until
from tests.faults.servers import RabbitMQ, Redis, Server
from tests.transports.broker_harness import PATIENCE, BrokerHarness, Kafka

PROBES = range(1, 121)
LOCK_SECONDS = 20


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A short path that servers without root's rights can access."""
    path = Path(tempfile.mkdtemp(prefix="transports-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    """Collects the traces of all installations."""
    with collecting() as made:
        yield made


def _kafka(folder: Path) -> Server:
    pytest.importorskip("confluent_kafka", reason="Kafka's client is not installed")
    server = Kafka(folder)
    try:
        server.start()
    except AssertionError as error:
        pytest.skip(f"Kafka is not available: {error}")
    return server


def _server(way: str, folder: Path) -> Server:
    if way == "kafka":
        return _kafka(folder)
    server: Server = RabbitMQ(folder) if way == "rabbitmq" else Redis(folder, "broker")
    server.start()
    return server


def _environment(way: str, server: Any) -> dict[str, str]:
    if way == "kafka":  # with the prefork pool, as on servers: the consumer runs in a separate process
        return {"KAFKA_URL": server.url, "KAFKA_PARTITIONS": "3", "WORKER_POOL": "prefork", "WORKER_CONCURRENCY": "1"}
    return {"BROKER_URL": server.url}


@pytest.fixture(scope="module", params=["rabbitmq", "redis", "kafka"])
def _harness(request: pytest.FixtureRequest, folder: Path, collector: Collector) -> Iterator[BrokerHarness]:
    server = _server(request.param, folder)
    data = folder / f"installation-{request.param}"
    data.mkdir()
    traced = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
    try:
        with installed(data, **_environment(request.param, server), **traced) as roles:
            yield BrokerHarness(request.param, roles, server)
    finally:
        server.stop()


@pytest.fixture
def harness(_harness: BrokerHarness) -> Iterator[BrokerHarness]:
    """The harness, with all roles running, empty queues and no received probes."""
    _harness.start("relay", "worker", "beat")
    _harness.forget()
    yield _harness
    _harness.hold.unlink(missing_ok=True)


def test_an_event_that_is_sent_again_takes_effect_once(harness: BrokerHarness) -> None:
    harness.send(*PROBES)
    harness.assert_received_once(PROBES)
    harness.send_again()
    harness.send(1000)
    harness.assert_received_once([*PROBES, 1000])


def test_a_failing_event_is_retried_and_does_not_block_others(harness: BrokerHarness) -> None:
    harness.send(1, -2, 3)
    harness.assert_received_once([1, 3])
    tried_again = "SELECT COUNT(*) FROM bus_failed_delivery WHERE subject = '-2' AND attempts > 1"
    until(lambda: harness.roles.number("moderation", tried_again) == 1, seconds=PATIENCE)
    assert sorted(harness.received()) == [1, 3]
    until(lambda: harness.metric('socialapp_delivery_retries_total{context="moderation"}') >= 1, seconds=PATIENCE)
    assert harness.metric('socialapp_deliveries_failing{context="moderation"}') == 1
    assert harness.metric('socialapp_deliveries_failing_seconds{context="moderation"}') > 1


def test_trace_and_request_id_are_propagated(harness: BrokerHarness, collector: Collector) -> None:
    """From the event to its handler and its log lines."""
    trace, parent = secrets.token_hex(16), secrets.token_hex(8)
    harness.send(5, -6, traceparent=f"00-{trace}-{parent}-01", correlationid="the-request")
    names = {"send metrics.probe_sent.v1", "handle moderation.receive"}
    until(lambda: {span.name for span in collector.trace(trace).values()} == names, seconds=PATIENCE)
    assert {span.parent_span_id.hex() for span in collector.trace(trace).values()} == {parent}
    log = (harness.roles.folder / "worker.log").read_text().splitlines()
    failures = [json.loads(line) for line in log if "bus.handler_failed" in line and "the-request" in line]
    assert {line["traceparent"].split("-")[1] for line in failures} == {trace}


def test_events_are_sent_to_their_consumers_only(harness: BrokerHarness) -> None:
    harness.roles.stop("worker")
    harness.send(1, 2)
    until(lambda: harness.unsent() == 0, seconds=PATIENCE)
    until(lambda: harness.depth("moderation") > 0, seconds=PATIENCE)
    assert harness.depth("reactions") == 0
    harness.start("worker2", SERVICES="moderation")
    harness.assert_received_once([1, 2])
    until(lambda: harness.depth("moderation") == 0, seconds=PATIENCE)
    harness.roles.stop("worker2")


def test_a_worker_killed_in_a_transaction_leaves_no_partial_effect(harness: BrokerHarness) -> None:
    harness.hold_at(7)
    harness.send(8, 9)
    harness.kill("worker")
    assert harness.received() == []
    harness.hold.unlink()
    harness.start("worker")
    harness.assert_received_once([7, 8, 9])


def test_a_stopped_worker_finishes_its_current_events(harness: BrokerHarness) -> None:
    harness.hold_at(7)
    harness.roles.ask_to_stop("worker")
    time.sleep(0.5)
    harness.hold.unlink()
    code, _ = harness.roles.wait_for_end("worker")
    assert (code, harness.received()) == (0, [7])


def test_a_stopped_worker_returns_events_that_it_cannot_finish(harness: BrokerHarness) -> None:
    harness.hold_at(7)
    code, seconds = harness.roles.stop("worker")
    assert (code, seconds < STOP_SECONDS, harness.received()) == (0, True, [])
    harness.hold.unlink()
    harness.start("worker")
    harness.assert_received_once([7])


def test_starting_and_stopping_workers_loses_nothing(harness: BrokerHarness) -> None:
    harness.send(*PROBES)
    harness.start("worker2")
    harness.send(*(probe + 1000 for probe in PROBES))
    harness.roles.stop("worker")
    harness.send(*(probe + 2000 for probe in PROBES))
    harness.assert_received_once([*PROBES, *(probe + 1000 for probe in PROBES), *(probe + 2000 for probe in PROBES)])
    harness.start("worker")
    harness.roles.stop("worker2")


def test_a_broker_that_loses_its_data_delays_events_but_loses_none(harness: BrokerHarness) -> None:
    harness.roles.stop("worker")
    harness.send(*PROBES)
    until(lambda: harness.unsent() == 0, seconds=PATIENCE)
    harness.server.kill()
    harness.server.forget_everything()
    harness.server.start()
    harness.start("worker")
    harness.assert_received_once(PROBES)


def test_a_hanging_broker_does_not_block_the_relay(harness: BrokerHarness) -> None:
    harness.send(1)
    harness.assert_received_once([1])
    free = "SELECT COUNT(*) FROM bus_outbox WHERE state = 0 AND claimed_until IS NULL"
    log = harness.roles.folder / "relay.log"
    said = log.stat().st_size
    with harness.server.hung():
        harness.send(2, 3)
        until(lambda: b'"relay.' in log.read_bytes()[said:], seconds=PATIENCE)
        until(lambda: harness.roles.number("metrics", free) == 2, seconds=PATIENCE)
        assert harness.is_live("relay")
    harness.assert_received_once([1, 2, 3])
    with harness.server.hung():
        harness.send(4)
        harness.roles.stop("relay")
    harness.start("relay")
    harness.assert_received_once([1, 2, 3, 4])


def test_a_locked_database_does_not_delay_events_of_other_contexts(harness: BrokerHarness) -> None:
    harness.roles.stop("relay")
    harness.send(1, context="posts")
    with harness.roles.locked("posts"):
        harness.start("relay")
        harness.send(2)
        harness.assert_received_once([2])  # the relay is running: its start must not count below
        harness.send(3)
        started = time.monotonic()
        harness.assert_received_once([2, 3])
        assert time.monotonic() - started < LOCK_SECONDS, "the relay must not wait for the lock"
    harness.assert_received_once([1, 2, 3])


def test_events_with_one_key_arrive_in_order(harness: BrokerHarness) -> None:
    if harness.way != "kafka":
        pytest.skip("Celery does not guarantee the order")
    for start in range(0, 200, 10):
        for key in (1, 2, 3):
            harness.send(*range(start, start + 10), partition=key)
    for key in (1, 2, 3):
        harness.assert_received_once(range(200), partition=key)
        assert harness.received(key) == list(range(200))


def test_several_relays_keep_the_order_of_events_with_one_key(harness: BrokerHarness) -> None:
    """Several relays claim events concurrently, and some are killed."""
    if harness.way != "kafka":
        pytest.skip("Celery does not guarantee the order")
    harness.start("relay2", "relay3")
    for start in range(0, 3000, 100):
        for key in (1, 2):
            harness.send(*range(start, start + 100), partition=key)
        if start == 1000:
            harness.kill("relay2")
    for key in (1, 2):
        harness.assert_received_once(range(3000), partition=key)
        assert harness.received(key) == list(range(3000))
    harness.roles.stop("relay3")


def test_events_of_maximal_size_arrive(harness: BrokerHarness) -> None:
    """In four-byte characters, the largest size that is possible."""
    padding = "😀" * (MAX_CHARACTERS - 1000)
    harness.send(*range(1, 7), padding=padding)
    harness.send(7)
    harness.assert_received_once(range(1, 8))


def test_events_unknown_to_the_old_release_wait_for_the_new_one(harness: BrokerHarness) -> None:
    """During a rollout, old workers take new events from the queue, and do not know which contexts consume them."""
    with harness.release_before("relay", "worker", "beat"):
        harness.send(*PROBES)
        until(lambda: harness.unsent() == 0, seconds=PATIENCE)
        until(lambda: harness.depth("moderation") == 0, seconds=PATIENCE)
        harness.wait_for_the_reconciler()
        assert harness.confirmed() == 0, "an old release must not confirm events that it does not know"
    harness.start("relay", "worker", "beat")
    harness.assert_received_once(PROBES)
    until(lambda: harness.confirmed() == len(PROBES), seconds=PATIENCE)
