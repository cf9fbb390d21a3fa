"""Removes what the bus tables of one context remember of a person: their events hold names, and outlive the rows."""

from socialapp.contracts.base import event_type
from socialapp.messaging.models import FailedDelivery, OutboxEvent


def forget_events(context: str, *, subject: int, events: list[type]) -> int:
    """Removes the published events of these types about `subject`, and failed deliveries of them, from `context`.

    Meant for events that say nothing any more once the deletion of their subject was published. How many rows.
    """
    wanted = {"subject": str(subject), "type__in": [event_type(event).name for event in events]}
    removed, _ = OutboxEvent.objects.using(context).filter(**wanted).delete()
    failed, _ = FailedDelivery.objects.using(context).filter(**wanted).delete()
    return removed + failed
