"""The contracts about events and deliveries that every context serves, to prove that nothing was lost."""

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
        """Those of `events` that this context handles, or does not know, and has neither handled nor recorded as
        failed."""
        ...

    @read
    def in_flight(self) -> list[int]:
        """The subjects and partition keys of events that are not known to have arrived everywhere.

        Of events that this context has published, and of those that it failed to handle.
        """
        ...


@data
class Published:
    """An event caused by a request, from its producer; `cause`: the event whose handler published it."""

    id: int
    type: str
    subject: str
    state: str  # new, sent, confirmed
    published_at: datetime
    sent_at: datetime | None
    cause: int  # 0: the request itself


@data
class Received:
    """The state of an event at one handler."""

    event: int
    handler: str
    outcome: str  # handled, failed (retried), dead, waiting
    at: datetime | None
    attempts: int
    error: str


class RequestTraces(Protocol):
    """Served by every context under its own name: what its tables still contain about a request."""

    @read
    def published(self, *, request_id: str) -> list[Published]:
        """The events of this context that the request has caused, oldest first; at most ten thousand."""
        ...

    @write
    def received(self, *, events: list[EventRef]) -> list[Received]:
        """The states of events at this context's handlers; none for events that it does not handle."""
        ...
