"""The periodic work of reactions: going on with removals, and comparing recent counts with the rows."""

from dataclasses import asdict
from datetime import timedelta

import structlog
from celery import shared_task
from django.utils import timezone

from apps.reactions import actions, queries

PERIODIC: dict[str, float] = {"reactions.continue_removals": 5.0, "reactions.check_counts": 300.0}

log = structlog.get_logger()

_SUBJECTS = 20
_STEPS = 50
_CHECK_MINUTES = 15
_CHECK_TARGETS = 500


@shared_task(name="reactions.continue_removals")
def continue_removals() -> None:
    """Goes on erasing gone people's reactions and those to gone targets, some thousands a run. Idempotent."""
    for subject_id in queries.unfinished_removals(limit=_SUBJECTS):
        _continue_removal(subject_id)


def _continue_removal(subject_id: int) -> None:
    for _ in range(_STEPS):
        if actions.continue_removal(subject_id=subject_id):
            break


@shared_task(name="reactions.check_counts")
def check_counts() -> None:
    """Corrects the counts of recently changed targets, should they differ from the rows, and says so in the log.

    Before, it removes what slipped past a recent removal.
    """
    since = timezone.now() - timedelta(minutes=_CHECK_MINUTES)
    for subject_id in queries.unclean_removals(since=since):
        log.warning("reactions.removal_repaired", subject_id=subject_id)
        _continue_removal(subject_id)
    for target_type in queries.TARGET_TYPES:
        recent = queries.recently_changed_targets(target_type=target_type, since=since, limit=_CHECK_TARGETS)
        for fault in actions.check_targets(target_type=target_type, target_ids=recent, repair=True):
            log.error("reactions.count_repaired", **asdict(fault))
