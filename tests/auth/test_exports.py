"""Exports contain all data about their owner, nothing about others and no secrets, and expire."""

import json
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.core.files.storage import default_storage
from django.utils import timezone

from apps.auth import actions, tasks
from apps.auth.models import Export
from apps.posts.actions import remove_post
from tests.auth.exports import archive_of
from tests.conftest import ALL_CONTEXTS, JsonClient, Person

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def _storage(settings: Any, tmp_path: Path) -> None:
    default = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "default": default}


def archives() -> Any:
    return default_storage.listdir("exports")[1] if default_storage.exists("exports") else []


def exported(person: Person) -> dict[Any, Any]:
    with archive_of(person) as archive:
        return read_tables(archive)


def read_tables(archive: zipfile.ZipFile) -> dict[Any, Any]:
    names = [name for name in archive.namelist() if name.endswith(".jsonl")]
    return {name: [json.loads(line) for line in archive.read(name).splitlines()] for name in names}


def test_an_export_contains_all_data_of_the_owner_and_none_of_others(
    register: Callable[..., Person], drain: Callable[[], int]
) -> None:
    alice, bob = register("alice", full_name="Alice A."), register("bob")
    post = alice.client.post("/v1/posts", {"content": "my very own words"}).json()
    theirs = bob.client.post("/v1/posts", {"content": "words of bob"}).json()
    drain()
    alice.client.post(f"/v1/posts/{theirs['id']}/comments", {"content": "a comment of mine"})
    alice.client.put(f"/v1/profiles/{bob.id}/follow")
    bob.client.post(f"/v1/posts/{post['id']}/comments", {"content": "what bob thinks"})
    drain()
    files = exported(alice)
    (user,) = files["auth/users.jsonl"]
    assert user["id"] == alice.id
    assert user["email"] == "alice@example.org"
    assert [row["content"] for row in files["posts/posts.jsonl"]] == ["my very own words"]
    assert [row["content"] for row in files["comments/comments.jsonl"]] == ["a comment of mine"]
    assert [row["following_id"] for row in files["users/follows.jsonl"]] == [bob.id]
    assert files["auth/sessions.jsonl"][0]["address"] == "127.0.0.0/24"
    everything = json.dumps(files)
    for secret in ("argon2", "token_digest", "words of bob", "what bob thinks", "bob@example.org"):
        assert secret not in everything


def test_an_export_contains_the_earlier_texts_of_posts(register: Callable[..., Person]) -> None:
    alice, bob = register("alice"), register("bob")
    for person in (alice, bob):
        post = person.client.post("/v1/posts", {"content": f"first of {person.username}"}).json()["id"]
        person.client.patch(f"/v1/posts/{post}", {"content": f"second of {person.username}"})
    removed = alice.client.post("/v1/posts", {"content": "rude"}).json()["id"]
    alice.client.patch(f"/v1/posts/{removed}", {"content": "polite"})
    remove_post(post_id=int(removed), action_id=1)
    edits = exported(alice)["posts/post_edits.jsonl"]
    assert [(edit["version"], edit["content"]) for edit in edits] == [(1, "first of alice"), (1, "rude")]


def test_an_export_contains_how_often_summaries_are_mailed(register: Callable[..., Person]) -> None:
    alice = register("alice")
    alice.client.patch("/v1/notifications/preferences", {"digest": "weekly"})
    (settings,) = exported(alice)["notifications/notification_settings.jsonl"]
    assert settings["digest"] == "weekly", "the column has the name of columns with hashes"


def test_the_owner_is_notified(register: Callable[..., Person]) -> None:
    alice = register("alice")
    actions.send_due_mails()
    mail.outbox.clear()
    exported(alice)
    actions.send_due_mails()
    assert [message.subject for message in mail.outbox] == ["A copy of your data was requested"]


def test_one_export_is_made_at_a_time(register: Callable[..., Person]) -> None:
    alice = register("alice")
    alice.confirm()
    first = alice.client.post("/v1/auth/me/export")
    assert first.status_code == 202
    assert first.json()["status"] == "processing"
    assert first.json()["url"] is None
    assert alice.client.post("/v1/auth/me/export").json()["id"] == first.json()["id"]
    tasks.build_exports()
    tasks.build_exports()
    assert len(archives()) == 1
    assert alice.client.post("/v1/auth/me/export").json()["id"] != first.json()["id"]


def test_an_account_gets_five_exports_a_day(register: Callable[..., Person]) -> None:
    alice = register("alice")
    alice.confirm()
    for _ in range(5):
        assert alice.client.post("/v1/auth/me/export").status_code == 202
        tasks.build_exports()
    refused = alice.client.post("/v1/auth/me/export")
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert len(archives()) == 5
    Export.objects.update(requested_at=timezone.now() - timedelta(hours=25))
    assert alice.client.post("/v1/auth/me/export").status_code == 202


def test_the_progress_of_an_export_has_an_etag(register: Callable[..., Person]) -> None:
    alice = register("alice")
    alice.confirm()
    path = f"/v1/auth/exports/{alice.client.post('/v1/auth/me/export').json()['id']}"
    before = alice.client.get(path)
    same = alice.client.get(path, If_None_Match=before.headers["ETag"])
    assert (same.status_code, same.headers["ETag"]) == (304, before.headers["ETag"])
    tasks.build_exports()
    after = alice.client.get(path, If_None_Match=before.headers["ETag"])
    assert (after.status_code, after.json()["status"], after.headers["Cache-Control"]) == (200, "ready", "no-store")


def test_an_export_is_available_to_its_owner_only(register: Callable[..., Person], anonymous: JsonClient) -> None:
    alice, bob = register("alice"), register("bob")
    alice.confirm()
    bob.confirm()
    export_id = alice.client.post("/v1/auth/me/export").json()["id"]
    tasks.build_exports()
    path = f"/v1/auth/exports/{export_id}"
    assert bob.client.get(path).status_code == 404
    assert anonymous.get(path).status_code == 401
    own = bob.client.post("/v1/auth/me/export").json()["id"]
    tasks.build_exports()
    key = bob.client.get(f"/v1/auth/exports/{own}").json()["url"].partition("key=")[2]
    for bad in ("", "x", key):
        answer = anonymous.get(f"{path}/archive?key={bad}")
        assert answer.status_code == 404, bad


def test_a_download_link_expires_after_five_minutes(
    register: Callable[..., Person], anonymous: JsonClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    import time

    alice = register("alice")
    alice.confirm()
    export_id = alice.client.post("/v1/auth/me/export").json()["id"]
    tasks.build_exports()
    url = alice.client.get(f"/v1/auth/exports/{export_id}").json()["url"].removeprefix("http://testserver")
    later = time.time() + 301
    monkeypatch.setattr("django.core.signing.time.time", lambda: later)
    assert anonymous.get(url).status_code == 404


def _archive_url(person: Person) -> str:
    person.confirm()
    export_id = person.client.post("/v1/auth/me/export").json()["id"]
    tasks.build_exports()
    url: str = person.client.get(f"/v1/auth/exports/{export_id}").json()["url"]
    return url.removeprefix("http://testserver")


def test_the_gateway_sends_archives_as_it_sends_media(
    register: Callable[..., Person], anonymous: JsonClient, settings: Any
) -> None:
    settings.MEDIA_ACCEL = True
    answer = anonymous.get(_archive_url(register("alice")))
    (name,) = archives()
    assert (answer.status_code, answer.headers["X-Accel-Redirect"]) == (200, f"/_media/exports/{name}")
    assert answer.content == b""


@pytest.mark.parametrize("apart", ["service", "bucket"])
def test_a_gateway_without_the_folder_of_archives_is_not_asked_for_them(
    register: Callable[..., Person], anonymous: JsonClient, settings: Any, monkeypatch: pytest.MonkeyPatch, apart: str
) -> None:
    url = _archive_url(register("alice"))
    settings.MEDIA_ACCEL = True
    if apart == "service":
        monkeypatch.setenv("SERVICES", "auth")
    else:
        settings.MEDIA_STORE_URL = "s3://key:secret@store.example/bucket"
    answer = anonymous.get(url)
    assert "X-Accel-Redirect" not in answer.headers
    assert b"".join(answer.streaming_content).startswith(b"PK")


def test_an_expired_export_is_deleted(register: Callable[..., Person]) -> None:
    alice = register("alice")
    alice.confirm()
    export_id = alice.client.post("/v1/auth/me/export").json()["id"]
    tasks.build_exports()
    tasks.delete_expired_exports()
    assert len(archives()) == 1
    Export.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    tasks.delete_expired_exports()
    assert archives() == []
    assert alice.client.get(f"/v1/auth/exports/{export_id}").status_code == 404


def test_an_export_is_deleted_with_the_account(register: Callable[..., Person], drain: Callable[[], int]) -> None:
    alice = register("alice")
    alice.confirm()
    alice.client.post("/v1/auth/me/export")
    tasks.build_exports()
    alice.client.post("/v1/auth/me/export")
    alice.client.delete("/v1/auth/me", {"password": PASSWORD})
    drain()
    assert archives() == []
    assert Export.objects.count() == 0
    assert actions.build_due_exports() == 0


def test_a_failed_export_is_retried_after_a_pause(
    register: Callable[..., Person], settings: Any, tmp_path: Path
) -> None:
    alice = register("alice")
    alice.confirm()
    export_id = alice.client.post("/v1/auth/me/export").json()["id"]
    in_the_way = tmp_path / "exports"
    in_the_way.write_text("a file where the folder should be")
    assert actions.build_due_exports() == 0
    assert actions.build_due_exports() == 0, "only after a pause"
    in_the_way.unlink()
    assert Export.objects.get().due_at < timezone.now() + timedelta(minutes=1)
    Export.objects.update(due_at=timezone.now())
    assert actions.build_due_exports() == 1
    assert alice.client.get(f"/v1/auth/exports/{export_id}").json()["status"] == "ready"


def test_an_export_requested_before_the_clock_was_set_back_does_not_wait(register: Callable[..., Person]) -> None:
    alice = register("alice")
    alice.confirm()
    alice.client.post("/v1/auth/me/export")
    Export.objects.update(due_at=timezone.now() + timedelta(hours=1))
    assert actions.build_due_exports() == 1


def test_an_export_that_keeps_failing_is_marked_failed(
    register: Callable[..., Person], settings: Any, tmp_path: Path
) -> None:
    alice = register("alice")
    alice.confirm()
    export_id = alice.client.post("/v1/auth/me/export").json()["id"]
    (tmp_path / "exports").write_text("a file where the folder should be")
    for _ in range(8):
        assert alice.client.get(f"/v1/auth/exports/{export_id}").json()["status"] == "processing"
        Export.objects.update(due_at=timezone.now())
        assert actions.build_due_exports() == 0
    state = alice.client.get(f"/v1/auth/exports/{export_id}").json()
    assert (state["status"], state["url"]) == ("failed", None)


def test_an_export_requires_a_confirmed_session_and_is_bound_to_it(
    register: Callable[..., Person], anonymous: JsonClient
) -> None:
    alice = register("alice")
    refused = alice.client.post("/v1/auth/me/export")
    assert (refused.status_code, refused.json()["code"]) == (403, "confirmation_required")
    assert Export.objects.count() == 0
    alice.confirm()
    export_id = alice.client.post("/v1/auth/me/export").json()["id"]
    tasks.build_exports()
    other = JsonClient(anonymous.post("/v1/auth/login", {"login": "alice", "password": PASSWORD}).json()["access"])
    assert other.get(f"/v1/auth/exports/{export_id}").status_code == 404
    url = alice.client.get(f"/v1/auth/exports/{export_id}").json()["url"].removeprefix("http://testserver")
    assert anonymous.post("/v1/auth/logout", {"refresh": alice.refresh}).status_code == 204
    assert anonymous.get(url).status_code == 404, "the link is invalid once its session has ended"
