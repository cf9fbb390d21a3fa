"""`publish(event)`: writes the event to the outbox in the transaction of the change that it describes."""

from django.conf import settings
from django.utils import timezone

from socialapp.contracts.base import event_type
from socialapp.core.db import open_transactions
from socialapp.core.hints import send_after_commit
from socialapp.core.ids import new_id
from socialapp.core.sql import insert
from socialapp.messaging.envelope import MAX_CHARACTERS, Envelope, encode, wrap
from socialapp.messaging.models import OutboxEvent
from socialapp.telemetry import metrics, traces

WAKE_CHANNEL = "bus:wake"
_COLUMNS = ("id", "type", "subject", "envelope", "state", "created_at", "claim", "correlation")


class PublishOutsideTransaction(RuntimeError):
    """An event was published without the transaction that makes it true."""


class EventTooLarge(RuntimeError):
    """An event is larger than brokers accept: it would never leave the outbox, nor would those behind it."""


def publish(*events: object) -> None:
    """Adds events to the outbox of their producer; they take effect if and only if the transaction commits."""
    if not events:
        return
    producer = event_type(type(events[0])).producer
    if producer not in open_transactions():
        raise PublishOutsideTransaction(f"{type(events[0]).__name__} needs `with atomic({producer!r})` around it")
    envelopes = [_envelope(event) for event in events]
    now = timezone.now()
    rows = [
        (one.id, one.type, one.subject, _encoded(one), OutboxEvent.State.NEW.value, now, 0, one.correlationid)
        for one in envelopes
    ]
    insert(producer, model=OutboxEvent, columns=_COLUMNS, rows=rows)
    metrics.count_published(envelope.type for envelope in envelopes)
    wake_relay(producer)


def _envelope(event: object) -> Envelope:
    event_id = new_id()
    with traces.span(f"publish {event_type(type(event)).name}", kind=traces.Kind.PRODUCER, event_id=event_id):
        return wrap(event, event_id=event_id)


def _encoded(envelope: Envelope) -> str:
    text = encode(envelope)
    if len(text) > MAX_CHARACTERS:
        raise EventTooLarge(f"{envelope.type} {envelope.id}: {len(text)} characters, at most {MAX_CHARACTERS}")
    return text


def wake_relay(context: str) -> None:
    """Wakes the relays of `context` after the open transaction's commit. If the message is lost, they find the event by
    polling within a second."""
    send_after_commit(context, ("PUBLISH", f"{settings.REDIS_PREFIX}{WAKE_CHANNEL}", context))
