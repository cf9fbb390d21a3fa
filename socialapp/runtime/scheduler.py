"""Celery's scheduler, fixed for clocks that are set back: it would be idle until the time of the last run."""

from typing import Any

from celery.beat import PersistentScheduler


class SteadyScheduler(PersistentScheduler):
    """Treats last runs that lie in the future, according to its file or memory, as if they happened now."""

    def tick(self, *arguments: Any, **options: Any) -> float:
        """See `Scheduler.tick`."""
        now = self.app.now()
        if ahead := [entry for entry in self.schedule.values() if entry.last_run_at and entry.last_run_at > now]:
            for entry in ahead:
                entry.last_run_at = now
            self._heap = None  # the heap of upcoming tasks, rebuilt
        return float(super().tick(*arguments, **options))
