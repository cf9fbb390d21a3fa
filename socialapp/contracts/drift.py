"""The contract of drift checks: every context with derived data compares it with its source."""

from typing import Protocol

from socialapp.contracts.base import data, within, write

# The contexts with derived data, in the order in which they are compared.
PROJECTING = ("users", "posts", "comments", "reactions", "notifications", "search", "metrics", "moderation")


@data
class Drift:
    """A difference from the source: which projection, of which id, the stored value and the right one."""

    projection: str
    id: int
    held: str
    actual: str


@data
class DriftPage:
    """One step: how many items were compared, and how many skipped because events about them are in flight.

    `next` is where the next step starts; None after the last one.
    """

    compared: int
    in_flight: int
    drifts: list[Drift]
    next: str | None


class DriftChecks(Protocol):
    """Served by every context named in PROJECTING, under its own name."""

    @write
    @within(30)
    def verify(self, *, repair: bool, after: str, limit: int) -> DriftPage:
        """Compares up to `limit` items after the position `after` ("" is the start), and corrects them if `repair`.

        Safe while people write: concurrent changes are neither reported nor repaired wrongly.
        """
        ...
