"""Loading a file with all kinds of errors: each bad line is rejected with a reason, the rest is loaded."""

import io
import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connections, router
from django.db.models import Model
from django.test.utils import CaptureQueriesContext

from apps.auth.models import User
from apps.notifications.models import Notification
from apps.posts.models import Post, PostHashtag
from apps.users.models import Follow, Profile
from socialapp.contracts.bulk import BulkTransfer
from socialapp.core.contexts import CONTEXTS
from socialapp.messaging.models import OutboxEvent
from socialapp.ops.bulk import MAX_LINE, export_records, import_records, load_file
from socialapp.rpc.calls import client
from tests.conftest import ALL_CONTEXTS, JsonClient, Person

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

AT = "2026-01-01T00:00:00Z"
HASH = "argon2$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA"


def user(number: int, **other: Any) -> dict[str, Any]:
    """A valid record of a user, except for `other`."""
    name = f"person{number}"
    made = {"type": "user", "id": str(number), "username": name, "email": f"{name}@example.org", "created_at": AT}
    return {**made, **other}


def follow(one: int, other: int, **more: Any) -> dict[str, Any]:
    """A valid record of a follow, except for `more`."""
    return {"type": "follow", "follower_id": str(one), "following_id": str(other), "created_at": AT, **more}


def post(number: int, author: int = 1, **other: Any) -> dict[str, Any]:
    """A valid record of a post, except for `other`."""
    made = {"type": "post", "id": str(number), "user_id": str(author), "content": f"post {number}", "created_at": AT}
    return {**made, **other}


def comment(number: int, on: int = 11, **other: Any) -> dict[str, Any]:
    """A valid record of a comment, except for `other`."""
    made = {"type": "comment", "id": str(number), "post_id": str(on), "user_id": "1", "content": "x", "created_at": AT}
    return {**made, **other}


def reaction(number: int, **other: Any) -> dict[str, Any]:
    """A valid record of a reaction except for `other`, which contains its target."""
    made = {"type": "reaction", "id": str(number), "user_id": "1", "reaction_type": "like", "created_at": AT}
    return {**made, **other}


SOON = (datetime.now(UTC) + timedelta(days=2)).isoformat()
# Lines of a file, each with a part of the reason why it must be rejected, or "" for a valid one.
LINES: list[tuple[Any, str]] = [
    (user(1, password_hash=HASH, email_verified=True, full_name="One", bio="a\nb", is_private=True), ""),
    (user(2, bio="first", is_discoverable=False), ""),
    (b"no json", "not JSON"),
    (b"\xff\xfe{}", "not JSON"),
    (b"[" * 5000, "not JSON"),
    (b"", "blank lines do not count as bad"),
    (b'"' + b"x" * MAX_LINE + b'"', "longer than"),
    (b"[1]", "type must be one of"),
    (b"{}", "type must be one of"),
    ({"type": ["user"]}, "type must be one of"),
    ({"type": "like"}, "type must be one of"),
    (user(3, id=3), "must be text"),
    (user(3, id="-3"), "decimal digits"),
    (user(3, id="9" * 19), "decimal digits"),
    (user(3, id="٣"), "decimal digits"),
    (user(3, username="x"), "3 to 30"),
    (user(3, username="deleted_3"), "not available"),
    (user(3, email="nowhere"), "not an e-mail address"),
    (user(3, password_hash="plain"), "unknown format"),
    (user(3, password_hash="argon2$argon2id$v=19$m=19456,t=2"), "unknown format"),
    (user(3, password_hash="x" * 200), "<= 128"),
    (user(3, created_at="yesterday"), "RFC 3339"),
    (user(3, created_at="2026-01-01T00:00:00"), "time zone"),
    (user(3, created_at="0001-01-01T00:00:00+14:00"), "between 1970 and now"),
    (user(3, created_at=SOON), "between 1970 and now"),
    (user(3, created_at=None), "Expected `datetime`"),
    (user(3, email_verified="yes"), "Expected `bool`"),
    (user(3, full_name="x" * 101), "<= 100"),
    (user(3, bio="x" * 501), "<= 500"),
    (user(3, bio="\u0007"), "control characters"),
    (user(3, full_name="\ud800"), "control characters"),
    (user(3, full_name="a\nb"), "control characters"),
    (user(3, mood="sad"), "unknown field `mood`"),
    ({"type": "user", "id": "3"}, "missing required field"),
    (user(3, username="PERSON1"), "username is taken"),
    (user(3, email="Person2@example.org"), "email is taken"),
    (user(1, username="other", email="other@example.org"), "this id belongs to another"),
    (user(2), ""),
    (user(4), ""),
    (follow(1, 2), ""),
    (follow(1, 2), ""),
    (follow(1, 1), "people cannot follow themselves"),
    (follow(1, 3), "does not exist"),
    (follow(1, 4, extra="x"), "unknown field"),
    (post(11, content="Hello @person2, @nobody and @person1 #Big #news", is_private=False), ""),
    (post(12, is_private=True, updated_at="2026-01-02T00:00:00Z"), ""),
    (post(13, author=3), "no such author"),
    (post(13, content="  "), "1 to 5000"),
    (post(13, content="x" * 5001), "1 to 5000"),
    (post(13, content=["x"]), "must be text"),
    (post(13, updated_at="2025-12-31T00:00:00Z"), "before created_at"),
    (post(13, media="x"), "unknown field"),
    (post(11, content="another one"), "this id belongs to another post"),
    (post(11, author=2), "this id belongs to another post"),
    (post(14, author=2), ""),
    (comment(21), ""),
    (comment(22, parent_comment_id="21"), ""),
    (comment(23, on=14, parent_comment_id="21"), "no such comment on this post"),
    (comment(23, on=99), "no such post"),
    (comment(23, user_id="3"), "no such author"),
    (comment(23, parent_comment_id="24"), "no such comment on this post"),
    (comment(21, content="another"), "this id belongs to another comment"),
    (comment(25, user_id=None, content=""), ""),
    (comment(26, user_id=None), "a tombstone"),
    (reaction(31, post_id="11"), ""),
    (reaction(32, comment_id="21", reaction_type="angry"), ""),
    (reaction(33, post_id="11"), "reacted to this target already"),
    (reaction(33, post_id="99"), "no such target"),
    (reaction(33, user_id="3", post_id="11"), "no such user"),
    (reaction(33, post_id="11", comment_id="21"), "either"),
    (reaction(33), "either"),
    (reaction(33, post_id="14", reaction_type="meh"), "Invalid enum value"),
    (reaction(31, post_id="14"), "this id belongs to another reaction"),
]
BLANK = 6
BAD = {number: reason for number, (_, reason) in enumerate(LINES, start=1) if reason and number != BLANK}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with all these lines."""
    lines = [line if isinstance(line, bytes) else json.dumps(line).encode() for line, _ in LINES]
    path = tmp_path / "in.jsonl"
    path.write_bytes(b"\n".join(lines))
    return path


def load(path: Path) -> tuple[int, dict[str, Any]]:
    """Runs `manage.py load --json`; returns its exit status and report."""
    output = io.StringIO()
    try:
        call_command("load", str(path), json=True, stdout=output)
    except CommandError as refusal:
        return refusal.returncode, json.loads(output.getvalue())
    return 0, json.loads(output.getvalue())


def events() -> list[tuple[str, Any]]:
    """Type and data of all events, in all contexts."""
    rows = [row for context in CONTEXTS for row in OutboxEvent.objects.using(context).order_by("id")]
    return [(row.type.removesuffix(".v1"), json.loads(row.envelope)["data"]) for row in rows]


def test_bad_lines_are_rejected_with_number_and_reason(file: Path) -> None:
    status, report = load(file)
    rejected = [json.loads(line) for line in (file.parent / "in.jsonl.rejected").read_text().splitlines()]
    assert [refusal["line"] for refusal in rejected] == list(BAD)
    wrong = [(refusal, BAD[refusal["line"]]) for refusal in rejected if BAD[refusal["line"]] not in refusal["reason"]]
    assert wrong == []
    assert (status, report["rejected"]) == (2, len(BAD))
    assert report["loaded"] == {"user": 4, "follow": 2, "post": 3, "comment": 3, "reaction": 2}
    assert (file.parent / "in.jsonl.rejected").stat().st_mode & 0o777 == 0o600
    assert sorted(User.objects.values_list("id", flat=True)) == [1, 2, 4]
    assert User.objects.get(id=1).password == HASH
    assert not User.objects.get(id=2).has_usable_password()
    assert sorted(Profile.objects.values_list("user_id", "bio", "is_private", "is_discoverable")) == [
        (1, "a\nb", True, True),
        (2, "first", False, False),
        (4, "", False, True),
    ]
    assert list(Follow.objects.values_list("follower_id", "following_id")) == [(1, 2)]
    assert sorted(Post.objects.values_list("id", "edited", "version")) == [
        (11, False, 1),
        (12, True, 2),
        (14, False, 1),
    ]
    assert sorted(PostHashtag.objects.values_list("tag", "post_id")) == [("big", 11), ("news", 11)]


def test_a_load_publishes_the_same_events_as_the_api_and_only_once(
    file: Path, drain: Callable[[], int], register: Callable[..., Person]
) -> None:
    load(file)
    published = events()
    types = [kind for kind, _ in published]
    assert {kind: types.count(kind) for kind in set(types)} == {
        "auth.user_registered": 3,
        "auth.user_verified": 1,
        "users.profile_changed": 3,
        "users.followed": 1,
        "posts.post_created": 3,
        "comments.comment_created": 2,
        "reactions.reaction_set": 2,
    }
    first = next(body for kind, body in published if kind == "posts.post_created")
    assert (first["hashtags"], first["mention_ids"], first["version"]) == (["big", "news"], [], 1), (
        "in posts of a private account only followers can be mentioned"
    )
    before = list(published)
    assert load(file)[0] == 2
    assert events() == before
    drain()
    assert load(file)[0] == 2
    assert [kind for kind, _ in events()] == types, "delivery publishes no further events"
    reader = register("reader")
    assert Notification.objects.count() == 0, "events older than a day do not notify"
    body = reader.client.get("/v1/profiles/2").json()
    assert (body["followers_count"], body["posts_count"]) == (1, 1)


def test_only_recent_records_cause_notifications(drain: Callable[[], int], register: Callable[..., Person]) -> None:
    alice, bob = register("alice"), register("bob")
    now = datetime.now(UTC).isoformat()
    for number, at in ((11, AT), (12, now)):
        found = import_records(
            "post", records=[_bare(post(number, content="hi @bob", user_id=alice.id, created_at=at))]
        )
        assert found == []
    drain()
    found = bob.client.get("/v1/notifications").json()["results"]
    assert [(row["kind"], row["target"]["id"]) for row in found] == [("mention", "12")]


def _bare(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name != "type"}


def test_loading_again_keeps_later_changes(register: Callable[..., Person]) -> None:
    alice = register("alice")
    made = alice.client.post("/v1/posts", {"content": "first"}).json()
    record = next(export_records("post", until=datetime.now(UTC)))
    assert alice.client.patch(f"/v1/posts/{made['id']}", {"content": "second"}).status_code == 200
    assert import_records("post", records=[_bare(record)]) == []
    assert Post.objects.get().content == "second"


def test_a_deleted_user_is_not_loaded_again(register: Callable[..., Person], drain: Callable[[], int]) -> None:
    alice = register("alice")
    record = next(export_records("user", until=datetime.now(UTC)))
    password = {"password": "correct horse battery"}
    assert alice.client.delete("/v1/auth/me", password).status_code == 202
    assert [found.reason for found in import_records("user", records=[_bare(record)])] == [
        "this id belongs to another account, or to one that was deleted"
    ]
    drain()
    assert len(import_records("user", records=[_bare(record)])) == 1
    assert list(export_records("user", until=datetime.now(UTC))) == []


def test_a_loaded_user_can_log_in_with_their_password(register: Callable[..., Person], anonymous: JsonClient) -> None:
    register("alice")
    record = next(export_records("user", until=datetime.now(UTC)))
    User.objects.all().delete()
    Profile.objects.all().delete()
    assert import_records("user", records=[_bare(record)]) == []
    answer = anonymous.post("/v1/auth/login", {"login": "alice", "password": "correct horse battery"})
    assert answer.status_code == 200


def test_records_created_during_a_dump_are_left_out(register: Callable[..., Person]) -> None:
    alice = register("alice")
    until = datetime.now(UTC)
    bob = register("bob")
    bob.client.post("/v1/posts", {"content": "too late"})
    assert [record["id"] for record in export_records("user", until=until)] == [alice.id]
    assert list(export_records("post", until=until)) == []


def test_a_dump_into_a_pipe_or_a_device_does_not_replace_it(register: Callable[..., Person], tmp_path: Path) -> None:
    alice = register("alice")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        call_command("dump", str(pipe), "--kind", "user")
        assert pipe.is_fifo()
        assert json.loads(os.read(reading, 65536))["id"] == alice.id
    finally:
        os.close(reading)
    assert list(tmp_path.iterdir()) == [pipe]


def test_a_dump_through_a_link_replaces_what_it_names(register: Callable[..., Person], tmp_path: Path) -> None:
    alice = register("alice")
    link, named = tmp_path / "link", tmp_path / "named.jsonl"
    named.write_text("before")
    link.symlink_to(named)
    call_command("dump", str(link), "--kind", "user")
    assert link.is_symlink()
    assert json.loads(named.read_text())["id"] == alice.id


def test_two_dumps_at_once_into_one_file_are_both_complete(
    register: Callable[..., Person], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register("alice")
    file = tmp_path / "dump.jsonl"
    second: list[str] = []

    def export_meanwhile(kind: str, *, until: datetime) -> Iterator[dict[str, Any]]:
        if kind == "user" and not second:
            second.append(kind)
            call_command("dump", str(file))
        yield from export_records(kind, until=until)

    monkeypatch.setattr("socialapp.ops.management.commands.dump.export_records", export_meanwhile)
    call_command("dump", str(file))
    assert [json.loads(line)["username"] for line in file.read_text().splitlines()] == ["alice"]
    assert list(tmp_path.iterdir()) == [file]


def test_a_damaged_or_foreign_progress_file_is_ignored(file: Path) -> None:
    note = file.with_name(file.name + ".progress")
    for noted in (b"", b"120 2", json.dumps({"size": 1, "offset": 10**6, "line": 9}).encode()):
        note.write_bytes(noted)
        load(file)
        assert User.objects.count() == 3
        assert not note.exists()


def test_an_unusable_file_is_reported_in_one_line(tmp_path: Path) -> None:
    for path in (tmp_path / "none.jsonl", tmp_path):
        with pytest.raises(CommandError, match="cannot use"):
            call_command("load", str(path))
    for name in (str(tmp_path / "none" / "out.jsonl"), ""):
        with pytest.raises(CommandError, match="cannot write"):
            call_command("dump", name)


def test_an_archive_for_an_empty_name_is_not_loaded_as_records(file: Path) -> None:
    with pytest.raises(CommandError, match="no account with the username"):
        call_command("load", str(file), "--user", "")
    assert User.objects.count() == 0


def queries(run: Callable[[], object]) -> int:
    """The number of statements that the call takes, on all databases."""
    return sum(_counted(run))


def _counted(run: Callable[[], object]) -> Iterator[int]:
    captures = [CaptureQueriesContext(connections[alias]) for alias in ALL_CONTEXTS]
    for capture in captures:
        capture.__enter__()
    run()
    for capture in captures:
        capture.__exit__(None, None, None)
        yield len(capture)


def in_one_insert(*models: type[Model]) -> int:
    """The number of rows that Django inserts with one statement, at most 50: SQLite allows 999 values."""
    return min(
        connections[router.db_for_write(model)].ops.bulk_batch_size(model._meta.concrete_fields, [None] * 50)
        for model in models
    )


def test_a_batch_takes_the_same_number_of_statements_for_any_size() -> None:
    def people(first: int, last: int) -> None:
        assert import_records("user", records=[_bare(user(number)) for number in range(first, last)]) == []

    def posts(first: int, last: int) -> None:
        lines = [_bare(post(number, author=2, content=f"#a @person2 {number}")) for number in range(first, last)]
        assert import_records("post", records=lines) == []

    people(1, 3)
    assert queries(lambda: people(10, 11)) == queries(lambda: people(20, 20 + in_one_insert(User, Profile)))
    assert queries(lambda: posts(1000, 1001)) == queries(lambda: posts(2000, 2000 + in_one_insert(Post)))


def test_files_and_lines_may_have_any_size(tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl"
    path.write_bytes(b'{"x": "' + b"y" * (3 * MAX_LINE) + b'"}\n' + json.dumps(user(1)).encode() + b"\r\n")
    seen: list[int] = []
    loaded = load_file(path, on_progress=seen.append)
    assert (loaded.rejected, loaded.taken["user"]) == (1, 1)
    assert sum(seen) == path.stat().st_size
    assert client(BulkTransfer, context="auth").parts(kind="user", ids=[1]) == []
