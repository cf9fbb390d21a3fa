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


def forget_events_of(context: str, *, author: int, events: list[type]) -> int:
    """Removes the published events of these types that are partitioned by this person, whatever their subject was.

    For what was written and deleted long before the person is: nothing else leads to it. Reads the whole outbox, which
    is pruned by age. How many rows.
    """
    types = [event_type(event).name for event in events]
    found = OutboxEvent.objects.using(context).filter(type__in=types, envelope__contains=f'"partitionkey":"{author}"')
    ids = list(found.values_list("id", flat=True))
    return OutboxEvent.objects.using(context).filter(id__in=ids).delete()[0] if ids else 0
