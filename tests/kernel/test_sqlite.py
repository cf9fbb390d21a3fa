"""Queries that skip Django's cursors on SQLite return what its cursors do, and raise its errors."""

import pytest
from django.db import OperationalError, connections
from django.test.utils import CaptureQueriesContext

from socialapp.core.sql import fetch

CONTEXT = "metrics"
SQL = "SELECT %s, '100%%' LIKE '%%0%%', '%%s', COUNT(*) FROM bus_inbox WHERE handler = %s"
VALUES: list[str | int | None] = [7, "some handler"]


@pytest.mark.django_db(databases={CONTEXT})
def test_a_direct_query_means_what_a_cursor_reads_in_it() -> None:
    _need_sqlite()
    with connections[CONTEXT].cursor() as cursor:
        cursor.execute(SQL, VALUES)
        by_cursor = cursor.fetchall()
    assert fetch(CONTEXT, sql=SQL, values=VALUES) == by_cursor == [(7, 1, "%s", 0)]


@pytest.mark.django_db(databases={CONTEXT})
def test_a_direct_query_fails_with_the_errors_of_django() -> None:
    _need_sqlite()
    with pytest.raises(OperationalError):
        fetch(CONTEXT, sql="SELECT 1 FROM missing", values=[])


@pytest.mark.django_db(databases={CONTEXT})
def test_statements_can_be_counted() -> None:
    _need_sqlite()
    with CaptureQueriesContext(connections[CONTEXT]) as captured:
        fetch(CONTEXT, sql=SQL, values=VALUES)
    assert len(captured) == 1


def _need_sqlite() -> None:
    if connections[CONTEXT].vendor != "sqlite":
        pytest.skip("about SQLite")
