"""Response bodies of metrics."""

from apps.metrics.queries import Totals


def totals_body(numbers: Totals) -> dict[str, object]:
    """The numbers in total and by day."""
    return {**numbers.totals, "by_day": [{"date": day.isoformat(), **of_day} for day, of_day in numbers.by_day]}
