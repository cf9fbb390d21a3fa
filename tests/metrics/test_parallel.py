"""Concurrency: every delta is rolled up exactly once, and erased authors keep none."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connections

from apps.metrics import actions, queries
from apps.metrics.models import AuthorRollup, MetricDelta, Post, PostRollup
from socialapp.contracts.posts import ViewCount
from socialapp.core.ids import id_time, new_id
from socialapp.lifecycle.removal import begin_removal
from tests.conftest import ALL_CONTEXTS

pytestmark = [
    pytest.mark.django_db(databases=ALL_CONTEXTS, transaction=True),
    pytest.mark.skipif(settings.EMBEDDED, reason="in-memory SQLite has no concurrent writers"),
]


def test_concurrent_recording_and_rollup_loses_and_duplicates_nothing() -> None:
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


def test_an_author_erased_concurrently_keeps_no_delta() -> None:
    authors = [new_id() for _ in range(20)]

    def work(author: int, number: int) -> None:
        try:
            if number == 3:
                begin_removal("metrics", kind="user", subject_id=author)
            elif number % 2:
                actions.record_follower(author_id=author, at=id_time(author), amount=-1)
            else:
                actions.record_posts({new_id(): author})
        finally:
            connections.close_all()

    with ThreadPoolExecutor(max_workers=8) as pool:
        for running in [pool.submit(work, author, number) for author in authors for number in range(8)]:
            running.result()
    for model in (MetricDelta, Post, AuthorRollup):
        assert not model.objects.filter(author_id__in=authors).exists(), model
