"""Many at once: one case, one report each, and a log that never forks."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings
from django.db import connections

from apps.moderation import actions
from apps.moderation.models import Case, Report
from apps.moderation.queries.cases import Target
from apps.moderation.queries.log import check_log
from tests.conftest import ALL_CONTEXTS

pytestmark = [
    pytest.mark.django_db(databases=ALL_CONTEXTS, transaction=True),
    pytest.mark.skipif(settings.EMBEDDED, reason="SQLite's test database in memory takes one writer at a time"),
]

TARGET = Target("post", 7, 70)


def at_once(*calls: Callable[[], object]) -> None:
    def run(call: Callable[[], object]) -> None:
        try:
            call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(max_workers=len(calls)) as pool:
        for result in [pool.submit(run, call) for call in calls]:
            result.result()


def test_the_log_never_forks() -> None:
    at_once(*[lambda: actions.warn_user(moderator_id=1, user_id=2, reason="x")] * 12)
    check = check_log()
    assert (check.entries, check.problems) == (12, [])


def test_reports_of_one_target_are_one_case() -> None:
    def report(reporter_id: int) -> Callable[[], object]:
        return lambda: actions.file_report(reporter_id=reporter_id, target=TARGET, reason="spam", details="")

    at_once(*[report(number % 6) for number in range(12)])
    assert Case.objects.get().reports_count == Report.objects.count() == 6
