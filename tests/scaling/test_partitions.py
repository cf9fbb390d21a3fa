"""Tables partitioned by month: created, extended ahead, archived, and read a month at a time."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.test.utils import CaptureQueriesContext

from socialapp.core.ids import first_id_at, id_time
from socialapp.ops import partitions
from socialapp.ops.partitions import TABLES
from tests.conftest import ALL_CONTEXTS
from tests.scaling.dataset import embedded

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS, transaction=True)
_NOW = datetime.now(UTC)
_AUTHOR = first_id_at(_NOW - timedelta(days=20)) + 1  # registered three weeks ago


@pytest.fixture(autouse=True)
def _the_same_month(time_machine: Any) -> None:
    """A month may have begun since these tests were loaded."""
    time_machine.move_to(_NOW)


@pytest.fixture
def mariadb() -> None:
    """Partitions need a server that supports them."""
    if connections["posts"].vendor != "mysql":
        pytest.skip("needs DATABASE_URL to name a MySQL or MariaDB")


@pytest.fixture
def partitioned(mariadb: None) -> Iterator[None]:
    """Both tables, partitioned from ten months ago on, and unpartitioned again afterwards."""
    _post(_NOW - timedelta(days=300))
    _notification(_NOW - timedelta(days=300))
    call_command("partitions", "init")
    yield
    for table in TABLES.values():
        with connections[table.context].cursor() as cursor:
            cursor.execute(f"DELETE FROM {table.name}")
            cursor.execute(f"ALTER TABLE {table.name} REMOVE PARTITIONING")


def _post(moment: datetime, number: int = 0) -> int:
    from apps.posts.models import Post

    return Post.objects.create(
        id=first_id_at(moment) + number, user_id=_AUTHOR, content=f"{number} ✓", created_at=moment, updated_at=moment
    ).id


def _notification(moment: datetime, number: int = 0) -> int:
    from apps.notifications.models import Kind, Notification

    return Notification.objects.create(
        id=first_id_at(moment) + number, user_id=_AUTHOR, kind=Kind.FOLLOW, message="hello", created_at=moment
    ).id


def _names(table: str) -> list[str]:
    return [partition.name for partition in partitions.partitions_of(TABLES[table])]


def _report(capsys: pytest.CaptureFixture[str], *arguments: str, **options: Any) -> dict[str, Any]:
    capsys.readouterr()
    call_command("partitions", *arguments, "--json", **options)
    return dict(json.loads(capsys.readouterr().out))


@contextmanager
def _opened(table: str) -> Iterator[list[str]]:
    """The partitions that the statements on a table in the block open, according to EXPLAIN PARTITIONS."""
    connection = connections[TABLES[table].context]
    found: list[str] = []
    with CaptureQueriesContext(connection) as captured:
        yield found
    statements = [query["sql"] for query in captured if re.search(rf"FROM `?{table}`? ", query["sql"])]
    assert statements, "no statement read the table"
    for sql in statements:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN PARTITIONS {sql}")
            names = [column[0] for column in cursor.description]
            rows = [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]
        opened = [row["partitions"] or "" for row in rows if row["table"] == table]
        assert opened, f"EXPLAIN names no partition of {table}: {sql}"
        found += [name for names in opened for name in names.split(",") if name]


def test_an_invalid_month_is_refused() -> None:
    with pytest.raises(CommandError, match="'nonsense' is not a month, such as 2026-01"):
        call_command("partitions", "archive", "--before", "nonsense")


def test_sqlite_needs_no_partitions(tmp_path: Path) -> None:
    for action in ("status", "init", "ahead", "archive"):
        said = embedded(tmp_path, "partitions", action).stdout
        assert said.count("no partitions in SQLite") == 2


def test_no_key_prevents_partitions(mariadb: None) -> None:
    for table in TABLES.values():
        assert partitions.obstacles(table) == [], "a second unique key, or a foreign key, forbids partitions"


def test_init_partitions_by_month_once(partitioned: None, capsys: pytest.CaptureFixture[str]) -> None:
    from apps.posts.models import Post

    names = _names("posts")
    first = _NOW - timedelta(days=300)
    assert names[0] == f"p{first:%Y_%m}"
    assert names[-1] == "pmax"
    assert len(names) == (_NOW.year - first.year) * 12 + _NOW.month - first.month + 1 + partitions.AHEAD_MONTHS + 1
    assert Post.objects.count() == 1
    assert _report(capsys, "init") == {"posts": "partitioned already", "notifications": "partitioned already"}
    assert _names("posts") == names


def test_ahead_adds_only_missing_partitions(partitioned: None, capsys: pytest.CaptureFixture[str]) -> None:
    before = _names("posts")
    assert _report(capsys, "ahead") == {"posts": "nothing to add", "notifications": "nothing to add"}
    planned = _report(capsys, "ahead", "--table", "posts", "--months", "5", "--dry-run")
    assert "REORGANIZE PARTITION pmax" in planned["posts"][0]
    assert _names("posts") == before
    late = _post(_NOW + timedelta(days=31 * 5))  # is in the last partition, and moves
    call_command("partitions", "ahead", "--table", "posts", "--months", "5")
    after = _names("posts")
    assert after[-1] == "pmax"
    assert len(after) == len(before) + 2
    assert partitions.add_ahead() == 0

    from apps.posts.models import Post

    assert Post.objects.filter(id=late).exists()


def test_notifications_are_archived_by_retention(
    partitioned: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from apps.notifications.models import Notification

    kept = _notification(_NOW)
    gone = Notification.objects.exclude(id=kept).values_list("id", flat=True).get()
    planned = _report(capsys, "archive", "--table", "notifications", "--dry-run", into=tmp_path)
    assert planned["notifications"][0]["name"] == _names("notifications")[0]
    assert Notification.objects.count() == 2
    done = _report(capsys, "archive", "--table", "notifications", into=tmp_path)["notifications"]
    assert sum(partition["rows"] for partition in done) == 1
    (file,) = tmp_path.iterdir()
    assert [json.loads(line)["id"] for line in file.read_text().splitlines()] == [gone]
    assert file.stat().st_mode & 0o077 == 0, "archives of notifications are readable by their owner only"
    assert Notification.objects.values_list("id", flat=True).get() == kept
    again = _report(capsys, "archive", "--table", "notifications", into=tmp_path)
    assert again["notifications"] == "nothing to archive"


def test_partitions_of_posts_are_dropped_only_when_confirmed_twice(
    partitioned: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from apps.posts.models import Post

    kept = _post(_NOW)
    options = ("archive", "--table", "posts")
    assert _report(capsys, *options, into=tmp_path)["posts"].startswith("kept")
    assert _report(capsys, *options, "--before", f"{_NOW:%Y-%m}", into=tmp_path)["posts"].startswith("kept")
    assert Post.objects.count() == 2
    _report(capsys, *options, "--before", f"{_NOW:%Y-%m}", "--yes", into=tmp_path)
    assert Post.objects.values_list("id", flat=True).get() == kept
    (file,) = tmp_path.iterdir()
    assert json.loads(file.read_text())["content"] == "0 ✓"


def test_an_interrupted_archive_is_finished(partitioned: None, tmp_path: Path) -> None:
    from apps.notifications.models import Notification

    name = _names("notifications")[0]
    table = TABLES["notifications"]
    outside = f"notifications_out_{name}"
    partitions.run_statements(
        table,
        statements=[
            f"CREATE TABLE {outside} LIKE notifications",
            f"ALTER TABLE {outside} REMOVE PARTITIONING",
            f"ALTER TABLE notifications EXCHANGE PARTITION {name} WITH TABLE {outside}",
        ],
    )
    call_command("partitions", "archive", "--table", "notifications", "--json", into=tmp_path)
    assert Notification.objects.count() == 0
    assert name not in _names("notifications")
    written = [json.loads(line) for file in tmp_path.iterdir() for line in file.read_text().splitlines()]
    assert len(written) == 1
    assert partitions.archive_left_over(table, folder=tmp_path, on_rows=lambda _: None) == []


def test_a_table_that_cannot_be_partitioned_is_reported_with_the_reason(mariadb: None) -> None:
    with connections["posts"].cursor() as cursor:
        cursor.execute("ALTER TABLE posts ADD UNIQUE KEY posts_planted (user_id, id)")
        try:
            with pytest.raises(CommandError, match="unique key posts_planted"):
                call_command("partitions", "init", "--table", "posts")
        finally:
            cursor.execute("ALTER TABLE posts DROP KEY posts_planted")


def test_reads_open_only_the_partitions_they_need(partitioned: None) -> None:
    from apps.notifications.queries import notification_page
    from apps.posts.models import Post
    from apps.posts.queries import post_rows
    from socialapp.core.pages import PageRequest, paginate

    ids = [_post(_NOW - timedelta(minutes=number), number) for number in range(20)]
    notified = [_notification(_NOW - timedelta(minutes=number), number) for number in range(20)]
    months = {f"p{id_time(value):%Y_%m}" for value in ids}
    with _opened("posts") as feed:
        assert len(post_rows(ids, viewer_id=None)) == 20
    assert set(feed) <= months, "a page of a feed"
    with _opened("posts") as single:
        post_rows(ids[:1], viewer_id=None)
    assert len(single) == 1
    with _opened("posts") as authors:
        bounded = Post.objects.filter(user_id=_AUTHOR, id__gte=first_id_at(_NOW - timedelta(days=20)))
        assert len(paginate(bounded, page=PageRequest()).items) == 20
    assert _names("posts")[0] not in authors, "nobody posted before they registered"
    assert len(authors) <= 2 + partitions.AHEAD_MONTHS + 1
    with _opened("notifications") as opened:
        page = notification_page(user_id=_AUTHOR, page=PageRequest(), unread_only=False)
    assert sorted(row.id for row in page.items) == sorted(notified)
    assert _names("notifications")[0] not in opened, "nobody was notified before they registered"


def test_pages_open_only_the_partitions_they_need(partitioned: None, register: Any, drain: Any) -> None:
    """With requests of clients: the statements of a feed, of notifications and of an author's page."""
    anna, ben = register("anna"), register("ben")
    assert ben.client.put(f"/v1/profiles/{anna.id}/follow").status_code == 200
    drain()
    made = anna.client.post("/v1/posts", {"content": "today"}).json()["id"]
    drain()
    assert ben.client.get("/v1/feed").status_code == 200  # builds the feed in Redis, from all months
    this_month = {f"p{id_time(int(made)):%Y_%m}"}
    with _opened("posts") as feed:
        assert [post["id"] for post in ben.client.get("/v1/feed").json()["results"]] == [made]
    assert set(feed) == this_month
    with _opened("posts") as authors:
        assert [post["id"] for post in anna.client.get(f"/v1/profiles/{anna.id}/posts").json()["results"]] == [made]
    assert _names("posts")[0] not in authors
    with _opened("notifications") as opened:
        assert len(anna.client.get("/v1/notifications").json()["results"]) == 1
    assert _names("notifications")[0] not in opened
    assert len(set(opened)) <= 2 + partitions.AHEAD_MONTHS + 1
