"""Periodic work of moderation: suspensions end by themselves."""

from celery import shared_task

from apps.moderation import actions, queries

PERIODIC = {"moderation.end_suspensions": 30.0}


@shared_task(name="moderation.end_suspensions")
def end_suspensions() -> int:
    """Lifts the bans whose time is over; how many. Idempotent."""
    due = queries.suspensions_due()
    for suspension_id in due:
        actions.end_suspension(suspension_id=suspension_id)
    return len(due)
