"""A context that is killed or hangs affects only what depends on it; no response is an internal error."""

import json
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import redis
import yaml

from socialapp.core.contexts import CONTEXTS
from tests.multi_service.cluster import Cluster
from tests.multi_service.conftest import DEADLINE
from tests.scenarios.product import ROOT, Member, Product, eventually

pytestmark = pytest.mark.parametrize("services", ["split9"], indirect=True)

_GATEWAY_SECONDS = 5.0  # that the gateway waits for a service


@dataclass(frozen=True)
class Ask:
    """A request, and the contexts it depends on, its own first."""

    method: str
    path: str
    needs: tuple[str, ...]
    body: Any = field(default=None, hash=False)
    succeeds: int = 200


_VISIBILITY = ("posts", "users")  # these decide who may see a post
ASKS = [
    Ask("GET", "/v1/auth/me", ("auth",)),
    Ask("GET", "/v1/users/{author}", ("auth",)),
    Ask("GET", "/.well-known/jwks.json", ("auth",)),
    Ask("GET", "/v1/profiles/{author}", ("users",)),
    Ask("GET", "/v1/profiles/{author}/followers", ("users",)),
    Ask("GET", "/v1/blocks", ("users",)),
    Ask("PATCH", "/v1/profiles/me", ("users",), {"bio": "still here"}),
    Ask("GET", "/v1/posts/{post}", _VISIBILITY),
    Ask("GET", "/v1/feed", _VISIBILITY),
    Ask("GET", "/v1/profiles/{author}/posts", _VISIBILITY),
    Ask("GET", "/v1/bookmarks", _VISIBILITY),
    Ask("GET", "/v1/hashtags/trending", _VISIBILITY),
    Ask("POST", "/v1/posts", _VISIBILITY, {"content": "written meanwhile"}, 201),
    Ask("PUT", "/v1/posts/{post}/bookmark", _VISIBILITY),
    Ask("GET", "/v1/posts/{post}/comments", ("comments", *_VISIBILITY)),
    Ask("GET", "/v1/comments/{comment}", ("comments", *_VISIBILITY)),
    Ask("POST", "/v1/posts/{post}/comments", ("comments", *_VISIBILITY), {"content": "and commented"}, 201),
    Ask("GET", "/v1/posts/{post}/reactions", ("reactions", *_VISIBILITY)),
    Ask("GET", "/v1/comments/{comment}/reactions", ("reactions", "comments", *_VISIBILITY)),
    Ask("PUT", "/v1/posts/{post}/reaction", ("reactions", *_VISIBILITY), {"reaction_type": "like"}),
    Ask("GET", "/v1/notifications", ("notifications", "comments", *_VISIBILITY)),
    Ask("GET", "/v1/notifications/unread-count", ("notifications", "comments", *_VISIBILITY)),
    Ask("GET", "/v1/notifications/preferences", ("notifications",)),
    Ask("GET", "/v1/search?q=hello&type=posts", ("search", *_VISIBILITY)),
    Ask("GET", "/v1/search?q=ada&type=users", ("search", "users")),
    Ask("GET", "/v1/search/suggest?q=ada", ("search", "users")),
    Ask("GET", "/v1/metrics/me", ("metrics",)),
    Ask("GET", "/v1/posts/{post}/metrics", ("metrics", "posts")),
    Ask("GET", "/v1/reports", ("moderation",)),
    Ask(
        "POST",
        "/v1/reports",
        ("moderation", "users"),
        {"target_type": "user", "target_id": "{other}", "reason": "spam"},
    ),
]


@dataclass(frozen=True)
class Talk:
    """A user whose post has a comment and a reaction; requests are made in their name."""

    ada: Member
    names: dict[str, str]

    def ask(self, ask: Ask) -> httpx.Response:
        """One request; unlike elsewhere, 503 is an acceptable response."""
        content = None if ask.body is None else json.dumps(ask.body).replace("{other}", self.names["other"])
        headers = {"Authorization": f"Bearer {self.ada.access}", "Content-Type": "application/json"}
        path = ask.path.format_map(self.names)
        answer = self.ada.product.http.request(
            ask.method, self.ada.product.url + path, content=content, headers=headers
        )
        assert answer.status_code < 500 or answer.status_code in (503, 504), f"{ask}: {answer.text}"
        if answer.status_code >= 500:
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert int(answer.headers["Retry-After"]) >= 1
            assert answer.json()["status"] == answer.status_code
        return answer

    def check(self, expected: dict[Ask, int]) -> None:
        """Each request returns its expected status, and all but those on which the gateway gives up do so in time.

        Not at once: requests to a service that has just begun to hang wait for it; and the machine may be busy.
        """
        left = dict(expected)

        def settle(ask: Ask) -> str:
            started = time.monotonic()
            answer = self.ask(ask)
            took = time.monotonic() - started
            if answer.status_code == left[ask] and (took < DEADLINE or left[ask] == 504):
                del left[ask]
            return f"{ask.method} {ask.path}: {answer.status_code} after {took:.1f} s"

        def settled() -> bool:
            with ThreadPoolExecutor(12) as threads:
                found = list(threads.map(settle, list(left)))
            assert not left, found
            return True

        eventually(settled, seconds=180)


@pytest.fixture(scope="module")
def talk(product: Product, services: Cluster) -> Iterator[Talk]:
    """Waits until all events have arrived everywhere."""
    ada, bob = product.join("ada"), product.join("bob")
    bob.follow(ada)
    post = ada.write("hello world")["id"]
    comment = bob.post(f"/v1/posts/{post}/comments", {"content": "hi"}).json()["id"]
    assert bob.put(f"/v1/posts/{post}/reaction", {"reaction_type": "love"}).status_code == 200
    assert ada.put(f"/v1/comments/{comment}/reaction", {"reaction_type": "like"}).status_code == 200
    talk = Talk(ada, {"author": ada.id, "other": bob.id, "post": post, "comment": comment})
    expected_kinds = {"follow", "comment", "reaction"}
    eventually(lambda: expected_kinds <= {item["kind"] for item in ada.all_of("/v1/notifications")})
    eventually(lambda: ada.get("/v1/search?q=hello&type=posts").json()["results"])
    services.gateway.change(GATEWAY_TIMEOUT=f"{_GATEWAY_SECONDS:.0f}s")
    yield talk
    services.gateway.change(GATEWAY_TIMEOUT="30s")


def without(*missing: str, own: int = 503) -> dict[Ask, int]:
    """The expected status of each request while a context is missing; `own` is the failure of its own paths."""
    return {
        ask: own if ask.needs[0] in missing else 503 if set(missing).intersection(ask.needs) else ask.succeeds
        for ask in ASKS
    }


def revocations(services: Cluster) -> tuple[redis.Redis, str]:
    """The Redis keys of cached revocations; after a minute they are fetched from auth again."""
    return redis.Redis.from_url(os.environ["REDIS_URL"]), f"{services.shared['REDIS_PREFIX']}auth:revoked"


@contextmanager
def revocations_remembered(services: Cluster, talk: Talk) -> Iterator[None]:
    """Keeps the cached revocations from expiring."""
    client, key = revocations(services)
    with client:
        eventually(lambda: talk.ada.get("/v1/auth/me").status_code == 200 and client.persist(key))
        try:
            yield
        finally:
            client.expire(key, 60)


def test_the_schema_describes_all_services(product: Product) -> None:
    found = yaml.safe_load(product.call("GET", "/v1/schema").text)
    expected = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text())
    assert found["paths"] == expected["paths"]
    assert found["components"] == expected["components"]


@pytest.mark.parametrize("name", CONTEXTS)
def test_a_hanging_or_killed_context_affects_only_what_depends_on_it(services: Cluster, talk: Talk, name: str) -> None:
    talk.check(without())
    with revocations_remembered(services, talk), services.serving(name).hung():
        talk.check(without(name, own=504))
        with services.serving(name).killed():
            talk.check(without(name))
    talk.check(without())


def test_without_auth_for_a_minute_only_public_requests_succeed(services: Cluster, talk: Talk) -> None:
    """Cached revocations have expired then. Before that everything works, as above."""
    post = f"/v1/posts/{talk.names['post']}"
    client, key = revocations(services)
    with services.serving("auth").killed(), client:
        client.delete(key)
        refused = talk.ask(Ask("GET", post, ("auth",)))
        assert (refused.status_code, refused.json()["code"]) == (503, "auth_unavailable")
        assert talk.ada.product.call("GET", post).status_code == 200
    talk.check(without())


def _forget_counts(services: Cluster) -> None:
    """Removes the cached revocations from Redis for half a minute."""
    store = redis.Redis.from_url(os.environ["REDIS_URL"])
    for key in store.scan_iter(f"{services.shared['REDIS_PREFIX']}fragment:*", count=1000):
        store.delete(key)


def test_without_reactions_posts_and_comments_show_none(services: Cluster, talk: Talk) -> None:
    post, comment = f"/v1/posts/{talk.names['post']}", f"/v1/comments/{talk.names['comment']}"
    eventually(lambda: talk.ada.get(post).json()["reactions"]["love"] == 1)  # a breaker may be open
    before = talk.ada.get(post).json()
    with services.serving("reactions").killed():
        _forget_counts(services)
        for path in (post, comment):
            assert not any(talk.ada.get(path).json()["reactions"].values())
        refused = talk.ask(Ask("PUT", f"{post}/reaction", ("reactions",), {"reaction_type": "sad"}))
        assert refused.status_code == 503
    eventually(lambda: talk.ada.get(post).json() == before)  # refused writes had no effect


def test_without_comments_posts_show_none(services: Cluster, talk: Talk) -> None:
    post = f"/v1/posts/{talk.names['post']}"
    before = talk.ada.get(post).json()
    with services.serving("comments").killed():
        _forget_counts(services)
        eventually(lambda: talk.ada.get(post).json() == {**before, "comments_count": 0})
    eventually(lambda: talk.ada.get(post).json() == before)


def test_changes_during_an_outage_of_search_are_found_afterwards(services: Cluster, talk: Talk) -> None:
    word = f"meanwhile{talk.ada.id}"
    with services.serving("search").killed():
        post = talk.ada.write(word)["id"]

    def found() -> list[str]:
        answer = talk.ask(Ask("GET", f"/v1/search?q={word}&type=posts", ("search",)))
        return [item["item"]["id"] for item in answer.json().get("results", [])]

    eventually(lambda: found() == [post], seconds=180)


def test_the_problem_names_the_missing_context_however_far_downstream(services: Cluster, talk: Talk) -> None:
    comments = Ask("GET", f"/v1/posts/{talk.names['post']}/comments", ("comments", *_VISIBILITY))
    with services.serving("users").killed():
        eventually(lambda: talk.ask(comments).json().get("code") == "users_unavailable")
    talk.check(without())


def test_a_hanging_context_further_downstream_is_reported_within_the_deadline(services: Cluster, talk: Talk) -> None:
    """Search calls posts, which calls reactions: posts gives up on that while there is time left to respond without
    it.
    """
    search = Ask("GET", "/v1/search?q=hello&type=posts", ("search", *_VISIBILITY))

    def is_found_without() -> bool:
        talk.check(without())  # so that no breaker remembers failures, which would avoid the waiting
        with services.serving("reactions").hung():
            return talk.ask(search).status_code == 200

    eventually(is_found_without, seconds=180)  # a busy machine may need more than the time left
    talk.check(without())
