"""`{% workload %}`: what waits for moderators, on the admin site's front page; `{% grouped_apps %}`: its pages."""

from dataclasses import dataclass
from typing import Any

import structlog
from django import template

from socialapp.contracts.moderation import Moderation, Workload
from socialapp.core.errors import Problem
from socialapp.http.templatetags.engagement import rounded_up
from socialapp.rpc.calls import client

log = structlog.get_logger()
register = template.Library()

WIDTH, HEIGHT = 600, 100
_GAP = 3


@dataclass(frozen=True, slots=True)
class Bar:
    """A day's column; reports stand before decisions."""

    x: float
    width: float
    reports_height: float
    decisions_height: float
    date: str
    reports: int
    decisions: int


@register.inclusion_tag("admin/workload.html", takes_context=True)
def workload(context: dict[str, Any]) -> dict[str, object]:
    """The figures, or nothing while moderation does not answer."""
    try:
        work = client(Moderation).workload(moderator_id=int(context["user"].pk))
    except Problem as problem:
        log.warning("admin.no_workload", error=problem.detail)
        return {"work": None}
    return {
        "work": work,
        "bars": _bars(work),
        "width": WIDTH,
        "height": HEIGHT,
        "csrf_token": context.get("csrf_token"),
    }


def _bars(work: Workload) -> list[Bar]:
    top = rounded_up(max(max(day.reports, day.decisions) for day in work.days))
    slot = WIDTH / len(work.days)
    return [
        Bar(
            x=round(index * slot, 1),
            width=round((slot - _GAP) / 2, 1),
            reports_height=round(day.reports / top * HEIGHT, 1),
            decisions_height=round(day.decisions / top * HEIGHT, 1),
            date=day.date,
            reports=day.reports,
            decisions=day.decisions,
        )
        for index, day in enumerate(work.days)
    ]


@register.simple_tag
def grouped_apps(app_list: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The pages that people work with, and under "internals" those of tables that only the program writes."""
    groups: dict[str, list[dict[str, Any]]] = {"work": [], "internals": []}
    for app in app_list:
        for group, wanted in (("work", False), ("internals", True)):
            models = [one for one in app["models"] if is_internal(one["model"]) is wanted]
            if models:
                groups[group].append({**app, "models": models})
    return groups


def is_internal(model: type) -> bool:
    """Whether a model's rows mean nothing to people: its admin page says so."""
    from django.contrib import admin

    page = admin.site._registry.get(model)
    return bool(getattr(page, "is_internal", False))
