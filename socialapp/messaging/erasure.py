"""Erases a person from the bus tables of one context: events contain personal data, and outlive the rows."""

from socialapp.contracts.base import event_type
from socialapp.messaging.models import FailedDelivery, OutboxEvent


def forget_events(context: str, *, subject: int, events: list[type]) -> int:
    """Deletes the published events of these types about `subject`, and their failed deliveries, from `context`.

    For events that are meaningless once the deletion of their subject was published. Returns how many rows.
    """
    wanted = {"subject": str(subject), "type__in": [event_type(event).name for event in events]}
    removed, _ = OutboxEvent.objects.using(context).filter(**wanted).delete()
    failed, _ = FailedDelivery.objects.using(context).filter(**wanted).delete()
    return removed + failed


def forget_events_of(context: str, *, author: int, events: list[type]) -> int:
    """Deletes the published events of these types that are partitioned by this person, whatever their subject.

    For content written and deleted long before the person: nothing else leads to it. Reads the whole outbox, which is
    pruned by age. Returns how many rows.
    """
    types = [event_type(event).name for event in events]
    found = OutboxEvent.objects.using(context).filter(type__in=types, envelope__contains=f'"partitionkey":"{author}"')
    ids = list(found.values_list("id", flat=True))
    return OutboxEvent.objects.using(context).filter(id__in=ids).delete()[0] if ids else 0
