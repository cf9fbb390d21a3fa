"""What metrics tells and answers."""

from typing import Protocol

from socialapp.contracts.base import data, read, service


@data
class DayEngagement:
    """What happened on one day (UTC), everybody together. `date` is ISO 8601."""

    date: str
    posts: int = 0
    comments: int = 0
    reactions: int = 0
    reposts: int = 0
    views: int = 0
    registrations: int = 0


@service("metrics")
class Metrics(Protocol):
    """Served by metrics."""

    @read
    def overview(self, *, days: int) -> list[DayEngagement]:
        """Exactly `days` days up to today, oldest first, quiet ones included."""
        ...
