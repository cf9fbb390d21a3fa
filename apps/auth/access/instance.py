"""Public facts about this installation that belong to other contexts."""

import structlog
from django.conf import settings

from socialapp.contracts.moderation import Moderation
from socialapp.core.errors import Problem
from socialapp.rpc.calls import client

log = structlog.get_logger()


def instance_rules() -> list[str]:
    """The rules that administrators wrote; those of the settings if there are none or moderation is unavailable."""
    try:
        rules = [rule.text for rule in client(Moderation).rules()]
    except Problem as problem:
        log.warning("auth.no_rules", error=problem.detail)
        rules = []
    return rules or list(settings.INSTANCE_RULES)
