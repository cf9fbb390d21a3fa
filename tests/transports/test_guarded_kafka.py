"""A Kafka that wants passwords (SCRAM) over TLS: what KAFKA_URL tells librdkafka is enough, and less is not."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.processes import installed, until
from tests.transports.broker_harness import PATIENCE, BrokerHarness, GuardedKafka


@pytest.fixture(autouse=True)
def _empty_redis() -> None:
    """Nothing of these tests is in the test process' own Redis database."""


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedKafka]:
    """The server."""
    pytest.importorskip("confluent_kafka", reason="Kafka's client is not installed")
    server = GuardedKafka(tmp_path_factory.mktemp("guarded"))
    try:
        server.start()
    except AssertionError as error:
        pytest.skip(f"Kafka cannot be had here: {error}")
    yield server
    server.stop()


@pytest.fixture
def harness(kafka: GuardedKafka, tmp_path: Path) -> Iterator[BrokerHarness]:
    """With nothing running yet."""
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
