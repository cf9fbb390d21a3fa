"""Presentation of moderation: in the API, the log's export and the admin site."""

from apps.moderation.presenters.bodies import action_body, appeal_body, month_body, report_body, rule_body
from apps.moderation.presenters.statements import statement_bodies
from apps.moderation.presenters.workload import workload_of

__all__ = [
    "action_body",
    "appeal_body",
    "month_body",
    "report_body",
    "rule_body",
    "statement_bodies",
    "workload_of",
]
