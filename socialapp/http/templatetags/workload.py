"""`{% workload %}`: moderators' open work, on the admin site's front page; `{% grouped_apps %}`: its pages."""

from datetime import datetime
from typing import Any

import structlog
from django import template

from socialapp.contracts.moderation import Moderation
from socialapp.core.errors import Problem
from socialapp.http.charts import draw
from socialapp.rpc.calls import client

log = structlog.get_logger()
register = template.Library()
_FIRST = ("moderation", "users", "posts", "comments", "identity")  # the most used first, then the others


@register.inclusion_tag("admin/workload.html", takes_context=True)
def workload(context: dict[str, Any], span: str) -> dict[str, object]:
    """The figures, or nothing while moderation is unavailable."""
    try:
        work = client(Moderation).workload(moderator_id=int(context["user"].pk), span=span)
    except Problem as problem:
        log.warning("admin.no_workload", error=problem.detail)
        return {"work": None}
    starts = [datetime.fromisoformat(day.date) for day in work.days]
    series = {
        "reports": ("Reports", [day.reports for day in work.days]),
        "decisions": ("Decisions", [day.decisions for day in work.days]),
    }
    charts = [
        draw(name, title=title, span=span, starts=starts, values=values) for name, (title, values) in series.items()
    ]
    return {"work": work, "charts": charts, "csrf_token": context.get("csrf_token")}


@register.simple_tag
def grouped_apps(app_list: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The pages for people, and under "internals" those of internal tables."""
    groups: dict[str, list[dict[str, Any]]] = {"work": [], "internals": []}
    order = {label: place for place, label in enumerate(_FIRST)}
    for app in sorted(app_list, key=lambda app: order.get(app["app_label"], len(order))):
        for group, wanted in (("work", False), ("internals", True)):
            models = [one for one in app["models"] if is_internal(one["model"]) is wanted]
            if models:
                groups[group].append({**app, "models": models})
    return groups


def is_internal(model: type) -> bool:
    """Whether a model's rows are internal, according to its admin page."""
    from django.contrib import admin

    page = admin.site._registry.get(model)
    return bool(getattr(page, "is_internal", False))
