"""What every context answers about its deliveries, so that producers can prove that nothing was lost."""

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
        """Which of `events` this context listens to and has neither handled nor noted as failed."""
        ...

    @read
    def under_way(self) -> list[int]:
        """What the events are about (their subjects and partition keys) that are not known to have arrived everywhere.

        Those that this context has published, and those that it has failed to take.
        """
        ...
