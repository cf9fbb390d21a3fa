"""Jobs: work too large for one transaction, done in bounded steps until nothing is left."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from socialapp.core.db import transactional
from socialapp.lifecycle.models import Job

log = structlog.get_logger()

# Does a bounded part of the work for `subject_id` in the open transaction; returns whether all is done.
Step = Callable[[int], bool]
# Called in the transaction of the last step.
Finish = Callable[[Job], None]


@dataclass(frozen=True, slots=True)
class _Kind:
    step: Step
    finish: Finish | None


_kinds: dict[tuple[str, str], _Kind] = {}


def declare_job(context: str, *, name: str, step: Step, finish: Finish | None = None) -> None:
    """Defines `name` as a kind of job of `context`: `step` is called until it returns True, then `finish` once."""
    _kinds[(context, name)] = _Kind(step, finish)


def start_job(
    context: str, *, name: str, subject_id: int, reference: int = 0, rows: dict[str, int] | None = None
) -> None:
    """Records a job and takes its first step, in one transaction on `context`. Repeating it takes another step.

    `rows`, the amount of work, is kept as given in the first call.
    """
    transactional(context)(_start)(context, name, subject_id, reference, rows)


def continue_jobs(context: str, *, steps: int) -> int:
    """Takes up to `steps` steps of the jobs of `context`, oldest first; returns how many. Safe to run concurrently.

    A failing job is left for the next run and does not delay the others.
    """
    taken = 0
    for job in Job.objects.using(context).order_by("id")[:steps]:
        try:
            is_done = False
            while not is_done and taken < steps:
                taken += 1
                is_done = transactional(context)(_take_step)(context, job.id)
        except Exception as error:
            log.warning("job.failed", context=context, job=job.name, subject_id=job.subject_id, error=repr(error))
    return taken


def _start(context: str, name: str, subject_id: int, reference: int, rows: dict[str, int] | None) -> None:
    job, _ = Job.objects.using(context).get_or_create(
        name=name, subject_id=subject_id, reference=reference, defaults={"rows": rows}
    )
    _take_step(context, job.id)


def _take_step(context: str, job_id: int) -> bool:
    job = Job.objects.using(context).select_for_update().filter(id=job_id).first()
    if job is None:
        return True  # another process has finished it
    kind = _kinds[(context, job.name)]
    if not kind.step(job.subject_id):
        return False
    if kind.finish is not None:
        kind.finish(job)
    job.delete(using=context)
    return True
