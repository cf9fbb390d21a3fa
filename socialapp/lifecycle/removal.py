"""Removal of what belongs to a deleted subject: a tombstone first, then a job in steps, then a sweep.

The tombstone keeps late events from creating rows again. A writer that did not check before writes its row and then
calls `refuse_if_deleted`, which locks the tombstone if there is one; a removal writes the tombstone first and then
reads the rows with locks, so one of the two waits for the other. What escapes both (TiDB does not wait for rows
about to be inserted) is deleted by the sweep.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.utils import timezone

from socialapp.contracts.lifecycle import context_erased
from socialapp.core.db import after_commit, empty_write_ahead_log, transactional
from socialapp.core.errors import NotFound
from socialapp.core.sql import fetch, for_update, placeholders
from socialapp.lifecycle.data_export import held_rows
from socialapp.lifecycle.jobs import Step, declare_job, start_job
from socialapp.lifecycle.models import Job, Tombstone
from socialapp.messaging.publish import publish

log = structlog.get_logger()

SWEPT_FOR = timedelta(hours=1)
_IDS_A_QUERY = 500

# Those of these ids that still have rows, which a removal should have deleted.
Leftovers = Callable[[Collection[int]], Iterable[int]]


@dataclass(frozen=True, slots=True)
class _Removal:
    context: str
    kind: str
    leftovers: Leftovers

    @property
    def job(self) -> str:
        return _job_name(self.kind)


_removals: list[_Removal] = []


def declare_removal(context: str, *, kind: str, step: Step, leftovers: Leftovers) -> None:
    """Defines how `context` removes what belongs to a deleted subject of `kind`.

    `step` deletes a bounded part in the open transaction and returns whether nothing is left. Once a user is removed,
    `context` publishes that it has erased its data.
    """

    def finish(job: Job) -> None:
        if job.reference:
            publish(context_erased(context)(user_id=job.subject_id, erasure_id=job.reference, rows=job.rows or {}))
            after_commit(context, callback=lambda: empty_write_ahead_log(context))

    declare_job(context, name=_job_name(kind), step=step, finish=finish)
    _removals.append(_Removal(context, kind, leftovers))


def begin_removal(context: str, *, kind: str, subject_id: int, erasure_id: int = 0) -> None:
    """Writes the tombstone and takes the first step; the job goes on until nothing is left. Idempotent."""
    transactional(context)(_begin)(context, kind, subject_id, erasure_id)


def _begin(context: str, kind: str, subject_id: int, erasure_id: int) -> None:
    write_tombstone(context, kind=kind, subject_id=subject_id)
    rows = held_rows(context, user_id=subject_id) if erasure_id else None
    start_job(context, name=_job_name(kind), subject_id=subject_id, reference=erasure_id, rows=rows)


def write_tombstone(context: str, *, kind: str, subject_id: int) -> None:
    """Writes only the tombstone, if nothing is to be removed. The caller holds the transaction. Idempotent."""
    tombstones = Tombstone.objects.using(context).select_for_update()
    tombstones.get_or_create(subject_id=subject_id, defaults={"kind": kind})


def deleted_among(context: str, *, ids: Collection[int], lock: bool = False) -> set[int]:
    """Those of `ids` with a tombstone. One query; with `lock`, one that waits for removals that are just starting."""
    if not ids:
        return set()
    return {row[0] for row in fetch(context, sql=tombstones_sql(context, ids=ids, lock=lock), values=list(ids))}


def tombstones_sql(context: str, *, ids: Collection[int], lock: bool) -> str:
    """The query of `deleted_among`, whose values are the ids: to be part of another one."""
    sql = f"SELECT subject_id FROM {Tombstone._meta.db_table} WHERE subject_id IN ({placeholders(ids)})"  # noqa: S608
    return sql + (for_update(context) if lock else "")


def forget_tombstones(context: str, *, older_than: datetime) -> int:
    """Deletes tombstones of posts and comments that no late event can need any more; returns how many."""
    old = Tombstone.objects.using(context).exclude(kind=Tombstone.Kind.USER).filter(created_at__lt=older_than)
    removed = 0
    while ids := list(old.values_list("subject_id", flat=True)[:_IDS_A_QUERY]):
        removed += Tombstone.objects.using(context).filter(subject_id__in=ids).delete()[0]
    return removed


def refuse_if_deleted(context: str, *subject_ids: int) -> None:
    """NotFound if one of the subjects was deleted. For writers, to be called *after* the row was written."""
    if deleted_among(context, ids=subject_ids, lock=True):
        raise deleted_meanwhile()


def deleted_meanwhile() -> NotFound:
    """The error for what was deleted while something was written about it."""
    return NotFound("this was deleted meanwhile")


def sweep(context: str) -> int:
    """Deletes what escaped the removals of the last hour; returns of how many subjects. Idempotent."""
    since = timezone.now() - SWEPT_FOR
    found = 0
    for removal in _removals:
        if removal.context != context:
            continue
        recent = Tombstone.objects.using(context).filter(kind=removal.kind, created_at__gte=since)
        ids = list(recent.order_by("subject_id").values_list("subject_id", flat=True))
        for start in range(0, len(ids), _IDS_A_QUERY):
            for subject_id in removal.leftovers(ids[start : start + _IDS_A_QUERY]):
                log.warning("removal.swept", context=context, kind=removal.kind, subject_id=subject_id)
                start_job(context, name=removal.job, subject_id=subject_id)
                found += 1
    return found


def _job_name(kind: str) -> str:
    return f"remove_{kind}"
