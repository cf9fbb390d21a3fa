"""What every context answers about its events and deliveries, so that it can be proved that nothing was lost."""

from datetime import datetime
from typing import Protocol

from socialapp.contracts.base import data, read, write


@data
class EventRef:
    """One event, by id and type."""

    id: int
    type: str


class Inbox(Protocol):
    """Served by every context under its own name."""

    @write
    def missing(self, *, events: list[EventRef]) -> list[int]:
        """Which of `events` this context listens to, or does not know, and has neither handled nor noted as failed."""
        ...

    @read
    def in_flight(self) -> list[int]:
        """What the events are about (their subjects and partition keys) that are not known to have arrived everywhere.

        Those that this context has published, and those that it has failed to take.
        """
        ...


@data
class Published:
    """An event that a request has caused, as its producer keeps it; `cause`: the event whose handler published it."""

    id: int
    type: str
    subject: str
    state: str  # new, sent, confirmed
    published_at: datetime
    sent_at: datetime | None
    cause: int  # 0: the request itself


@data
class Received:
    """What a handler has made of an event."""

    event: int
    handler: str
    outcome: str  # handled, failed (tried again), dead, waiting
    at: datetime | None
    attempts: int
    error: str


class RequestTraces(Protocol):
    """Served by every context under its own name: what its tables still know of a request."""

    @read
    def published(self, *, request_id: str) -> list[Published]:
        """The events of this context that the request has caused, the oldest first; at most ten thousand."""
        ...

    @write
    def received(self, *, events: list[EventRef]) -> list[Received]:
        """What the handlers of this context have made of events; none for those that it does not listen to."""
        ...
