"""Pictures from the upload to the post that shows them."""

import base64
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.posts.actions import restrict_post
from apps.users.actions import reset_profile, restore_profile, restrict_profile
from socialapp.contracts.posts import Posts
from socialapp.core.media import stores
from socialapp.rpc.calls import client
from socialapp.settings import media_store
from tests.conftest import ALL_CONTEXTS, JsonClient, Person
from tests.media.conftest import BOTH_STORES, animation, is_served, path_of, picture, post_with
from tests.posts.conftest import events

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


def test_an_upload_is_shown_in_a_post_and_served(
    register: Callable[..., Person], anonymous: JsonClient, upload: Callable[..., dict[str, Any]]
) -> None:
    ann = register("ann")
    media = upload(ann, picture((1000, 500)), description="a square")
    assert (media["type"], media["status"], media["width"], media["height"]) == ("image", "ready", 1000, 500)
    assert media["sizes"]["medium"]["width"] == 960
    answer = ann.client.post("/v1/posts", {"content": "look", "media_ids": [media["id"]]})
    assert answer.status_code == 201, answer.content
    assert is_served(anonymous, media["url"]), "the owner's earlier URL is still valid"
    shown = anonymous.get(f"/v1/posts/{answer.json()['id']}").json()["media"]
    assert [item["id"] for item in shown] == [media["id"]]
    assert shown[0]["description"] == "a square"
    served = anonymous.get(path_of(shown[0]["url"]))
    assert (served.status_code, served["Content-Type"]) == (200, "image/webp")
    content = b"".join(served.streaming_content)
    assert content[:4] == b"RIFF"
    assert content[8:12] == b"WEBP"


def test_files_are_sent_with_security_headers(
    register: Callable[..., Person], anonymous: JsonClient, upload: Callable[..., dict[str, Any]]
) -> None:
    ann = register("ann")
    [shown] = post_with(ann, upload(ann))["media"]
    served = anonymous.get(path_of(shown["url"]))
    assert served["X-Content-Type-Options"] == "nosniff"
    assert served["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert served["Cache-Control"] == "public, max-age=31536000, immutable"
    served.close()


@BOTH_STORES
def test_media_of_private_posts_require_their_own_signature(
    register: Callable[..., Person], anonymous: JsonClient, upload: Callable[..., dict[str, Any]]
) -> None:
    ann = register("ann")
    [first] = post_with(ann, upload(ann, picture((50, 50))), is_private=True)["media"]
    [second] = post_with(ann, upload(ann, picture((60, 60))), is_private=True)["media"]
    assert is_served(anonymous, first["url"])
    bare, query = first["url"].split("?")
    assert not is_served(anonymous, bare)
    assert not is_served(anonymous, f"{second['url'].split('?')[0]}?{query}")
    assert not is_served(anonymous, first["url"].replace("expires=", "expires=9"))
    assert not is_served(anonymous, first["url"][:-1] + ("0" if first["url"][-1] != "0" else "1"))


def test_a_signed_url_expires(
    register: Callable[..., Person], anonymous: JsonClient, upload: Callable[..., dict[str, Any]], settings: Any
) -> None:
    ann = register("ann")
    [shown] = post_with(ann, upload(ann), is_private=True)["media"]
    settings.MEDIA_LINK_SECONDS = -10
    [expired] = ann.client.get("/v1/posts?ids=" + ann.client.get("/v1/feed").json()["results"][0]["id"]).json()[
        "results"
    ][0]["media"]
    assert is_served(anonymous, shown["url"])
    assert not is_served(anonymous, expired["url"])


@BOTH_STORES
def test_a_public_url_gets_404_once_the_post_is_private(
    register: Callable[..., Person], anonymous: JsonClient, upload: Callable[..., dict[str, Any]]
) -> None:
    ann = register("ann")
    post = post_with(ann, upload(ann))
    url = post["media"][0]["url"]
    assert is_served(anonymous, url)
    assert ann.client.patch(f"/v1/posts/{post['id']}", {"is_private": True}).status_code == 200
    assert not is_served(anonymous, url)
    assert is_served(anonymous, ann.client.get(f"/v1/posts/{post['id']}").json()["media"][0]["url"])


def test_a_public_url_gets_404_once_the_account_is_private(
    register: Callable[..., Person], anonymous: JsonClient, upload: Callable[..., dict[str, Any]]
) -> None:
    ann = register("ann")
    url = post_with(ann, upload(ann))["media"][0]["url"]
    assert ann.client.patch("/v1/profiles/me", {"is_private": True}).status_code == 200
    assert not is_served(anonymous, url)


def test_a_public_url_gets_404_once_a_moderator_hides_the_post(
    register: Callable[..., Person], anonymous: JsonClient, upload: Callable[..., dict[str, Any]]
) -> None:
    ann = register("ann")
    post = post_with(ann, upload(ann))
    url = post["media"][0]["url"]
    assert is_served(anonymous, url)
    for is_active in (True, False):
        restrict_post(post_id=int(post["id"]), kind="hidden", is_active=is_active, at=timezone.now())
        assert is_served(anonymous, url) is not is_active


def test_signed_urls_of_a_hidden_post_are_for_its_author(
    register: Callable[..., Person], anonymous: JsonClient, upload: Callable[..., dict[str, Any]]
) -> None:
    ann = register("ann")
    private = post_with(ann, upload(ann, picture((50, 50))), is_private=True)
    public = post_with(ann, upload(ann, picture((60, 60))))
    for post in (private, public):
        path = f"/v1/posts/{post['id']}"
        assert ann.client.patch(path, {"content": "look again"}).status_code == 200
        restrict_post(post_id=int(post["id"]), kind="hidden", is_active=True, at=timezone.now())
        assert not is_served(anonymous, post["media"][0]["url"]), "readers have this URL"
        [version] = ann.client.get(f"{path}/history").json()["results"]
        for shown in (ann.client.get(path).json(), version):
            assert is_served(anonymous, shown["media"][0]["url"]), "its author still sees it"
        assert is_served(anonymous, ann.client.get(f"/v1/media/{post['media'][0]['id']}").json()["url"])
        [reviewed] = client(Posts).reviewed_media(post_ids=[int(post["id"])])
        assert is_served(anonymous, reviewed.url), "moderators do, too"


def test_media_of_a_silenced_author_are_for_followers(
    register: Callable[..., Person], anonymous: JsonClient, upload: Callable[..., dict[str, Any]]
) -> None:
    ann = register("ann")
    post = post_with(ann, upload(ann))
    url = post["media"][0]["url"]
    for kind in ("silence", "unsilence"):
        restrict_profile(user_id=int(ann.id), kind=kind, at=timezone.now())
        assert is_served(anonymous, url) is (kind == "unsilence")
        assert is_served(anonymous, ann.client.get(f"/v1/posts/{post['id']}").json()["media"][0]["url"])


def test_media_of_somebody_inactive_are_sent_to_moderators_only(
    register: Callable[..., Person], anonymous: JsonClient, upload: Callable[..., dict[str, Any]], settings: Any
) -> None:
    settings.ERASURE_GRACE_DAYS = 14
    ann = register("ann")
    unused = upload(ann, picture((50, 50)))["url"]
    post = post_with(ann, upload(ann, picture((60, 60))), is_private=True)
    signed = post["media"][0]["url"]
    assert [is_served(anonymous, url) for url in (unused, signed)] == [True, True]
    assert ann.client.delete("/v1/auth/me", {"password": "correct horse battery"}).status_code == 202
    assert [is_served(anonymous, url) for url in (unused, signed)] == [False, False]
    [reviewed] = client(Posts).reviewed_media(post_ids=[int(post["id"])])
    assert is_served(anonymous, reviewed.url)


def test_the_pictures_of_a_profile_get_404_once_a_moderator_resets_it(
    register: Callable[..., Person], anonymous: JsonClient, upload: Callable[..., dict[str, Any]]
) -> None:
    ann = register("ann")
    chosen = {
        f"{name}_media_id": upload(ann, picture((size, 50)))["id"]
        for name, size in (("profile_picture", 60), ("header_picture", 70))
    }
    shown = ann.client.patch("/v1/profiles/me", chosen).json()
    urls = [shown["profile_picture"], shown["header_picture"]]
    assert [is_served(anonymous, url) for url in urls] == [True, True]
    reset_profile(user_id=int(ann.id), action_id=7)
    assert [is_served(anonymous, url) for url in urls] == [False, False]
    restore_profile(user_id=int(ann.id), action_id=7)
    assert [is_served(anonymous, url) for url in urls] == [True, True]


@BOTH_STORES
def test_media_of_a_deleted_post_get_404(
    register: Callable[..., Person], anonymous: JsonClient, upload: Callable[..., dict[str, Any]]
) -> None:
    ann = register("ann")
    public = post_with(ann, upload(ann, picture((50, 50))))
    private = post_with(ann, upload(ann, picture((60, 60))), is_private=True)
    for post in (public, private):
        url = post["media"][0]["url"]
        assert is_served(anonymous, url)
        assert ann.client.delete(f"/v1/posts/{post['id']}").status_code == 204
        assert not is_served(anonymous, url)
        assert ann.client.get(f"/v1/media/{post['media'][0]['id']}").status_code == 404


def test_the_same_picture_in_a_public_post_does_not_reveal_the_private_one(
    register: Callable[..., Person], anonymous: JsonClient, upload: Callable[..., dict[str, Any]]
) -> None:
    ann, bob = register("ann"), register("bob")
    [public] = post_with(ann, upload(ann))["media"]
    [private] = post_with(bob, upload(bob), is_private=True)["media"]
    name = path_of(public["url"]).rpartition("/")[2]
    assert name in private["url"]
    assert not is_served(anonymous, f"/media/{private['id']}/{name}")


@pytest.mark.parametrize("case", ["unknown", "foreign", "used", "fifth", "mixed", "failed"])
def test_a_post_with_invalid_media_is_rejected(
    case: str, register: Callable[..., Person], upload: Callable[..., dict[str, Any]]
) -> None:
    ann, bob = register("ann"), register("bob")
    mine = upload(ann)
    if case == "unknown":
        ids, code = ["12345"], "media_unknown"
    elif case == "foreign":
        ids, code = [upload(bob)["id"]], "media_unknown"
    elif case == "used":
        post_with(ann, mine)
        ids, code = [mine["id"]], "media_in_use"
    elif case == "fifth":
        ids, code = [upload(ann)["id"] for _ in range(5)], "media_too_many"
    elif case == "mixed":
        ids, code = [mine["id"], upload(ann, animation(), name="a.gif")["id"]], "media_too_many"
    else:
        ids, code = [upload(ann, picture()[:60])["id"]], "media_not_ready"
    before = ann.client.get(f"/v1/profiles/{ann.id}/posts").json()["results"]
    answer = ann.client.post("/v1/posts", {"content": "look", "media_ids": ids})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, code)
    assert ann.client.get(f"/v1/profiles/{ann.id}/posts").json()["results"] == before


@BOTH_STORES
def test_an_edit_changes_media_and_the_history_keeps_them(
    register: Callable[..., Person], anonymous: JsonClient, upload: Callable[..., dict[str, Any]]
) -> None:
    ann = register("ann")
    first, second, third = (upload(ann, picture((50 + n, 50))) for n in range(3))
    post = post_with(ann, first, second)
    old_url = post["media"][0]["url"]
    changed = ann.client.patch(f"/v1/posts/{post['id']}", {"media_ids": [third["id"], second["id"]]})
    assert changed.status_code == 200, changed.content
    assert [item["id"] for item in changed.json()["media"]] == [third["id"], second["id"]]
    assert changed.json()["edited"] is True
    [earlier] = anonymous.get(f"/v1/posts/{post['id']}/history").json()["results"]
    assert [item["id"] for item in earlier["media"]] == [first["id"], second["id"]]
    assert not is_served(anonymous, old_url)
    assert is_served(anonymous, earlier["media"][0]["url"])
    emptied = ann.client.patch(f"/v1/posts/{post['id']}", {"media_ids": []})
    assert emptied.json()["media"] == []


def test_a_changed_description_is_shown_in_the_post(
    register: Callable[..., Person], anonymous: JsonClient, upload: Callable[..., dict[str, Any]]
) -> None:
    ann, bob = register("ann"), register("bob")
    media = upload(ann)
    post = post_with(ann, media)
    assert ann.client.patch(f"/v1/media/{media['id']}", {"description": "a cat"}).json()["description"] == "a cat"
    assert anonymous.get(f"/v1/posts/{post['id']}").json()["media"][0]["description"] == "a cat"
    assert bob.client.patch(f"/v1/media/{media['id']}", {"description": "mine"}).status_code == 404
    assert ann.client.patch(f"/v1/media/{media['id']}", {"description": "x" * 1501}).status_code == 422
    assert anonymous.get(f"/v1/posts/{post['id']}").json()["media"][0]["description"] == "a cat"


def test_only_media_in_no_post_can_be_deleted(
    register: Callable[..., Person], upload: Callable[..., dict[str, Any]]
) -> None:
    ann, bob = register("ann"), register("bob")
    free, shown = upload(ann, picture((50, 50))), upload(ann, picture((60, 60)))
    post_with(ann, shown)
    assert bob.client.delete(f"/v1/media/{free['id']}").status_code == 404
    assert ann.client.delete(f"/v1/media/{free['id']}").status_code == 204
    assert ann.client.get(f"/v1/media/{free['id']}").status_code == 404
    assert ann.client.delete(f"/v1/media/{shown['id']}").json()["code"] == "media_in_use"


@pytest.mark.parametrize("field", ["profile_picture", "header_picture"])
def test_pictures_of_a_profile_are_public_even_of_a_private_account(
    field: str, register: Callable[..., Person], anonymous: JsonClient, upload: Callable[..., dict[str, Any]]
) -> None:
    ann, bob = register("ann"), register("bob")
    media = upload(ann)
    changed = ann.client.patch("/v1/profiles/me", {f"{field}_media_id": media["id"], "is_private": True})
    assert changed.status_code == 200, changed.content
    url = anonymous.get(f"/v1/profiles/{ann.id}").json()[field]
    assert is_served(anonymous, url)
    assert bob.client.patch("/v1/profiles/me", {f"{field}_media_id": media["id"]}).status_code == 422
    assert ann.client.delete(f"/v1/media/{media['id']}").status_code == 409
    assert ann.client.patch("/v1/profiles/me", {f"{field}_media_id": None}).json()[field] is None
    assert not is_served(anonymous, url)


def test_content_warning_and_sensitivity_can_be_set_and_changed(register: Callable[..., Person]) -> None:
    ann = register("ann")
    post = post_with(ann, sensitive=True, content_warning="spoilers")
    assert (post["sensitive"], post["content_warning"]) == (True, "spoilers")
    kept = ann.client.patch(f"/v1/posts/{post['id']}", {"content": "other"}).json()
    assert (kept["sensitive"], kept["content_warning"]) == (True, "spoilers")
    changed = ann.client.patch(f"/v1/posts/{post['id']}", {"content_warning": None, "sensitive": False}).json()
    assert (changed["sensitive"], changed["content_warning"]) == (False, None)


def test_explore_shows_public_posts_of_public_accounts_to_anybody(
    register: Callable[..., Person], anonymous: JsonClient
) -> None:
    ann, bob, eve = register("ann"), register("bob"), register("eve")
    first, hidden = post_with(ann), post_with(ann, is_private=True)
    second, closed = post_with(bob), post_with(eve)
    assert eve.client.patch("/v1/profiles/me", {"is_private": True}).status_code == 200

    def ids(client: JsonClient, query: str = "") -> list[str]:
        return [post["id"] for post in client.get(f"/v1/explore{query}").json()["results"]]

    assert ids(anonymous) == [second["id"], first["id"]]
    assert ids(ann.client) == [second["id"], first["id"]]
    assert not {hidden["id"], closed["id"]} & set(ids(eve.client))
    assert eve.client.put(f"/v1/posts/{first['id']}/reaction", {"reaction_type": "like"}).status_code == 200
    assert ids(anonymous, "?sort=trending") == [first["id"], second["id"]]
    assert ann.client.put(f"/v1/profiles/{bob.id}/block").status_code == 200
    assert ids(ann.client) == [first["id"]]
    assert anonymous.get("/v1/explore?sort=best").status_code == 400


def test_a_post_can_be_muted_and_unmuted(register: Callable[..., Person]) -> None:
    ann, bob = register("ann"), register("bob")
    post = post_with(ann)
    for method in ("PUT", "PUT", "DELETE", "DELETE"):
        assert bob.client.request(method, f"/v1/posts/{post['id']}/mute").status_code == 200
    assert [event["user_id"] for event in events("post_muted") + events("post_unmuted")] == [int(bob.id)] * 2
    secret = post_with(ann, is_private=True)
    assert bob.client.put(f"/v1/posts/{secret['id']}/mute").status_code == 404


def test_lists_with_pictures_take_no_more_queries(
    register: Callable[..., Person], upload: Callable[..., dict[str, Any]]
) -> None:
    ann = register("ann")
    path = f"/v1/profiles/{ann.id}/posts"
    post_with(ann)
    ann.client.get(path)
    with CaptureQueriesContext(connections["posts"]) as plain:
        ann.client.get(path)
    for _ in range(2):
        post_with(ann, *(upload(ann) for _ in range(4)))
    ann.client.get(path)
    with CaptureQueriesContext(connections["posts"]) as pictured:
        results = ann.client.get(path).json()["results"]
    assert [len(post["media"]) for post in results] == [4, 4, 0]
    assert len(pictured) == len(plain)


@pytest.mark.parametrize("store", ["s3"], indirect=True)
def test_bucket_urls_expire_and_have_the_right_content_type(
    register: Callable[..., Person], anonymous: JsonClient, upload: Callable[..., dict[str, Any]], settings: Any
) -> None:
    ann = register("ann")
    public = post_with(ann, upload(ann, picture((50, 50))))["media"][0]["url"]
    private = post_with(ann, upload(ann, picture((60, 60))), is_private=True)["media"][0]["url"]
    for url, shared in ((public, "public, max-age=31536000, immutable"), (private, "private")):
        moved = anonymous.get(path_of(url))
        assert (moved.status_code, moved["Cache-Control"].split(",")[0]) == (302, shared.split(",")[0])
        sent = httpx.get(moved["Location"], headers={"Range": "bytes=0-3"})
        assert (sent.status_code, sent.content) == (206, b"RIFF")
        assert sent.headers["Content-Type"] == "image/webp"
        bare = moved["Location"].partition("?")[0]
        assert httpx.get(bare).status_code == 403
        assert httpx.get(moved["Location"].replace("X-Amz-Expires=600", "X-Amz-Expires=6000")).status_code == 403


def test_cloudfront_urls_are_signed_with_our_key(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    monkeypatch.setenv("MEDIA_CLOUDFRONT_KEY", pem.replace("\n", "\\n"))
    monkeypatch.setenv("MEDIA_CLOUDFRONT_KEY_ID", "K123")
    made = media_store("s3://key:secret@/bucket?cloudfront=cdn.example")
    settings.STORAGES = {**settings.STORAGES, "media": made}
    url = urlsplit(stores.download_url("files/ab/c.webp", seconds=600, content_type="image/webp", cache_control="x"))
    query = parse_qs(url.query)
    assert (url.scheme, url.netloc, url.path) == ("https", "cdn.example", "/files/ab/c.webp")
    assert (set(query), query["Key-Pair-Id"]) == ({"Expires", "Signature", "Key-Pair-Id"}, ["K123"])
    policy = (
        '{"Statement":[{"Resource":"https://cdn.example/files/ab/c.webp","Condition":{"DateLessThan":'
        f'{{"AWS:EpochTime":{query["Expires"][0]}}}}}}}]}}'
    )
    signature = base64.b64decode(query["Signature"][0].translate(str.maketrans("-_~", "+=/")))
    key.public_key().verify(signature, policy.encode(), PKCS1v15(), SHA1())  # as CloudFront verifies it
