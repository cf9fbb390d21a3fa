"""Operators' commands: `bus`, `doctor`, `migrate_all`, `check --deploy`."""

import io
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.core.management.base import SystemCheckError
from django.db import connections
from django.db.models import Index
from django.utils import timezone

from socialapp.core import cache
from socialapp.core.contexts import CONTEXTS
from socialapp.messaging.models import FailedDelivery, OutboxEvent
from socialapp.ops import diagnostics
from socialapp.ops.management.commands.migrate_all import migrating_alone
from socialapp.settings.environment import env
from tests.conftest import ALL_CONTEXTS
from tests.scenarios.product import ROOT

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


def said(*command: str) -> str:
    """The output of a command."""
    out = io.StringIO()
    call_command(*command, stdout=out)
    return out.getvalue()


def failed_delivery(event_id: int, *, dead: bool) -> FailedDelivery:
    """A failed delivery in the posts context."""
    return FailedDelivery.objects.using("posts").create(
        event_id=event_id,
        handler="posts.some_handler",
        type="users.followed.v1",
        subject="1",
        envelope="{}",
        attempts=7,
        error="KeyError('x')",
        dead=dead,
        retry_at=timezone.now() + timedelta(hours=1),
    )


def codes(findings: Any) -> list[str]:
    """The codes of the findings."""
    return [finding.code for finding in findings]


def test_bus_status_shows_the_progress_of_events() -> None:
    for state in (OutboxEvent.State.NEW, OutboxEvent.State.NEW, OutboxEvent.State.SENT):
        OutboxEvent.objects.using("posts").create(type="posts.post_created.v1", subject="1", envelope="{}", state=state)
    OutboxEvent.objects.using("posts").filter(state=OutboxEvent.State.NEW).update(
        created_at=timezone.now() - timedelta(seconds=90)
    )
    failed_delivery(1, dead=True)
    failed_delivery(2, dead=False)
    rows = {row["context"]: row for row in json.loads(said("bus", "status", "--json"))}
    assert set(rows) == set(CONTEXTS)
    assert 90 <= rows["posts"].pop("oldest_new_seconds") < 200
    assert rows["posts"] == {"context": "posts", "new": 2, "sent": 1, "confirmed": 0, "failed": 1, "dead": 1}
    assert rows["users"]["new"] == 0
    assert "context=posts  new=2  sent=1" in said("bus", "status", "--context", "posts")


def test_bus_dead_lists_only_dead_letters() -> None:
    failed_delivery(11, dead=True)
    failed_delivery(12, dead=False)
    (letter,) = json.loads(said("bus", "dead", "--json"))
    assert (letter["context"], letter["event"], letter["handler"]) == ("posts", 11, "posts.some_handler")
    assert letter["error"] == "KeyError('x')"


def test_bus_replay_makes_one_event_due_again() -> None:
    failed_delivery(21, dead=True)
    other = failed_delivery(22, dead=True)
    assert json.loads(said("bus", "replay", "--event", "21", "--context", "posts", "--json")) == [
        {"context": "posts", "replayed": 1}
    ]
    due = FailedDelivery.objects.using("posts").get(event_id=21)
    assert (due.dead, due.attempts) == (False, 0)
    assert due.retry_at <= timezone.now()
    other.refresh_from_db(using="posts")
    assert other.dead


def test_bus_replay_of_all_makes_everything_due_again() -> None:
    failed_delivery(31, dead=True)
    failed_delivery(32, dead=False)
    said("bus", "replay", "--all")
    waiting = FailedDelivery.objects.using("posts").filter(dead=False, retry_at__lte=timezone.now())
    assert sorted(row.event_id for row in waiting) == [31, 32]


def test_bus_replay_of_an_unknown_event_fails_and_changes_nothing() -> None:
    letter = failed_delivery(41, dead=True)
    with pytest.raises(CommandError, match="no failed delivery of event 40"):
        said("bus", "replay", "--event", "40")
    letter.refresh_from_db(using="posts")
    assert letter.dead


def test_bus_replay_requires_an_event_or_all() -> None:
    with pytest.raises(CommandError):
        said("bus", "replay")


def test_migrate_all_detects_a_missing_migration() -> None:
    said("migrate_all", "--check")
    with connections["reactions"].cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'reactions'")
    with pytest.raises(CommandError, match="lack migrations"):
        said("migrate_all", "--check")
    assert "reactions: reactions.0001_initial" in said("migrate_all", "--plan")
    assert "unmigrated" in codes(diagnostics.database_findings("reactions"))


def test_a_second_migrate_all_waits_for_the_first() -> None:
    waits, has_begun = Event(), Event()

    def migrate() -> None:
        with migrating_alone("reactions", on_wait=waits.set):
            has_begun.set()
        connections["reactions"].close()

    with ThreadPoolExecutor(1) as pool:
        with migrating_alone("reactions", on_wait=lambda: None):
            second = pool.submit(migrate)
            assert waits.wait(60)
            assert not has_begun.is_set()
        second.result(60)
    assert has_begun.is_set()


def test_no_declared_index_is_missing() -> None:
    for alias in CONTEXTS:
        assert [found for found in diagnostics.database_findings(alias) if found.code == "missing_index"] == []


def test_a_missing_index_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    declared = [*OutboxEvent._meta.indexes, Index(fields=["type"], name="bus_outbox_absent")]
    monkeypatch.setattr(OutboxEvent._meta, "indexes", declared)
    found = [found for found in diagnostics.database_findings("metrics") if found.code == "missing_index"]
    assert [finding.problem for finding in found] == ["bus_outbox lacks bus_outbox_absent"]


def test_non_durable_commits_are_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = connections["posts"]
    if connection.vendor == "sqlite":
        assert "not_durable" not in codes(diagnostics.database_findings("posts"))
        monkeypatch.setattr(diagnostics, "SQLITE_FULL", 3)  # the level cannot be lowered inside a test's transaction
        assert "not_durable" in codes(diagnostics.database_findings("posts"))
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT @@GLOBAL.innodb_flush_log_at_trx_commit, @@GLOBAL.sync_binlog")
        expected = sum(str(value) != "1" for value in cursor.fetchone())
    assert codes(diagnostics.database_findings("posts")).count("not_durable") == expected


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("DEBUG", True, "debug"),
        ("SECRET_KEY", "short", "weak_secret"),
        ("SECRET_KEY", "a" * 60, "weak_secret"),
        ("SERVICE_SECRET", "short", "weak_secret"),
    ],
)
def test_unsafe_settings_fail_the_deploy_check(settings: Any, name: str, value: object, code: str) -> None:
    assert code not in codes(diagnostics.settings_findings())
    setattr(settings, name, value)
    assert code in codes(diagnostics.settings_findings())
    with pytest.raises(SystemCheckError, match=f"socialapp.{code}"):
        call_command("check", "--deploy", "--tag", "security", stdout=io.StringIO(), stderr=io.StringIO())


def test_servers_have_stricter_checks_than_the_embedded_default(settings: Any) -> None:
    settings.PUBLIC_URL, settings.ALLOWED_HOSTS, settings.RATE_LIMITS = "http://example.org", ["*"], False
    settings.EMBEDDED = True
    assert codes(diagnostics.settings_findings()) == []
    settings.EMBEDDED = False
    assert codes(diagnostics.settings_findings()) == ["no_https", "any_host", "no_rate_limits"]


def test_doctor_reports_unreachable_servers(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache._BreakingConnection, "open_until", 0.0)  # restored at the end: other tests need Redis
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    settings.ELASTICSEARCH_URL = "http://127.0.0.1:1"
    settings.KAFKA_URL = "kafka://127.0.0.1:1"
    unreachable = codes(diagnostics.server_findings())
    assert [code for code in unreachable if code != "broker_unreachable"] == [
        "redis_unreachable",
        "kafka_unreachable",
        "search_unreachable",
    ]
    out = io.StringIO()
    with pytest.raises(SystemExit) as stop:
        call_command("doctor", "--json", stdout=out)
    assert stop.value.code == 1
    assert {"redis_unreachable", "search_unreachable"} <= {finding["code"] for finding in json.loads(out.getvalue())}
    assert django_settings.SECRET_KEY not in out.getvalue()


def _manage(environment: dict[str, str], command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "manage.py", *command.split()],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


NOBODY = "127.0.0.1:1"  # a port on which nothing listens


@pytest.mark.parametrize(
    ("commands", "status", "reason"),
    [
        (["verify", "bus status", "trace x", "erasure status 1", "partitions status", "search status"], 1, "2002"),
        (["search reindex"], 1, "search is temporarily unavailable"),
        (["migrate_all --check"], 1, "the database of auth does not answer"),
        (["create_admin"], 1, "there is nobody to ask"),
        (["media", "bus replay"], 2, "--help shows what it takes"),
        (["serve web --migrate"], 1, "--migrate is for `all`"),
        (["partitions ahead --months 200000"], 2, "'200000' is not a number from 1 to 120"),
        (["verfy"], 2, "did you mean verify?"),
    ],
)
def test_a_failing_command_prints_the_reason_in_one_line(
    commands: list[str], status: int, reason: str, tmp_path: Any
) -> None:
    environment = {
        **os.environ,
        "DATA_DIR": str(tmp_path),
        "REDIS_URL": f"redis://{NOBODY}",
        "DATABASE_URL": f"mysql://nobody:nothing@{NOBODY}/nothing_{{context}}",
        "ELASTICSEARCH_URL": f"http://{NOBODY}",
    }

    with ThreadPoolExecutor(2) as pool:
        for command, ended in zip(commands, pool.map(partial(_manage, environment), commands), strict=True):
            assert ended.returncode == status, command
            assert len(ended.stderr.splitlines()) == 1, ended.stderr
            assert reason in ended.stderr, command


def test_an_invalid_variable_is_reported_in_one_line() -> None:
    invalid = [
        ("RATE_READ", "many", "RATE_READ must be a whole number, not 'many'"),
        ("CALL_TIMEOUT", "2s", "CALL_TIMEOUT must be a number, not '2s'"),
        ("STAFF_SECOND_FACTOR", "required", "STAFF_SECOND_FACTOR must be yes or no, not 'required'"),
        ("FCM_CREDENTIALS", "a secret", "FCM_CREDENTIALS must be valid"),
        ("LOG_LEVEL", "loud", "LOG_LEVEL must be DEBUG, INFO, WARNING, ERROR or CRITICAL, not 'LOUD'"),
        ("REDIS_URL", "redis:6379", "REDIS_URL must begin with redis:// or rediss:// or unix://"),
        (
            "SERVICES",
            "likes",
            "SERVICES names unknown contexts: likes; known are auth, users, posts, comments, reactions, notifications,"
            " search, metrics, moderation",
        ),
        ("PUBLIC_URL", "social.example", "PUBLIC_URL must begin with https:// or http://"),
        ("POSTS_URL", "posts:8001", "POSTS_URL must begin with http:// or https://"),
        (
            "AUTH_DATABASE_URL",
            "postgres://db/auth",
            "DATABASE_URL or AUTH_DATABASE_URL must begin with mysql:// or sqlite://",
        ),
        (
            "DATABASE_URL",
            "mysql://db/socialapp",
            "each context needs a database of its own: put {context} into DATABASE_URL",
        ),
    ]
    environments = [{**os.environ, "SECRET_KEY": "k" * 50, name: value} for name, value, _ in invalid]
    with ThreadPoolExecutor(2) as pool:
        ended = [*pool.map(lambda environment: _manage(environment, "bus status"), environments)]
    assert [(each.returncode, each.stderr) for each in ended] == [(1, f"bus: {line}\n") for _, _, line in invalid]


@pytest.mark.parametrize("value", ["", "no", "NO", "off", "false", "0"])
def test_a_variable_that_says_no_is_accepted(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITEMAP", value)
    assert env.bool("SITEMAP", default=True) is False


def test_a_command_for_one_database_asks_for_its_name() -> None:
    ended = _manage({**os.environ}, "migrate")
    assert ended.returncode == 1
    assert ended.stderr == (
        "migrate: each context has a database: name it with --database, such as auth (for all: `migrate_all`)\n"
    )


def test_text_that_cannot_be_encoded_is_reported_in_one_line() -> None:
    ended = _manage({**os.environ, "PYTHONIOENCODING": "ascii", "DATA_DIR": "/é"}, "diffsettings")
    assert ended.returncode == 1
    assert ended.stderr == "diffsettings: text that is not ascii was given, or is to be printed\n"


def test_a_command_whose_output_is_not_read_ends_quietly() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as output:
        ended = subprocess.run(
            [sys.executable, "manage.py", "help"], cwd=ROOT, stdout=output, stderr=subprocess.PIPE, check=False
        )
    assert (ended.returncode, ended.stderr) == (141, b"")


def test_a_command_whose_output_cannot_be_written_says_so_in_one_line() -> None:
    with Path("/dev/full").open("wb") as output:
        ended = subprocess.run(
            [sys.executable, "manage.py", "vapid_key"], cwd=ROOT, stdout=output, stderr=subprocess.PIPE, check=False
        )
    assert (ended.returncode, ended.stderr) == (1, b"vapid_key: [Errno 28] No space left on device\n")
