"""Background work of the users context."""

from celery import shared_task

from apps.users import actions

_CHUNKS_A_RUN = 50

PERIODIC = {"users.continue_work": 5.0}


@shared_task(name="users.continue_work")
def continue_work() -> int:
    """Goes on with erasures and openings of accounts that were too large for one transaction."""
    return actions.continue_work(limit=_CHUNKS_A_RUN)
