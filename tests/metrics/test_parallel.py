"""Many at once: every change is folded exactly once, whoever folds."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connections

from apps.metrics import actions, queries
from apps.metrics.models import MetricDelta, PostRollup
from socialapp.contracts.posts import ViewCount
from socialapp.core.ids import id_time, new_id
from tests.conftest import ALL_CONTEXTS

pytestmark = [
    pytest.mark.django_db(databases=ALL_CONTEXTS, transaction=True),
    pytest.mark.skipif(settings.EMBEDDED, reason="SQLite's test database in memory takes one writer at a time"),
]


def test_noting_and_folding_at_once_loses_and_doubles_nothing() -> None:
    posts = [new_id() for _ in range(5)]
    counts = [ViewCount(post_id=post, author_id=1, views=1) for post in posts]

    def work(number: int) -> None:
        try:
            if number % 3:
                actions.record_views(counts=counts, at=id_time(posts[0]))
            else:
                actions.roll_up(older_than=timedelta(0))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(work, range(60)))
    assert {queries.post_totals(post_id=post).totals["views"] for post in posts} == {40}
    actions.roll_up(older_than=timedelta(0))
    assert not MetricDelta.objects.exists()
    assert [row.views for row in PostRollup.objects.filter(period="day")] == [40] * 5
