"""Kafka as the transport of events: one topic per producing context, one consumer group per consuming context.

A message is one event in CloudEvents' structured mode. Its key is the event's partition key, so that a context's events
about the same object stay in order. The settings are documented in librdkafka's CONFIGURATION.md.
"""

import logging
import os
import threading
from collections.abc import Sequence
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from confluent_kafka import (
    Consumer,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec  # type: ignore[attr-defined]
from django.conf import settings

from socialapp.contracts.base import EVENTS
from socialapp.core.contexts import CONTEXTS, served
from socialapp.messaging.envelope import decode
from socialapp.messaging.models import OutboxEvent
from socialapp.messaging.registry import events_of

SEND_SECONDS = 5.0
ADMIN_SECONDS = 5.0
# Kept only briefly because of erasure: events that consumers miss for longer are sent again by the reconciler. Messages
# may be as large as the largest event, whatever the broker's default limit is.
_TOPIC = {"retention.ms": "86400000", "segment.ms": "3600000", "max.message.bytes": "1048588"}
_HEADERS: list[tuple[str, str | bytes | None]] = [("content-type", "application/cloudevents+json; charset=UTF-8")]
Offsets = dict[tuple[str, int], int]  # by topic and partition
_own = threading.local()
log = logging.getLogger("socialapp.kafka")


class NotTaken(Exception):
    """Kafka did not confirm all events in time."""


def configuration(**more: Any) -> dict[str, Any]:
    """The configuration of every client: servers from `KAFKA_URL`, and librdkafka's settings from its query."""
    url = urlsplit(settings.KAFKA_URL)
    return {"bootstrap.servers": url.netloc, "logger": log, **dict(parse_qsl(url.query)), **more}


def topic_of(context: str) -> str:
    """The topic of everything that `context` publishes."""
    return f"{settings.QUEUE_PREFIX}events.{context}"


def group_of(context: str) -> str:
    """The consumer group of the processes that serve `context`, which share its events."""
    return f"{settings.QUEUE_PREFIX}socialapp.{context}"


def topics_for(context: str) -> list[str]:
    """The topics with events that `context` listens to."""
    return sorted({topic_of(EVENTS[event].producer) for event in events_of(context)})


def make_topics() -> None:
    """Creates the topics that are missing, with the cluster's default number of replicas. Idempotent."""
    there = _admin().list_topics(timeout=ADMIN_SECONDS).topics
    wanted = [
        NewTopic(topic_of(name), num_partitions=settings.KAFKA_PARTITIONS, replication_factor=-1, config=_TOPIC)
        for name in CONTEXTS
        if topic_of(name) not in there
    ]
    if not wanted:
        return
    for made in _admin().create_topics(wanted, request_timeout=ADMIN_SECONDS).values():
        try:
            made.result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise


def send(events: Sequence[OutboxEvent]) -> None:
    """Sends events in this order and waits until all in-sync replicas have them; raises if that takes too long."""
    producer = _producer()
    try:
        _produce(producer, events)
    except Exception:
        producer.purge()
        del _own.producer  # after it has given up on an event it must not be used: its sequence has a gap
        raise


def _produce(producer: Producer, events: Sequence[OutboxEvent]) -> None:
    failures: list[KafkaError] = []

    def note(error: KafkaError | None, message: Message) -> None:
        if error is not None:
            failures.append(error)

    for event in events:
        envelope = decode(event.envelope)
        topic = topic_of(event.type.partition(".")[0])  # the type may be one that only the next release knows
        producer.produce(topic, event.envelope, envelope.partitionkey, on_delivery=note, headers=_HEADERS)
    left = producer.flush(SEND_SECONDS + 1)
    if failures or left:
        raise NotTaken(f"{len(failures) + left} of {len(events)} events were not taken: {failures[:1]}")


def _producer() -> Producer:
    """This thread's producer, so that flushing it does not wait for other threads' events."""
    if not hasattr(_own, "producer"):
        _own.producer = Producer(
            configuration(
                **{
                    "acks": "all",
                    "enable.idempotence": True,
                    "linger.ms": 0,
                    "message.timeout.ms": int(SEND_SECONDS * 1000),
                }
            )
        )
    return _own.producer  # type: ignore[no-any-return]


def consumer(context: str) -> Consumer:
    """A new member of the group of `context`; it commits only when told to."""
    joined = Consumer(
        configuration(
            **{
                "group.id": group_of(context),
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "partition.assignment.strategy": "cooperative-sticky",
                "session.timeout.ms": 10_000,  # how long the events of a killed member wait
                "topic.metadata.refresh.interval.ms": 10_000,
            }
        )
    )
    joined.subscribe(topics_for(context))
    return joined


def lag() -> dict[str, int]:
    """For each served context, the number of events in its topics that its group has not taken yet."""
    admin = _admin()
    topics = admin.list_topics(timeout=ADMIN_SECONDS).topics
    partitions = [
        TopicPartition(name, number)
        for name in map(topic_of, CONTEXTS)
        if name in topics
        for number in topics[name].partitions
    ]
    first = _offsets(partitions, OffsetSpec.earliest())  # type: ignore[no-untyped-call]
    last = _offsets(partitions, OffsetSpec.latest())  # type: ignore[no-untyped-call]
    return {
        context.name: behind(context.name, taken=_taken(context.name), first=first, last=last) for context in served()
    }


def _offsets(partitions: list[TopicPartition], which: OffsetSpec) -> Offsets:
    asked = _admin().list_offsets(dict.fromkeys(partitions, which), request_timeout=ADMIN_SECONDS)
    return {(place.topic, place.partition): found.result().offset for place, found in asked.items()}


def _taken(context: str) -> Offsets:
    wanted = ConsumerGroupTopicPartitions(group_of(context))
    (asked,) = _admin().list_consumer_group_offsets([wanted], request_timeout=ADMIN_SECONDS).values()
    return {(place.topic, place.partition): place.offset for place in asked.result().topic_partitions or []}


def behind(context: str, *, taken: Offsets, first: Offsets, last: Offsets) -> int:
    """The number of messages between what a group has taken (or the oldest one kept) and the ends of the topics it
    reads."""
    topics = topics_for(context)
    return sum(end - max(taken.get(place, 0), first[place]) for place, end in last.items() if place[0] in topics)


def check(seconds: float) -> None:
    """Raises unless a broker responds."""
    _admin().list_topics(timeout=seconds)


def _admin() -> AdminClient:
    """This process's client for everything but events; created again after a fork, as its threads are not inherited."""
    return _admin_of(settings.KAFKA_URL, os.getpid())


@cache
def _admin_of(url: str, pid: int) -> AdminClient:
    return AdminClient(configuration())
