"""The Kafka transport, as far as it can be tested without a server; tests/transports uses a real one."""

import threading
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException
from django.utils import timezone

from socialapp.contracts.base import EVENTS
from socialapp.core.contexts import CONTEXTS
from socialapp.messaging.envelope import Envelope, encode
from socialapp.messaging.models import OutboxEvent
from socialapp.messaging.registry import events_of
from socialapp.messaging.transports import kafka


def test_the_url_contains_servers_and_any_setting_of_librdkafka(settings: Any) -> None:
    settings.KAFKA_URL = "kafka://a:9092,b:9093?security.protocol=SASL_SSL&sasl.password=p%2B%26q"
    options = kafka.configuration(acks="all")
    assert options.pop("logger").name == "socialapp.kafka"
    assert options == {
        "bootstrap.servers": "a:9092,b:9093",
        "security.protocol": "SASL_SSL",
        "sasl.password": "p+&q",
        "acks": "all",
    }


class Broken:
    """A producer that has failed permanently, as after a gap in its sequence numbers."""

    def produce(self, *arguments: Any, **more: Any) -> None:
        raise KafkaException(KafkaError(KafkaError._FATAL))

    def purge(self) -> None:
        """Its queue is empty."""


def test_a_producer_that_failed_permanently_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka, "_own", threading.local())
    kafka._own.producer = Broken()
    envelope = Envelope(
        id=1, source="/a", type="x", subject="1", time=timezone.now(), partitionkey="1", sequence=1, data={}
    )
    event = OutboxEvent(type="posts.post_created.v1", envelope=encode(envelope))
    with pytest.raises(KafkaException):
        kafka.send([event])
    assert not hasattr(kafka._own, "producer"), "the next attempt creates another producer"


@pytest.mark.parametrize("context", CONTEXTS)
def test_a_context_reads_the_topics_of_the_producers_it_handles(context: str) -> None:
    producers = {EVENTS[event].producer for event in events_of(context)}
    assert kafka.topics_for(context) == sorted(f"events.{producer}" for producer in producers)
    assert kafka.group_of(context) == f"socialapp.{context}"


def test_lag_is_counted_from_the_committed_offset_or_the_oldest_message(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kafka, "topics_for", lambda context: ["events.posts"])
    first = {("events.posts", 0): 10, ("events.posts", 1): 0, ("events.users", 0): 0}
    last = {("events.posts", 0): 25, ("events.posts", 1): 7, ("events.users", 0): 99}
    assert kafka.behind("search", taken={("events.posts", 1): 4}, first=first, last=last) == 15 + 3
