"""Periodic tasks of the data lifecycle: continuing jobs, and sweeping what escaped removals."""

import structlog
from celery import shared_task
from django.db import DatabaseError, InterfaceError

from socialapp.core.answering import answering_contexts
from socialapp.core.db import empty_write_ahead_log
from socialapp.lifecycle.jobs import continue_jobs
from socialapp.lifecycle.removal import sweep

PERIODIC = {"lifecycle.continue_jobs": 5.0, "lifecycle.sweep": 300.0}

log = structlog.get_logger()

_STEPS_A_RUN = 50


@shared_task(name="lifecycle.continue_jobs")
def continue_all_jobs() -> int:
    """Continues the jobs of all served contexts, up to 50 steps of each; returns how many. Idempotent."""
    taken = 0
    for context in answering_contexts():
        try:
            taken += continue_jobs(context.name, steps=_STEPS_A_RUN)
        except (DatabaseError, InterfaceError) as error:
            # Each context has a database of its own: one that is unavailable must not keep the others from going on.
            log.warning("jobs.not_continued", context=context.name, error=repr(error))
    return taken


@shared_task(name="lifecycle.sweep")
def sweep_all() -> int:
    """Sweeps all served contexts; returns the number of subjects with leftovers. Idempotent.

    Old copies of deleted rows go too, should a reader have kept them from it when the removal ended.
    """
    for context in answering_contexts():
        empty_write_ahead_log(context.name)
    return sum(sweep(context.name) for context in answering_contexts())
