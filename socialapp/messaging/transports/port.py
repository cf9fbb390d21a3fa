"""The transport of events to their consumers: Celery over RabbitMQ or Redis, or Kafka when `KAFKA_URL` is set."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from django.conf import settings

from socialapp.messaging.models import OutboxEvent
from socialapp.messaging.tasks import publish_batch
from socialapp.messaging.transports.celery import declare_queues

BATCH_EVENTS = 100
# JSON in base64 in JSON: a character may take 16 bytes, and RabbitMQ takes messages of 16 MB.
BATCH_CHARACTERS = 500_000


def prepare() -> None:
    """Creates topics or queues, also after a broker lost them; raises after some seconds if the broker does not
    respond."""
    if settings.KAFKA_URL:
        from socialapp.messaging.transports import kafka

        kafka.make_topics()
    else:
        declare_queues()


def keeps_order() -> bool:
    """Whether events about the same object arrive in the order in which they were sent."""
    return bool(settings.KAFKA_URL)


def send(events: Sequence[OutboxEvent]) -> None:
    """Sends events; raises after some seconds unless the broker has confirmed all of them."""
    if settings.KAFKA_URL:
        from socialapp.messaging.transports import kafka

        kafka.send(events)
    else:
        _send_by_celery(events)


def _send_by_celery(events: Sequence[OutboxEvent]) -> None:
    by_type: dict[str, list[str]] = defaultdict(list)
    for event in events:
        by_type[event.type].append(event.envelope)
    for event_type, envelopes in by_type.items():
        for batch in _batches(envelopes):
            publish_batch(event_type, envelopes=batch)


def _batches(envelopes: list[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    left = BATCH_CHARACTERS
    for envelope in envelopes:
        if len(batch) == BATCH_EVENTS or len(envelope) > left:
            yield batch
            batch, left = [], BATCH_CHARACTERS
        batch.append(envelope)
        left -= len(envelope)
    yield batch
