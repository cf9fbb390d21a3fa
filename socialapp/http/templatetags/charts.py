"""`{% chart_table charts %}`: the numbers of charts as a table; `{% spans %}`: the choice of their time span."""

from typing import Any

from django import template

from socialapp.core.periods import SPANS
from socialapp.http.charts import Chart

register = template.Library()
_NAMES = {"day": "24 hours", "month": "30 days", "year": "A year"}


@register.inclusion_tag("admin/chart_table.html")
def chart_table(charts: list[Chart]) -> dict[str, object]:
    """One row per period, newest first; the charts have the same periods."""
    labels = [bar.label for bar in charts[0].bars] if charts else []
    rows = [[label, *(chart.bars[index].value for chart in charts)] for index, label in enumerate(labels)]
    return {"charts": charts, "rows": rows[::-1]}


@register.simple_tag(takes_context=True)
def chosen_span(context: dict[str, Any]) -> str:
    """The time span of the charts, from the URL: `?span=day`, `month` or `year`."""
    span = context["request"].GET.get("span", "")
    return span if span in SPANS else "month"


@register.simple_tag
def spans() -> list[tuple[str, str]]:
    """The spans and their names."""
    return list(_NAMES.items())
