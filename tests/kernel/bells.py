"""An event type that only tests of the kernel use, published by one context and handled by another."""

from socialapp.contracts.base import event
from socialapp.core.db import atomic
from socialapp.messaging.envelope import Envelope, decode
from socialapp.messaging.models import OutboxEvent
from socialapp.messaging.publish import publish

PRODUCER, CONSUMER = "metrics", "moderation"


@event("metrics.bell_rung", subject="bell_id")
class BellRung:
    """An event type that only these tests use."""

    bell_id: int


def ring(*bells: int) -> list[Envelope]:
    """Publishes bells in one transaction; returns their envelopes."""
    with atomic(PRODUCER):
        publish(*(BellRung(bell_id=bell) for bell in bells))
    rows = OutboxEvent.objects.using(PRODUCER).filter(type="metrics.bell_rung.v1").order_by("-id")[: len(bells)]
    return [decode(row.envelope) for row in reversed(rows)]
