"""The services that metrics provides to the other contexts."""

from functools import partial

from apps.metrics import actions, queries
from socialapp.contracts.drift import DriftPage
from socialapp.contracts.metrics import DayEngagement, PostEngagement, TrendingPost
from socialapp.demo.filling import TableFiller
from socialapp.lifecycle.drift import run_comparisons


class MetricsService:
    """The `Metrics` contract."""

    def overview(self, *, days: int) -> list[DayEngagement]:
        """See `Metrics.overview`."""
        return [DayEngagement(date=day.isoformat(), **numbers) for day, numbers in queries.overview(days=days)]

    def hours(self, *, hours: int) -> list[DayEngagement]:
        """See `Metrics.hours`."""
        return [DayEngagement(date=hour.isoformat(), **numbers) for hour, numbers in queries.hours(hours=hours)]

    def engagement(self, *, post_ids: list[int]) -> list[PostEngagement]:
        """See `Metrics.engagement`."""
        held = queries.stored_engagement(post_ids)
        return [PostEngagement(post_id=post_id, **numbers) for post_id, numbers in held.items()]

    def trending_posts(self, *, limit: int) -> list[TrendingPost]:
        """See `Metrics.trending_posts`."""
        return [TrendingPost(post_id=post_id, score=score) for post_id, score in queries.trending_posts(limit=limit)]


class MetricsDriftChecks:
    """The `DriftChecks` contract: engagement with posts, and authors' numbers of posts and followers."""

    def verify(self, *, repair: bool, after: str, limit: int) -> DriftPage:
        """See `DriftChecks.verify`."""
        comparisons = {
            "posts": partial(actions.check_posts, repair=repair),
            "authors": partial(actions.check_authors, repair=repair),
            "followers": partial(actions.check_followers, repair=repair),
        }
        return run_comparisons(comparisons, after=after, limit=limit)


# The `PopulationTables` contract.
POPULATION = TableFiller(actions.POPULATION_TABLES)
