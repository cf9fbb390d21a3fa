"""What metrics tells and answers."""

from typing import Protocol

from socialapp.contracts.base import data, event, read, service


@event("metrics.user_erased", subject="user_id")
class MetricsErased:
    """metrics has erased its part."""

    user_id: int
    erasure_id: int


@event("metrics.erasure_continued", subject="user_id")
class MetricsErasureContinued:
    """metrics has erased a part and goes on with the next; heard by metrics itself."""

    user_id: int
    erasure_id: int


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
