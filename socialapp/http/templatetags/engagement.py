"""`{% engagement_charts span %}`: everybody's activity over time, for the front page of the admin site."""

from datetime import datetime

import structlog
from django import template
from django.utils import timezone

from socialapp.contracts.metrics import DayEngagement, Metrics
from socialapp.core.errors import Problem
from socialapp.core.periods import period_of, period_starts
from socialapp.http.charts import draw
from socialapp.rpc.calls import client

log = structlog.get_logger()
register = template.Library()

_SHOWN = (
    ("posts", "Posts"),
    ("comments", "Comments"),
    ("reactions", "Reactions"),
    ("registrations", "Registrations"),
)


@register.inclusion_tag("admin/engagement.html")
def engagement_charts(span: str) -> dict[str, object]:
    """The charts, and the same numbers as a table; `charts` is empty while metrics is unavailable."""
    starts = period_starts(span, now=timezone.now())
    try:
        days = client(Metrics).hours(hours=len(starts)) if span == "day" else _days(starts)
    except Problem as problem:
        log.warning("admin.no_engagement", error=problem.detail)
        return {"charts": []}
    return {
        "charts": [
            draw(n, title=title, span=span, starts=starts, values=_summed(n, days, starts)) for n, title in _SHOWN
        ]
    }


def _days(starts: list[datetime]) -> list[DayEngagement]:
    return client(Metrics).overview(days=(timezone.now().date() - starts[0].date()).days + 1)


def _summed(name: str, days: list[DayEngagement], starts: list[datetime]) -> list[int]:
    sums = dict.fromkeys(starts, 0)
    for day in days:
        moment = datetime.fromisoformat(day.date)
        moment = moment.replace(tzinfo=starts[0].tzinfo) if moment.tzinfo is None else moment
        if moment >= starts[0]:
            sums[period_of(moment, starts=starts)] += int(getattr(day, name))
    return list(sums.values())
