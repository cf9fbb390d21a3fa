"""Periodic tasks: a clock that was set back delays none of them beyond its interval."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from socialapp.celery import app
from socialapp.runtime.scheduler import SteadyScheduler


def test_a_clock_that_was_set_back_does_not_delay_tasks(tmp_path: Path) -> None:
    scheduler = SteadyScheduler(app=app, schedule_filename=str(tmp_path / "beat-schedule"))
    try:
        for entry in scheduler.schedule.values():
            entry.last_run_at = app.now() + timedelta(hours=1)
        ours: list[Any] = [scheduler.schedule[name] for name in app.conf.beat_schedule]
        assert scheduler.tick() <= min(entry.schedule.seconds for entry in ours)
        assert all(entry.is_due()[1] <= entry.schedule.seconds for entry in ours)
    finally:
        scheduler.close()
