"""Periodic tasks of reactions."""

from dataclasses import asdict
from datetime import timedelta

import structlog
from celery import shared_task
from django.utils import timezone

from apps.reactions import actions, queries

PERIODIC = {"reactions.check_counts": 300.0}

log = structlog.get_logger()

_CHECK_MINUTES = 15
_CHECK_TARGETS = 500


@shared_task(name="reactions.check_counts")
def check_counts() -> None:
    """Corrects and logs the counts of recently changed targets that differ from the rows. Idempotent."""
    since = timezone.now() - timedelta(minutes=_CHECK_MINUTES)
    for target_type in queries.TARGET_TYPES:
        recent = queries.recently_changed_targets(target_type=target_type, since=since, limit=_CHECK_TARGETS)
        for drift in actions.check_targets(target_type=target_type, target_ids=recent, repair=True):
            log.error("reactions.count_repaired", **asdict(drift))
