"""Reports which events a context has not received yet."""

from itertools import chain

from socialapp.contracts.base import EVENTS
from socialapp.contracts.messaging import EventRef
from socialapp.messaging.envelope import decode
from socialapp.messaging.models import FailedDelivery, InboxEntry, OutboxEvent
from socialapp.messaging.registry import events_of, handlers_of


class ContextInbox:
    """The `Inbox` contract for one context."""

    def __init__(self, context: str) -> None:
        self.context = context

    def missing(self, *, events: list[EventRef]) -> list[int]:
        """See `Inbox.missing`; one query for the handled ones and one for the failed ones."""
        # Of another release, which may have a handler for it: to be sent again until that release runs here, too.
        unknown = [event.id for event in events if event.type not in EVENTS]
        listened = set(events_of(self.context))
        wanted = {event.id: event.type for event in events if event.type in listened}
        if not wanted:
            return unknown
        settled = known_deliveries(self.context, event_ids=list(wanted))
        return unknown + [
            event_id
            for event_id, event_type in wanted.items()
            if any((event_id, handler.name) not in settled for handler in handlers_of(self.context, event=event_type))
        ]

    def in_flight(self) -> list[int]:
        """See `Inbox.in_flight`; two queries."""
        unconfirmed = OutboxEvent.objects.using(self.context).filter(state__lt=OutboxEvent.State.CONFIRMED)
        failed = FailedDelivery.objects.using(self.context).all()
        texts = chain.from_iterable(rows.values_list("envelope", flat=True) for rows in (unconfirmed, failed))
        ids: set[int] = set()
        for envelope in map(decode, texts):
            ids.update((int(envelope.subject), int(envelope.partitionkey)))
        return sorted(ids)


def known_deliveries(context: str, *, event_ids: list[int]) -> set[tuple[int, str]]:
    """The (event, handler) pairs of `context` that are handled, or recorded as failed and thus retried."""
    pairs: set[tuple[int, str]] = set()
    for model in (InboxEntry, FailedDelivery):
        rows = model.objects.using(context).filter(event_id__in=event_ids)
        pairs.update(rows.values_list("event_id", "handler"))
    return pairs
