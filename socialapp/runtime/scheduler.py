"""Celery's scheduler, with a fix for clocks that are set back: it would idle until the time of the last run."""

from typing import Any

from celery.beat import PersistentScheduler


class SteadyScheduler(PersistentScheduler):
    """What ran later than now, as the file or this process remembers it, counts as run now."""

    def tick(self, *arguments: Any, **options: Any) -> float:
        """See `Scheduler.tick`."""
        now = self.app.now()
        if ahead := [entry for entry in self.schedule.values() if entry.last_run_at and entry.last_run_at > now]:
            for entry in ahead:
                entry.last_run_at = now
            self._heap = None  # the order of what is next, made again
        return float(super().tick(*arguments, **options))
