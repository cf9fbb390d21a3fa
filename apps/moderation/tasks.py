"""Periodic work of moderation: what was decided for a time ends by itself, and the log's end is signed."""

from celery import shared_task

from apps.moderation import actions
from apps.moderation.queries.cases import suspensions_due

PERIODIC = {"moderation.end_suspensions": 30.0, "moderation.sign_log": 3600.0}


@shared_task(name="moderation.end_suspensions")
def end_suspensions() -> int:
    """Ends the bans, silences and limits whose time is over; how many. Idempotent."""
    due = suspensions_due()
    for suspension_id in due:
        actions.end_suspension(suspension_id=suspension_id)
    return len(due)


@shared_task(name="moderation.sign_log")
def sign_log() -> bool:
    """Signs the end of the log, if something was added. Idempotent."""
    return actions.sign_head()
