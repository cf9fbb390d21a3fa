"""What every context answers that holds something made from elsewhere: does it still equal its source?"""

from typing import Protocol

from socialapp.contracts.base import data, within, write

# The contexts that hold such things, in the order in which they are compared.
PROJECTING = ("users", "posts", "comments", "reactions", "notifications", "search", "metrics", "moderation")


@data
class Drift:
    """Something that differs from its source: which projection, of what id, what it holds and what it should hold."""

    projection: str
    id: int
    held: str
    actual: str


@data
class DriftPage:
    """One step: how many things were compared, and how many left out because events about them are under way.

    `next` is where the next step starts; None: this was the last.
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
        """Compares up to `limit` things behind the position `after` ("" is the start), and corrects them if `repair`.

        Safe while people write: what changes meanwhile is neither reported nor repaired wrongly.
        """
        ...
