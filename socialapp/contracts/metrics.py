"""The contract of metrics."""

from typing import Protocol

from socialapp.contracts.base import data, event, read, service


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
    impressions: int = 0


@data
class PostEngagement:
    """The net engagement with a post, over all time."""

    post_id: int
    reactions: int
    comments: int
    reposts: int


@data
class TrendingPost:
    """A post and how much it is engaged with now; scores can be compared with one another only."""

    post_id: int
    score: float


@event("metrics.engagement_changed", subject="batch_id")
class EngagementChanged:
    """The engagement with these posts, as of the last roll-up. Of two events about one post the later one is right."""

    batch_id: int
    counts: list[PostEngagement]


@service("metrics")
class Metrics(Protocol):
    """Served by metrics."""

    @read
    def overview(self, *, days: int) -> list[DayEngagement]:
        """Exactly `days` days up to today, oldest first, including days without activity."""
        ...

    @read
    def hours(self, *, hours: int) -> list[DayEngagement]:
        """Like `overview`, by hours: `date` is the start of the hour."""
        ...

    @read
    def engagement(self, *, post_ids: list[int]) -> list[PostEngagement]:
        """The present engagement with each of these posts."""
        ...

    @read
    def trending_posts(self, *, limit: int) -> list[TrendingPost]:
        """The posts with the most engagement now, highest score first, whoever may see them."""
        ...
