"""What metrics answers to the other contexts."""

from functools import partial

from apps.metrics import actions, queries
from socialapp.bus.verification import in_stages
from socialapp.contracts.metrics import DayEngagement
from socialapp.contracts.projections import Checked


class MetricsService:
    """The `Metrics` contract."""

    def overview(self, *, days: int) -> list[DayEngagement]:
        """See `Metrics.overview`."""
        return [DayEngagement(date=day.isoformat(), **numbers) for day, numbers in queries.overview(days=days)]


class MetricsProjections:
    """The `Projections` contract: what posts have brought about, and how many posts authors have."""

    def verify(self, *, repair: bool, after: str, limit: int) -> Checked:
        """See `Projections.verify`."""
        stages = {
            "posts": partial(actions.check_posts, repair=repair),
            "authors": partial(actions.check_authors, repair=repair),
            "followers": partial(actions.check_followers, repair=repair),
        }
        return in_stages(stages, after, limit)
