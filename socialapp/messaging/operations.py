"""Operations on the bus: its state, dead letters, and replaying them."""

from dataclasses import dataclass

from django.db.models import Count, Min
from django.utils import timezone

from socialapp.messaging.models import FailedDelivery, OutboxEvent
from socialapp.messaging.publish import wake_relay

_LISTED = 1000


@dataclass(frozen=True, slots=True)
class BusStatus:
    """The bus of one context: its outbox by state, the age of its oldest unsent event, its failed deliveries."""

    context: str
    new: int
    sent: int
    confirmed: int
    oldest_new_seconds: float
    failed: int
    dead: int


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A delivery that is no longer retried."""

    context: str
    event: int
    type: str
    handler: str
    attempts: int
    failed_at: str
    error: str


def status(context: str) -> BusStatus:
    """The state of the events of `context`; three queries."""
    outbox = OutboxEvent.objects.using(context)
    counts = dict(outbox.values_list("state").annotate(Count("id")))
    oldest = outbox.filter(state=OutboxEvent.State.NEW).aggregate(oldest=Min("created_at"))["oldest"]
    deliveries = dict(FailedDelivery.objects.using(context).values_list("dead").annotate(Count("id")))
    return BusStatus(
        context=context,
        new=counts.get(OutboxEvent.State.NEW, 0),
        sent=counts.get(OutboxEvent.State.SENT, 0),
        confirmed=counts.get(OutboxEvent.State.CONFIRMED, 0),
        oldest_new_seconds=round((timezone.now() - oldest).total_seconds(), 1) if oldest else 0.0,
        failed=deliveries.get(False, 0),
        dead=deliveries.get(True, 0),
    )


def dead_letters(context: str) -> list[DeadLetter]:
    """The dead deliveries of `context`, oldest first, at most a thousand."""
    rows = FailedDelivery.objects.using(context).filter(dead=True).order_by("id")[:_LISTED]
    return [
        DeadLetter(context, row.event_id, row.type, row.handler, row.attempts, row.failed_at.isoformat(), row.error)
        for row in rows
    ]


def replay(context: str, *, event_id: int | None = None) -> int:
    """Makes failed and dead deliveries of `context` due now, of one event or all; returns how many. Idempotent.

    The relay sends them at its next poll; one that fails again starts a new series of retries.
    """
    rows = FailedDelivery.objects.using(context).all()
    if event_id is not None:
        rows = rows.filter(event_id=event_id)
    due = rows.update(dead=False, attempts=0, retry_at=timezone.now())
    if due:
        wake_relay(context)
    return due
