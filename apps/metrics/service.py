"""What metrics answers to the other contexts."""

from apps.metrics import queries
from socialapp.contracts.metrics import DayEngagement


class MetricsService:
    """The `Metrics` contract."""

    def overview(self, *, days: int) -> list[DayEngagement]:
        """See `Metrics.overview`."""
        return [DayEngagement(date=day.isoformat(), **numbers) for day, numbers in queries.overview(days=days)]
