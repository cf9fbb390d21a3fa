"""Reading published events, and delivering events as the broker would."""

from socialapp.core.ids import new_id
from socialapp.messaging.delivery import deliver
from socialapp.messaging.envelope import Envelope, decode, wrap
from socialapp.messaging.models import FailedDelivery, OutboxEvent


def published_by(producer: str, event_type: str = "") -> list[Envelope]:
    """The events that a context published whose type starts with the prefix, in order."""
    rows = OutboxEvent.objects.using(producer).filter(type__startswith=event_type).order_by("id")
    return [decode(row.envelope) for row in rows]


def deliver_events_to(context: str, *events: object) -> None:
    """Delivers events to a context in one batch, each as if it were new; none may fail."""
    deliver(context, envelopes=[wrap(event, event_id=new_id()) for event in events])
    failed = list(FailedDelivery.objects.using(context).values())
    assert not failed, failed
