"""The last backup and verification of the whole installation, for the admin site."""

from datetime import timedelta

from django.utils import timezone

from socialapp.core.contexts import served
from socialapp.lifecycle.models import CompletedRun

BACKUP, VERIFY = CompletedRun.Name.BACKUP, CompletedRun.Name.VERIFY


def record_run(name: CompletedRun.Name, *, problems: int = 0) -> None:
    """Records that a run is finished, in the database of every served context, so that each process finds it."""
    for context in served():
        values = {"finished_at": timezone.now(), "problems": problems}
        CompletedRun.objects.using(context.name).update_or_create(name=name, defaults=values)


def last_runs() -> dict[str, CompletedRun | None]:
    """The last backup and the last verification; None if there was none. One query."""
    found = {run.name: run for run in CompletedRun.objects.using(served()[0].name)}
    return {name.value: found.get(name) for name in CompletedRun.Name}


def is_late(run: CompletedRun | None, *, days: int) -> bool:
    """Whether it is longer ago than that, or there was none."""
    return run is None or run.finished_at < timezone.now() - timedelta(days=days)
