"""The time spans of statistics: the last 24 hours, 30 days or 52 weeks, each divided into equal periods (UTC)."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

SPANS = ("day", "month", "year")
_CUTS = {"day": (24, timedelta(hours=1)), "month": (30, timedelta(days=1)), "year": (52, timedelta(days=7))}


def period_starts(span: str, *, now: datetime) -> list[datetime]:
    """The starts of a span's periods, oldest first; the last period is the current one. KeyError for an unknown
    span."""
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
    """The start of the period that contains a moment, which must not be before the first period."""
    return starts[bisect_right(starts, moment) - 1]
