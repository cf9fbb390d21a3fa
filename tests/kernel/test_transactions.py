"""Transactions are atomic, with no more round trips than necessary."""

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, OperationalError, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from socialapp.core.db import atomic, is_tidb, transactional
from socialapp.core.sql import insert
from socialapp.messaging.models import InboxEntry

CONTEXT = "metrics"
COLUMNS = ("id", "event_id", "handler", "handled_at")


def add(*ids: int) -> None:
    """Inbox entries with these ids."""
    insert(
        CONTEXT,
        model=InboxEntry,
        columns=COLUMNS,
        rows=[(row_id, row_id, "some handler", timezone.now()) for row_id in ids],
    )


def add_together(*ids: int) -> None:
    """Inserts inbox entries with these ids, one statement each, in one transaction."""
    with atomic(CONTEXT):
        for row_id in ids:
            add(row_id)


def there() -> list[int]:
    """The ids of the entries."""
    return list(InboxEntry.objects.using(CONTEXT).order_by("id").values_list("id", flat=True))


@pytest.mark.django_db(databases={CONTEXT}, transaction=True)
def test_a_transaction_is_atomic_and_never_left_open() -> None:
    with atomic(CONTEXT):
        add(1)
    with pytest.raises(IntegrityError):
        add_together(2, 1)
    connections[CONTEXT].close()
    assert there() == [1]


@pytest.mark.django_db(databases={CONTEXT}, transaction=True)
def test_a_transaction_costs_two_round_trips_besides_its_statements() -> None:
    connection = connections[CONTEXT]
    if connection.vendor != "mysql" or is_tidb(CONTEXT):
        pytest.skip("only servers have round trips, and TiDB does not count them")

    def statements() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SHOW SESSION STATUS LIKE 'Questions'")
            return int(cursor.fetchone()[1])

    asking = statements()
    asking = statements() - asking
    before = statements()
    with atomic(CONTEXT):
        add(1)
    assert statements() - before - asking == 3  # BEGIN, INSERT, COMMIT


@pytest.mark.django_db(databases={CONTEXT})
def test_an_inner_transaction_without_savepoint_rolls_back_the_outer_one() -> None:
    def fail() -> None:
        with atomic(CONTEXT, savepoint=False):
            add(2)
            raise RuntimeError

    def fail_within_another() -> None:
        with atomic(CONTEXT):
            add(1)
            fail()

    with pytest.raises(RuntimeError):
        fail_within_another()
    assert there() == []


@pytest.mark.django_db(databases={CONTEXT})
def test_an_inner_transaction_without_savepoint_costs_nothing() -> None:
    with atomic(CONTEXT), CaptureQueriesContext(connections[CONTEXT]) as queries, atomic(CONTEXT, savepoint=False):
        add(1)
    assert [query["sql"].split()[0] for query in queries] == ["INSERT"]


@pytest.mark.django_db(databases={CONTEXT})
def test_bulk_inserts_split_at_a_thousand_rows_and_keep_their_times() -> None:
    moment = datetime(2026, 2, 3, 4, 5, 6, 789_000, tzinfo=UTC)
    rows = [(row_id, row_id, "some handler", moment) for row_id in range(1, 2002)]
    with CaptureQueriesContext(connections[CONTEXT]) as queries, atomic(CONTEXT, savepoint=False):
        insert(CONTEXT, model=InboxEntry, columns=COLUMNS, rows=rows)
    assert sum(query["sql"].startswith("INSERT") for query in queries) == 3
    assert there() == list(range(1, 2002))
    assert InboxEntry.objects.using(CONTEXT).get(id=2001).handled_at == moment


@pytest.mark.parametrize(
    ("code", "text", "tries"),
    [
        (1213, "Deadlock found", 2),
        (1205, "Lock wait timeout exceeded", 2),
        (9007, "Write conflict", 2),
        (1105, "pessimistic lock retry limit reached", 2),
        (1105, "something else of TiDB", 1),
        (1146, "no such table", 1),
    ],
)
@pytest.mark.django_db(databases={CONTEXT})
def test_a_transaction_that_loses_a_conflict_is_retried(code: int, text: str, tries: int) -> None:
    made: list[int] = []

    def run() -> None:
        made.append(code)
        if len(made) < 2:
            raise OperationalError(code, text)

    if tries == 1:
        with pytest.raises(OperationalError):
            transactional(CONTEXT)(run)()
    else:
        transactional(CONTEXT)(run)()
    assert len(made) == tries
