"""Caches are purged of files that are no longer public, with each cache's own API, until they confirm."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.utils import timezone

from apps.posts.actions import purge_caches
from apps.posts.models import MediaPurge
from apps.users.actions import reset_profile, restrict_profile
from tests.conftest import ALL_CONTEXTS, Person
from tests.media.conftest import picture, post_with

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


@dataclass
class FakeCache:
    """A fake cache; its next responses have `statuses`, all later ones succeed."""

    host: str
    asked: list[tuple[str, str, str, bytes]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://{self.host}"


@pytest.fixture
def cache(settings: Any) -> Iterator[FakeCache]:
    class Handler(BaseHTTPRequestHandler):
        def do_PURGE(self) -> None:
            key = self.headers.get("Fastly-Key") or self.headers.get("Authorization") or ""
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            state.asked.append((self.command, self.path, key, body))
            self.send_response(state.statuses.pop(0) if state.statuses else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_POST = do_PURGE  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state = FakeCache(f"127.0.0.1:{server.server_address[1]}")
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    settings.MEDIA_URL = f"{state.url}/media/"
    settings.MEDIA_PURGE_TOKEN, settings.MEDIA_PURGE_ZONE = "secret", "zone"
    settings.MEDIA_PURGE_API = f"{state.url}/client/v4"
    settings.OUTGOING_ALLOWED_HOSTS = [state.host]
    yield state
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("kind", ["nginx", "fastly", "cloudflare"])
def test_every_kind_of_cache_is_purged_until_it_confirms(
    kind: str, cache: FakeCache, register: Callable[..., Person], upload: Callable[..., dict[str, Any]], settings: Any
) -> None:
    settings.MEDIA_PURGE = kind
    ann = register("ann")
    post = post_with(ann, upload(ann))
    url = post["media"][0]["url"]
    assert (purge_caches(), cache.asked) == (0, [])
    cache.statuses = [500]
    assert ann.client.patch(f"/v1/posts/{post['id']}", {"is_private": True}).status_code == 200
    assert [purge_caches(), purge_caches(), purge_caches()] == [0, 1, 0]
    if kind == "cloudflare":
        body = json.dumps({"files": [url]}).encode()
        request = ("POST", "/client/v4/zones/zone/purge_cache", "Bearer secret", body)
    else:
        request = ("PURGE", url.removeprefix(cache.url), "secret" if kind == "fastly" else "", b"")
    assert cache.asked == [request] * 2


def test_a_failing_cache_is_tried_ten_times(
    cache: FakeCache, register: Callable[..., Person], upload: Callable[..., dict[str, Any]], settings: Any
) -> None:
    settings.MEDIA_PURGE = "nginx"
    ann = register("ann")
    post = post_with(ann, upload(ann))
    cache.statuses = [503] * 20
    assert ann.client.delete(f"/v1/posts/{post['id']}").status_code == 204
    assert [purge_caches() for _ in range(12)] == [0] * 12
    assert len(cache.asked) == 10
    assert MediaPurge.objects.count() == 0


def test_media_of_an_account_made_private_are_purged(
    cache: FakeCache,
    register: Callable[..., Person],
    upload: Callable[..., dict[str, Any]],
    drain: Callable[[], int],
    settings: Any,
) -> None:
    settings.MEDIA_PURGE = "cloudflare"
    ann = register("ann")
    urls = [post_with(ann, upload(ann, picture((50 + n, 50))))["media"][0]["url"] for n in range(2)]
    upload(ann, picture((90, 50)))
    drain()
    assert purge_caches() == 0
    assert ann.client.patch("/v1/profiles/me", {"is_private": True}).status_code == 200
    drain()
    assert purge_caches() == 2
    [(*_, body)] = cache.asked
    assert sorted(json.loads(body)["files"]) == sorted(urls)


def test_what_moderators_hide_of_an_account_is_purged(
    cache: FakeCache,
    register: Callable[..., Person],
    upload: Callable[..., dict[str, Any]],
    drain: Callable[[], int],
    settings: Any,
) -> None:
    settings.MEDIA_PURGE = "nginx"
    ann, bob = register("ann"), register("bob")
    face = upload(ann, picture((50, 50)))["id"]
    picture_url = ann.client.patch("/v1/profiles/me", {"profile_picture_media_id": face}).json()["profile_picture"]
    post_url = post_with(bob, upload(bob))["media"][0]["url"]
    drain()
    assert purge_caches() == 0
    reset_profile(user_id=int(ann.id), action_id=7)
    restrict_profile(user_id=int(bob.id), kind="silence", at=timezone.now())
    drain()
    assert purge_caches() == 2
    assert {path for _, path, _, _ in cache.asked} == {url.removeprefix(cache.url) for url in (picture_url, post_url)}
