"""Kafka with passwords (SCRAM) over TLS: the settings in KAFKA_URL are sufficient, and all are required."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from socialapp.messaging.transports.kafka import configuration
from tests.deploy.processes import installed, until
from tests.transports.broker_harness import PATIENCE, BrokerHarness, GuardedKafka


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedKafka]:
    """The server."""
    pytest.importorskip("confluent_kafka", reason="Kafka's client is not installed")
    server = GuardedKafka(tmp_path_factory.mktemp("guarded"))
    try:
        server.start()
    except AssertionError as error:
        pytest.skip(f"Kafka is not available: {error}")
    yield server
    server.stop()


@pytest.fixture
def harness(kafka: GuardedKafka, tmp_path: Path) -> Iterator[BrokerHarness]:
    """The harness, with no role running yet."""
    with installed(tmp_path, KAFKA_URL=kafka.url, KAFKA_PARTITIONS="2", WORKER_CONCURRENCY="1") as roles:
        yield BrokerHarness("kafka", roles, kafka)


def test_events_wait_for_the_right_password_and_certificate(harness: BrokerHarness, kafka: GuardedKafka) -> None:
    harness.send(1, 2, 3)
    wrong = {
        "password": kafka.url_with(sasl_password="another"),
        "authority": kafka.url_with(ssl_ca_location=""),
        "protocol": kafka.url_with(security_protocol="SASL_PLAINTEXT"),
    }
    for url in wrong.values():
        harness.start("relay", KAFKA_URL=url)
        harness.assert_kept(3, because="relay.broker_away")
        harness.roles.stop("relay")
    harness.start("relay", "worker")
    harness.assert_received_once([1, 2, 3])
    until(lambda: harness.depth("moderation") == 0, seconds=PATIENCE)
    for role in ("relay", "worker"):
        assert "pass&word" not in harness.roles.said(role)


def test_debezium_in_kafka_is_read_from_the_saved_position(
    kafka: GuardedKafka, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from confluent_kafka import Producer
    from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

    from apps.search.actions.capture import CaptureRefused, sources
    from tests.search.recordings import DEBEZIUM

    settings.SEARCH_CDC_URL, settings.SEARCH_CDC_PREFIX = kafka.url, "capture"
    for context in ("posts", "users"):
        monkeypatch.setitem(settings.DATABASES, context, {"NAME": f"social_{context}"})
    (source,) = sources()
    with pytest.raises(CaptureRefused, match="Kafka has none of the topics"):
        source.check()
    settings.KAFKA_URL = kafka.url
    client, topic = configuration(), "capture.social_posts.posts"
    admin = AdminClient(client)
    admin.create_topics([NewTopic(topic, 2, 1)])[topic].result()
    source.check()
    producer = Producer(client)

    def write(*values: bytes | None) -> None:
        for value in values:
            producer.produce(topic, value, b'{"id":1}')
        assert producer.flush(PATIENCE) == 0

    def read(position: str, number: int) -> tuple[list[tuple[bool, bool]], str]:
        found: list[tuple[bool, bool]] = []
        stopping = threading.Event()
        watchdog = threading.Timer(PATIENCE, stopping.set)
        watchdog.start()
        for batch in source.read(position, stopping):
            found += [(bool(change.before), bool(change.after)) for change in batch.changes]
            position = batch.position
            if len(found) >= number:
                break
        watchdog.cancel()
        return found, position

    write(DEBEZIUM[0], DEBEZIUM[1])
    found, position = read(source.start(), 2)
    assert found == [(False, True), (True, True)]
    write(DEBEZIUM[3], None)  # a deletion and its Kafka tombstone
    assert read(position, 1)[0] == [(True, False)], "messages before the saved position are not read again"
