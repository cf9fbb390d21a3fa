"""Periodic tasks of moderation."""

from contextlib import suppress

from celery import shared_task

from apps.moderation import actions, queries
from socialapp.core.errors import NotFound

PERIODIC = {
    "moderation.end_suspensions": 30.0,
    "moderation.sign_log": 3600.0,
    "moderation.decide_in_bulk": 10.0,
    "moderation.forget_old_texts": 3600.0,
}
_PARTS_A_RUN = 20


@shared_task(name="moderation.end_suspensions")
def end_suspensions() -> int:
    """Ends the bans, silences and limits that have expired; returns how many. Idempotent."""
    due = queries.suspensions_due()
    for suspension_id in due:
        with suppress(NotFound):  # of somebody who is being erased: the others end all the same
            actions.end_suspension(suspension_id=suspension_id)
    return len(due)


@shared_task(name="moderation.sign_log")
def sign_log() -> bool:
    """Signs the head of the log, if something was added. Idempotent."""
    return actions.sign_head()


@shared_task(name="moderation.decide_in_bulk")
def decide_in_bulk() -> int:
    """Executes the next steps of bulk decisions; returns how many cases."""
    decided = 0
    for _ in range(_PARTS_A_RUN):
        part = actions.continue_bulk_decisions()
        decided += part
        if not part:
            break
    return decided


@shared_task(name="moderation.forget_old_texts")
def forget_old_texts() -> None:
    """Deletes records of texts that are older than a month. Idempotent."""
    while actions.forget_old_texts():
        pass
