"""Uploads: forms, presigned uploads, retries, quotas, and killed or late processes."""

import hashlib
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.utils import timezone

from apps.posts.access import UPLOADER, upload_path
from apps.posts.actions import delete_unused_files, delete_unused_media, process_media, process_waiting_media
from apps.posts.actions.media import processing
from apps.posts.models import Media, StoredFile
from socialapp.core.media.addresses import signed_query
from tests.conftest import ALL_CONTEXTS, JsonClient, Person
from tests.media.conftest import BOTH_STORES, is_served, path_of, picture, send
from tests.media.stores import Bucket, Store
from tests.security.routes import document

pytestmark = [pytest.mark.django_db(databases=ALL_CONTEXTS), BOTH_STORES]


def test_an_upload_returns_before_it_is_processed(register: Callable[..., Person], store: Store) -> None:
    ann = register("ann")
    answer = send(ann, picture(), description="a square")
    assert answer.status_code == 202
    body = answer.json()
    assert (body["status"], body["url"], body["sizes"], body["description"]) == ("processing", None, {}, "a square")
    assert store.names() == [f"uploads/{body['id']}"]
    process_waiting_media()
    ready = ann.client.get(f"/v1/media/{body['id']}").json()
    assert ready["status"] == "ready"
    assert [name.split("/")[0] for name in store.names()] == ["files"]


def test_media_belong_to_their_owner(register: Callable[..., Person], anonymous: JsonClient) -> None:
    ann, bob = register("ann"), register("bob")
    media_id = send(ann, picture()).json()["id"]
    assert bob.client.get(f"/v1/media/{media_id}").status_code == 404
    assert anonymous.get(f"/v1/media/{media_id}").status_code == 401
    assert anonymous.send_raw("POST", "/v1/media", b"", "multipart/form-data; boundary=x").status_code == 401


def test_an_upload_repeated_with_an_idempotency_key_is_stored_once(register: Callable[..., Person]) -> None:
    ann = register("ann")
    first = send(ann, picture(), Idempotency_Key="k")
    again = send(ann, picture(), Idempotency_Key="k")
    other = send(ann, picture((30, 30)), Idempotency_Key="k")
    assert again.json() == first.json()
    assert again["Idempotency-Replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert Media.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"", "multipart/form-data; boundary=x", 422),
        (b"{}", "application/json", 415),
        (b"rubbish", "multipart/form-data", 400),
        (
            b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\ntext\r\n--x--\r\n',
            "multipart/form-data; boundary=x",
            422,
        ),
        (
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n\r\n--x--\r\n',
            "multipart/form-data; boundary=x",
            422,
        ),
    ],
    ids=["no parts", "json", "no boundary", "text", "empty file"],
)
def test_a_malformed_form_is_rejected(
    body: bytes, content_type: str, status: int, register: Callable[..., Person], store: Store
) -> None:
    ann = register("ann")
    answer = ann.client.send_raw("POST", "/v1/media", body, content_type)
    assert answer.status_code == status, answer.content
    assert (Media.objects.count(), store.names()) == (0, [])


def test_file_names_are_ignored(register: Callable[..., Person], store: Store) -> None:
    media_id = send(register("ann"), picture(), name="../../../etc/passwd").json()["id"]
    assert store.names() == [f"uploads/{media_id}"]


def test_the_daily_quota_is_enforced(register: Callable[..., Person], settings: Any) -> None:
    settings.MEDIA_DAILY_FILES = 2
    ann, bob = register("ann"), register("bob")
    assert [send(ann, picture()).status_code for _ in range(3)] == [202, 202, 429]
    assert send(bob, picture()).status_code == 202
    Media.objects.filter(user_id=ann.id).update(created_at=timezone.now() - timedelta(hours=25))
    assert send(ann, picture()).status_code == 202
    settings.MEDIA_DAILY_BYTES = len(picture())
    refused = send(ann, picture())
    assert (refused.status_code, refused.json()["code"]) == (429, "media_quota_reached")
    assert int(refused["Retry-After"]) > 0


def test_a_file_that_is_too_large_is_rejected(register: Callable[..., Person], settings: Any, store: Store) -> None:
    settings.MEDIA_MAX_IMAGE_BYTES = 100
    answer = send(register("ann"), picture())
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "media_too_large")
    assert (Media.objects.count(), store.names()) == (0, [])


def begin(person: Person, content: bytes, content_type: str = "image/png") -> dict[str, Any]:
    answer = person.client.post("/v1/media/uploads", {"content_type": content_type, "size": len(content)})
    assert answer.status_code == 201, answer.content
    body: dict[str, Any] = answer.json()
    return body


def put(url: str, content: bytes, content_type: str = "image/png") -> int:
    """PUTs a file to this server or to the bucket, with only the URL; returns the status."""
    if url.startswith("http://127.0.0.1:8000/"):
        return int(JsonClient().send_raw("PUT", path_of(url), content, content_type).status_code)
    return httpx.put(url, content=content, headers={"Content-Type": content_type}).status_code


def test_a_large_file_is_uploaded_to_the_presigned_url(register: Callable[..., Person], store: Store) -> None:
    ann, bob = register("ann"), register("bob")
    content = picture((300, 200))
    target = begin(ann, content)
    in_bucket = isinstance(store, Bucket)
    early = ann.client.post(f"/v1/media/{target['id']}/complete")
    assert (early.status_code, early.json()["code"]) == (409, "upload_missing")
    for wrong in (content[:-1], content + b"x"):
        assert put(target["url"], wrong) == (403 if in_bucket else 422)
    if in_bucket:
        assert put(target["url"], content, "text/html") == 403
        assert put(target["url"].replace(target["id"], "1"), content) == 403
    else:
        other = begin(bob, content)["url"]
        for address in (
            target["url"].replace(target["id"], bob.id),
            target["url"].replace("part=1", "part=2"),
            target["url"][:-1],
            other.replace(other.split("/")[-2], target["id"]),
            target["url"].split("?")[0],
        ):
            assert put(address, content) == 404
    assert store.names() == []
    assert put(target["url"], content) == (200 if in_bucket else 204)
    assert bob.client.post(f"/v1/media/{target['id']}/complete").status_code == 404
    for _ in range(2):
        assert ann.client.post(f"/v1/media/{target['id']}/complete").status_code == 202
    process_waiting_media()
    assert ann.client.get(f"/v1/media/{target['id']}").json()["status"] == "ready"
    if not in_bucket:
        assert put(target["url"], content) == 409


def test_an_interrupted_upload_in_parts_can_be_resumed(
    register: Callable[..., Person], store: Store, settings: Any
) -> None:
    settings.MEDIA_PART_BYTES = 500
    ann = register("ann")
    content = picture((300, 200), "JPEG")
    body = {"content_type": "image/jpeg", "size": len(content), "resumable": True}
    begun = ann.client.post("/v1/media/uploads", body).json()
    pieces = [content[start : start + 500] for start in range(0, len(content), 500)]
    assert (begun["url"], [part["size"] for part in begun["parts"]]) == (None, [len(piece) for piece in pieces])
    assert len(pieces) > 3

    def statuses(parts: list[dict[str, Any]]) -> set[int]:
        return {put(part["url"], pieces[part["number"] - 1], "image/jpeg") for part in parts}

    assert statuses(begun["parts"][1:3]) <= {200, 204}
    assert put(begun["parts"][0]["url"], pieces[0][:-1], "image/jpeg") in (403, 422)
    early = ann.client.post(f"/v1/media/{begun['id']}/complete")
    assert (early.status_code, early.json()["code"]) == (409, "upload_missing")
    again = ann.client.get(f"/v1/media/{begun['id']}/upload").json()
    assert [part["number"] for part in again["parts"] if part["received"]] == [2, 3]
    assert statuses([part for part in again["parts"] if not part["received"]]) <= {200, 204}
    assert ann.client.post(f"/v1/media/{begun['id']}/complete").status_code == 202
    process_waiting_media()
    assert ann.client.get(f"/v1/media/{begun['id']}").json()["status"] == "ready"
    assert Media.objects.get().content_hash == hashlib.sha256(content).hexdigest()
    assert [name for name in store.names() if name.startswith("uploads/")] == []
    assert ann.client.get(f"/v1/media/{begun['id']}/upload").status_code == 409
    assert "409" in document()["paths"]["/v1/media/{media_id}/upload"]["get"]["responses"]


def test_an_invalid_part_number_is_rejected(register: Callable[..., Person], settings: Any) -> None:
    settings.MEDIA_PART_BYTES = 500
    ann = register("ann")
    media_id = ann.client.post(
        "/v1/media/uploads", {"content_type": "image/png", "size": 900, "resumable": True}
    ).json()["id"]
    for number in ("0", "3", "-1", "x", "1.0", ""):
        signed = signed_query(upload_path(media_id, number=number), audience=UPLOADER, expires=int(time.time()) + 60)
        path = f"/v1/media/{media_id}/content?part={number}&{signed}"
        assert ann.client.send_raw("PUT", path, b"x" * 500, "image/png").status_code == 404


def test_a_file_of_another_type_than_announced_is_rejected(register: Callable[..., Person], store: Store) -> None:
    ann = register("ann")
    content = picture()
    target = begin(ann, content, "image/jpeg")
    assert put(target["url"], content, "image/jpeg") == (200 if isinstance(store, Bucket) else 204)
    refused = ann.client.post(f"/v1/media/{target['id']}/complete")
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "media_unsupported")
    for body in ({"content_type": "image/svg+xml", "size": 5}, {"content_type": "image/png", "size": 2**40}):
        assert ann.client.post("/v1/media/uploads", body).status_code == 422


class Killed(BaseException):
    """Simulates the end of the process."""


@pytest.mark.parametrize("moment", ["convert", "store_files", "finish_media"])
def test_media_left_by_a_killed_process_are_processed_once(
    moment: str, register: Callable[..., Person], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    media_id = int(send(register("ann"), picture((500, 400))).json()["id"])

    def die(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(processing, moment, die)
        with pytest.raises(Killed):
            process_media(media_id=media_id)
    process_waiting_media()
    assert Media.objects.get().status == "processing"  # still claimed: its process may be alive
    Media.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    process_waiting_media()
    media = Media.objects.get()
    assert (media.status, media.attempts) == ("ready", 2)
    stored = {f"files/{file.digest[:2]}/{file.digest}.{file.extension}": file.uses for file in StoredFile.objects.all()}
    assert store.names() == sorted(stored)
    assert set(stored.values()) == {1}


def test_media_that_kill_every_process_are_marked_failed(
    register: Callable[..., Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    send(register("ann"), picture())

    def die(*_: object, **__: object) -> None:
        raise Killed

    monkeypatch.setattr(processing, "convert", die)
    for _ in range(3):
        with pytest.raises(Killed):
            process_waiting_media()
        Media.objects.update(claimed_until=None)
    process_waiting_media()
    assert (Media.objects.get().status, Media.objects.get().error) == ("failed", "too_slow")


def test_a_process_that_lost_its_claim_changes_nothing(
    register: Callable[..., Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    media_id = int(send(register("ann"), picture()).json()["id"])
    real = processing.store_files

    def be_late(**arguments: Any) -> None:
        real(**arguments)
        with monkeypatch.context() as patched:
            patched.setattr(processing, "store_files", real)
            Media.objects.update(claimed_until=None)
            process_media(media_id=media_id)

    monkeypatch.setattr(processing, "store_files", be_late)
    process_media(media_id=media_id)
    assert (Media.objects.get().status, Media.objects.get().attempts) == ("ready", 2)
    assert set(StoredFile.objects.values_list("uses", flat=True)) == {1}


def test_an_outage_of_the_store_does_not_count_as_an_attempt(register: Callable[..., Person], store: Store) -> None:
    ann = register("ann")
    send(ann, picture())
    with store.down():
        process_waiting_media()
    media = Media.objects.get()
    assert (media.status, media.attempts) == ("processing", 0)
    Media.objects.update(claimed_until=None)
    process_waiting_media()
    assert Media.objects.get().status == "ready"


def test_an_upload_during_an_outage_of_the_store_writes_nothing(register: Callable[..., Person], store: Store) -> None:
    ann = register("ann")
    with store.down():
        answer = send(ann, picture())
    assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
    assert Media.objects.count() == 0


def test_identical_files_are_stored_once_until_their_last_use_ends(
    register: Callable[..., Person], upload: Callable[..., dict[str, Any]], store: Store
) -> None:
    ann, bob = register("ann"), register("bob")
    first, second = upload(ann), upload(bob)
    assert len(store.names()) == 1
    assert [file.uses for file in StoredFile.objects.all()] == [2]
    assert ann.client.delete(f"/v1/media/{first['id']}").status_code == 204
    StoredFile.objects.update(unused_since=timezone.now() - timedelta(hours=1))
    delete_unused_files()
    assert len(store.names()) == 1
    assert bob.client.delete(f"/v1/media/{second['id']}").status_code == 204
    assert delete_unused_files() == 0  # a concurrent upload may be about to use it
    StoredFile.objects.update(unused_since=timezone.now() - timedelta(hours=1))
    assert delete_unused_files() == 1
    assert (store.names(), StoredFile.objects.count()) == ([], 0)


def test_unused_media_are_deleted_after_a_day(
    register: Callable[..., Person], upload: Callable[..., dict[str, Any]]
) -> None:
    ann = register("ann")
    unused, shown, picture_of_ann = (upload(ann, picture((50 + n, 50))) for n in range(3))
    assert ann.client.post("/v1/posts", {"content": "x", "media_ids": [shown["id"]]}).status_code == 201
    ann.client.patch("/v1/profiles/me", {"profile_picture_media_id": picture_of_ann["id"]})
    assert delete_unused_media(before_hours=24) == 0
    Media.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert delete_unused_media(before_hours=24) == 1
    assert set(Media.objects.values_list("id", flat=True)) == {int(shown["id"]), int(picture_of_ann["id"])}
    assert ann.client.get(f"/v1/media/{unused['id']}").status_code == 404


def test_a_rejected_change_of_the_profile_keeps_its_picture(
    register: Callable[..., Person], upload: Callable[..., dict[str, Any]]
) -> None:
    ann = register("ann")
    shown, other = upload(ann, picture((50, 50))), upload(ann, picture((60, 60)))
    assert ann.client.patch("/v1/profiles/me", {"profile_picture_media_id": shown["id"]}).status_code == 200
    change = {"profile_picture_media_id": other["id"]}
    assert ann.client.patch("/v1/profiles/me", change, If_Match='"0"').status_code == 412
    assert delete_unused_media(before_hours=0) == 1
    assert [str(media.id) for media in Media.objects.all()] == [shown["id"]]


def test_a_change_with_an_invalid_header_keeps_the_picture(
    register: Callable[..., Person], upload: Callable[..., dict[str, Any]], drain: Callable[[], int]
) -> None:
    ann = register("ann")
    shown, other = upload(ann, picture((50, 50))), upload(ann, picture((60, 60)))
    assert ann.client.patch("/v1/profiles/me", {"profile_picture_media_id": shown["id"]}).status_code == 200
    change = {"profile_picture_media_id": other["id"], "header_picture_media_id": "1"}
    assert ann.client.patch("/v1/profiles/me", change).status_code == 422
    drain()
    delete_unused_media(before_hours=0)
    assert ann.client.get(f"/v1/media/{shown['id']}").status_code == 200
    assert is_served(ann.client, ann.client.get("/v1/profiles/me").json()["profile_picture"])


def test_a_replaced_picture_is_released_once_the_profile_shows_the_other(
    register: Callable[..., Person], upload: Callable[..., dict[str, Any]], drain: Callable[[], int]
) -> None:
    """Also if the other was taken for unused meanwhile, by an earlier change."""
    ann = register("ann")
    first, second = upload(ann, picture((50, 50))), upload(ann, picture((60, 60)))
    for media in (first, second):
        assert ann.client.patch("/v1/profiles/me", {"profile_picture_media_id": media["id"]}).status_code == 200
    Media.objects.filter(id=second["id"]).update(shown_in=Media.Place.NOWHERE)
    drain()
    assert delete_unused_media(before_hours=0) == 1
    assert [(str(media.id), media.shown_in) for media in Media.objects.all()] == [(second["id"], Media.Place.PROFILE)]


def test_erasing_a_user_erases_their_media(
    register: Callable[..., Person], upload: Callable[..., dict[str, Any]], drain: Callable[[], int], store: Store
) -> None:
    ann = register("ann")
    shown, unused = upload(ann, picture((50, 50))), upload(ann, picture((60, 60)))
    send(ann, picture((70, 70)))
    ann.client.post("/v1/posts", {"content": "x", "media_ids": [shown["id"]]})
    assert unused["status"] == "ready"
    assert ann.client.delete("/v1/auth/me", {"password": "correct horse battery"}).status_code == 202
    drain()
    assert Media.objects.count() == 0
    StoredFile.objects.update(unused_since=timezone.now() - timedelta(hours=1))
    delete_unused_files()
    assert store.names() == []
