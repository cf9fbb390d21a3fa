"""The spans that figures are shown for: the last 24 hours, 30 days or 52 weeks, each cut into equal periods (UTC)."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

SPANS = ("day", "month", "year")
_CUTS = {"day": (24, timedelta(hours=1)), "month": (30, timedelta(days=1)), "year": (52, timedelta(days=7))}


def period_starts(span: str, *, now: datetime) -> list[datetime]:
    """When the periods of a span begin, oldest first; the last one is under way. KeyError for an unknown span."""
    count, length = _CUTS[span]
    now = now.astimezone(UTC)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    last = {
        "day": now.replace(minute=0, second=0, microsecond=0),
        "month": midnight,
        "year": midnight - timedelta(days=6),
    }[span]
    return [last - back * length for back in range(count - 1, -1, -1)]


def period_of(moment: datetime, *, starts: Sequence[datetime]) -> datetime:
    """The beginning of the period that holds a moment, which is not before the first."""
    return starts[bisect_right(starts, moment) - 1]
