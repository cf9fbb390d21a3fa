"""Maintenance of media: rows against the store, regenerating lost sizes, sweeps, and refused media."""

import io
import json
from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from apps.auth.models import Role, UserRole
from apps.posts.actions import restore_post
from apps.posts.actions.media import inspection
from apps.posts.models import Media, RefusedMedia, RemovedPost, StoredFile
from tests.auth.exports import archive_of
from tests.conftest import ALL_CONTEXTS, JsonClient, Person
from tests.media.conftest import BOTH_STORES, is_served, picture, post_with, variants
from tests.media.stores import Store

pytestmark = [pytest.mark.django_db(databases=ALL_CONTEXTS), BOTH_STORES]


def run(*arguments: str, status: int = 0) -> dict[str, Any]:
    out = io.StringIO()
    with pytest.raises(SystemExit) if status else nullcontext():
        call_command("media", *arguments, "--json", stdout=out)
    report: dict[str, Any] = json.loads(out.getvalue())
    return report


@pytest.fixture
def everything_is_old(monkeypatch: pytest.MonkeyPatch) -> None:
    """Treats all files in the store as old."""
    monkeypatch.setattr(inspection, "_YOUNG", timedelta(minutes=-1))


def test_lost_and_orphaned_files_are_found_and_repaired(
    register: Callable[..., Person],
    upload: Callable[..., dict[str, Any]],
    anonymous: JsonClient,
    store: Store,
    everything_is_old: None,
) -> None:
    ann = register("ann")
    post = post_with(ann, upload(ann, picture((1000, 700))))
    assert run("verify")["equal"] is True
    medium = Media.objects.get().files["medium"]["digest"]
    store.remove(f"files/{medium[:2]}/{medium}.webp")
    unknown = {f"files/aa/{'a' * 64}.webp", "uploads/12345", "files/aa/.part"}
    for name in unknown:
        store.put(name)
    report = run("verify", status=1)
    assert (report["missing_names"], report["unknown"]) == ([f"files/{medium[:2]}/{medium}.webp"], 3)

    assert run("reprocess")["remade"] == 1
    assert is_served(anonymous, anonymous.get(f"/v1/posts/{post['id']}").json()["media"][0]["sizes"]["medium"]["url"])
    assert run("sweep", "--dry-run")["unknown_files"] == 3
    assert unknown <= set(store.names())
    assert run("sweep") == {"dry_run": False, "media": 0, "unused_files": 0, "unknown_files": 3}
    assert not unknown & set(store.names())
    assert run("verify")["equal"] is True
    assert StoredFile.objects.filter(uses=1).count() == 3


def test_a_picture_whose_largest_file_is_lost_is_reported(
    register: Callable[..., Person], upload: Callable[..., dict[str, Any]], store: Store
) -> None:
    media = upload(register("ann"), picture((1000, 700)))
    large = Media.objects.get().files["large"]["digest"]
    store.remove(f"files/{large[:2]}/{large}.webp")
    before = Media.objects.values().get()
    assert run("reprocess", media["id"], status=1) == {"dry_run": False, "remade": 0, "failed": 1}
    assert run("reprocess", "--dry-run", media["id"], "999", status=1) == {"dry_run": True, "remade": 1, "failed": 1}
    assert Media.objects.values().get() == before


def test_the_sweep_keeps_recent_files(store: Store) -> None:
    store.put("uploads/12345")
    assert run("sweep")["unknown_files"] == 0
    assert store.names() == ["uploads/12345"]


def test_refused_media_are_rejected_until_an_appeal_is_accepted(
    register: Callable[..., Person],
    upload: Callable[..., dict[str, Any]],
    anonymous: JsonClient,
) -> None:
    ann, bob = register("ann"), register("bob")
    original, copy = variants()
    url = post_with(ann, upload(ann, original))["media"][0]["url"]
    media = Media.objects.get()
    role, _ = Role.objects.get_or_create(name="admin")
    UserRole.objects.create(user_id=int(register("rooty").id), role=role)
    admin = Client()
    login = {"username": "rooty", "password": "correct horse battery"}
    assert admin.post("/admin/login/?next=/admin/", login).status_code == 302
    chosen = {"action": "refuse", "_selected_action": [str(media.id)]}
    assert admin.post("/admin/posts/media/", chosen).status_code == 302
    assert not is_served(anonymous, url)
    removed = RemovedPost.objects.get()
    assert RefusedMedia.objects.get().media_id == media.id
    assert upload(bob, original)["error"] == "This content was removed by moderators before."
    assert upload(bob, copy)["status"] == "failed"

    restore_post(post_id=removed.id, action_id=removed.action_id)
    assert is_served(anonymous, url)
    assert upload(bob, original)["status"] == "ready"


def test_an_export_contains_the_owners_media_files(
    register: Callable[..., Person], upload: Callable[..., dict[str, Any]], settings: Any, tmp_path: Path
) -> None:
    default = {**settings.STORAGES["default"], "OPTIONS": {"location": tmp_path / "exports"}}
    settings.STORAGES = {**settings.STORAGES, "default": default}
    ann, bob = register("ann"), register("bob")
    media = upload(ann, picture((1000, 700)))
    post_with(bob, upload(bob, picture((500, 300))))
    with archive_of(ann) as archive:
        held = {name: archive.read(name)[8:12] for name in archive.namelist() if "/files/" in name}
    assert held == {f"posts/files/{media['id']}-{size}.webp": b"WEBP" for size in ("large", "medium", "small")}
