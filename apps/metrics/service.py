"""What metrics answers to the other contexts."""

from functools import partial

from apps.metrics import actions, queries
from socialapp.contracts.drift import DriftPage
from socialapp.contracts.metrics import DayEngagement
from socialapp.lifecycle.drift import run_stages


class MetricsService:
    """The `Metrics` contract."""

    def overview(self, *, days: int) -> list[DayEngagement]:
        """See `Metrics.overview`."""
        return [DayEngagement(date=day.isoformat(), **numbers) for day, numbers in queries.overview(days=days)]


class MetricsProjections:
    """The `DriftChecks` contract: what posts have brought about, and how many posts authors have."""

    def verify(self, *, repair: bool, after: str, limit: int) -> DriftPage:
        """See `DriftChecks.verify`."""
        stages = {
            "posts": partial(actions.check_posts, repair=repair),
            "authors": partial(actions.check_authors, repair=repair),
            "followers": partial(actions.check_followers, repair=repair),
        }
        return run_stages(stages, after, limit)
