"""Answers which events a context has not had yet."""

from socialapp.bus.models import FailedDelivery, InboxEntry
from socialapp.bus.registry import events_of, handlers_of
from socialapp.contracts.bus import EventRef


class ContextInbox:
    """The `Inbox` contract for one context."""

    def __init__(self, context: str) -> None:
        self.context = context

    def missing(self, *, events: list[EventRef]) -> list[int]:
        """See `Inbox.missing`; one query for the handled ones and one for the failed ones."""
        listened = set(events_of(self.context))
        wanted = {event.id: event.type for event in events if event.type in listened}
        if not wanted:
            return []
        settled = known_deliveries(self.context, list(wanted))
        return [
            event_id
            for event_id, event_type in wanted.items()
            if any((event_id, handler.name) not in settled for handler in handlers_of(self.context, event_type))
        ]


def known_deliveries(context: str, event_ids: list[int]) -> set[tuple[int, str]]:
    """Which (event, handler) pairs of `context` are handled, or noted as failed and so looked after."""
    pairs: set[tuple[int, str]] = set()
    for model in (InboxEntry, FailedDelivery):
        rows = model.objects.using(context).filter(event_id__in=event_ids)
        pairs.update(rows.values_list("event_id", "handler"))
    return pairs
