"""`{% installation %}`: the state of the installation, for administrators on the admin site's front page."""

from collections.abc import Callable
from typing import TypeVar

import structlog
from django import template

from socialapp.contracts.auth import Auth
from socialapp.contracts.posts import Posts
from socialapp.core.contexts import served
from socialapp.core.errors import Problem
from socialapp.lifecycle.runs import is_late, last_runs
from socialapp.messaging.operations import status
from socialapp.rpc.calls import client

log = structlog.get_logger()
register = template.Library()
T = TypeVar("T")
_BACKUP_DAYS, _VERIFY_DAYS = 2, 8  # after that many without one, it is overdue


@register.inclusion_tag("admin/installation.html")
def installation() -> dict[str, object]:
    """Active people, storage, the bus and the last runs; leaves out what does not respond."""
    states = [status(context.name) for context in served()]
    runs = last_runs()
    return {
        "people": _asked(client(Auth).active_people),
        "storage": _asked(client(Posts).storage),
        "unsent": sum(state.new for state in states),
        "oldest": max(state.oldest_new_seconds for state in states),
        "failed": sum(state.failed for state in states),
        "dead": sum(state.dead for state in states),
        "backup": runs["backup"],
        "verify": runs["verify"],
        "is_backup_late": is_late(runs["backup"], days=_BACKUP_DAYS),
        "is_verify_late": is_late(runs["verify"], days=_VERIFY_DAYS),
    }


def _asked(call: Callable[[], T]) -> T | None:
    try:
        return call()
    except Problem as problem:
        log.warning("admin.no_figures", error=problem.detail)
        return None
