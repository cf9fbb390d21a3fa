"""`{% engagement_charts %}`: the last 30 days, drawn on the server as SVG for the front page of the admin site."""

from dataclasses import dataclass
from datetime import date

import structlog
from django import template

from socialapp.contracts.metrics import DayEngagement, Metrics
from socialapp.core.errors import Problem
from socialapp.rpc.calls import client

log = structlog.get_logger()
register = template.Library()

DAYS = 30
WIDTH, HEIGHT = 600, 140
_LEFT, _TOP, _BOTTOM = 44, 10, 22  # room for the scale, the topmost label and the dates
_GAP = 3
_SHOWN = (
    ("posts", "Posts"),
    ("comments", "Comments"),
    ("reactions", "Reactions"),
    ("registrations", "Registrations"),
)


@dataclass(frozen=True, slots=True)
class Bar:
    """One day, in the units of the drawing; `value` is what it stands for."""

    x: float
    y: float
    width: float
    height: float
    day: date
    value: int


@dataclass(frozen=True, slots=True)
class Chart:
    """One kind of event over the days; `top` is the value at the upper end of the scale."""

    name: str
    title: str
    total: int
    top: int
    busiest: Bar
    bars: list[Bar]


@register.inclusion_tag("admin/engagement.html")
def engagement_charts() -> dict[str, object]:
    """The charts, and the same numbers as a table; `charts` is empty while metrics does not answer."""
    try:
        days = client(Metrics).overview(days=DAYS)
    except Problem as problem:
        log.warning("admin.no_engagement", error=problem.detail)
        days = []
    charts = [_chart(name, title, days) for name, title in _SHOWN] if days else []
    rows = [(date.fromisoformat(day.date), [getattr(day, name) for name, _ in _SHOWN]) for day in reversed(days)]
    return {
        "charts": charts,
        "rows": rows,
        "titles": [title for _, title in _SHOWN],
        "days": DAYS,
        "width": WIDTH,
        "height": HEIGHT,
        "left": _LEFT,
        "top": _TOP,
        "middle": (_TOP + HEIGHT - _BOTTOM) / 2,
        "base": HEIGHT - _BOTTOM,
    }


def _chart(name: str, title: str, days: list[DayEngagement]) -> Chart:
    values = [int(getattr(day, name)) for day in days]
    top = rounded_up(max(values))
    slot = (WIDTH - _LEFT) / len(days)
    bars = []
    for index, (day, value) in enumerate(zip(days, values, strict=True)):
        height = round(value / top * (HEIGHT - _TOP - _BOTTOM), 1)
        bars.append(
            Bar(
                x=round(_LEFT + index * slot + _GAP / 2, 1),
                y=round(HEIGHT - _BOTTOM - height, 1),
                width=round(slot - _GAP, 1),
                height=height,
                day=date.fromisoformat(day.date),
                value=value,
            )
        )
    return Chart(name, title, sum(values), top, max(bars, key=lambda bar: bar.value), bars)


def rounded_up(value: int) -> int:
    """The next number that makes a good end of a scale and has a whole half: 2, 4, 6, … 16, 20, 40, …"""
    step = 1
    while True:
        for factor in (2, 4, 6, 8, 10, 12, 16):
            if value <= factor * step:
                return factor * step
        step *= 10
