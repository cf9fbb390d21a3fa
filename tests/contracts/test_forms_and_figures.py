"""The forms and figures that clients rely on everywhere: ids, times, page sizes, how long things are valid."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings

from apps.auth.models import Session
from apps.posts.models import Post
from tests.conftest import ALL_CONTEXTS, JsonClient, Person
from tests.security.routes import document

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

_ID = re.compile(r"[1-9][0-9]{0,18}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")  # RFC 3339 in UTC, with milliseconds


def members(body: Any) -> Iterator[tuple[str, Any]]:
    """Every member of every object in a body."""
    if isinstance(body, dict):
        for name, value in body.items():
            yield name, value
            yield from members(value)
    elif isinstance(body, list):
        for item in body:
            yield from members(item)


def test_ids_are_strings_of_digits_and_times_have_milliseconds(
    register: Callable[..., Person], drain: Callable[[], int]
) -> None:
    """Even the times of a whole second."""
    alice, bob = register("alice"), register("bob")
    post = alice.client.post("/v1/posts", {"content": "hi @bob"}).json()["id"]
    drain()
    comment = bob.client.post(f"/v1/posts/{post}/comments", {"content": "hi"}).json()["id"]
    bob.client.put(f"/v1/posts/{post}/reaction", {"reaction_type": "like"})
    bob.client.put(f"/v1/profiles/{alice.id}/follow")
    bob.client.post("/v1/reports", {"target_type": "post", "target_id": post, "reason": "spam"})
    alice.client.patch(f"/v1/posts/{post}", {"content": "hi again @bob"})
    drain()
    Post.objects.update(created_at=datetime(2026, 11, 23, 9, 30, tzinfo=UTC))
    paths = [
        f"/v1/posts/{post}", f"/v1/posts/{post}/comments", f"/v1/comments/{comment}", f"/v1/posts/{post}/reactions",
        f"/v1/posts/{post}/history", f"/v1/profiles/{alice.id}", f"/v1/users/{alice.id}", "/v1/feed", "/v1/auth/me",
        "/v1/auth/sessions", "/v1/notifications", "/v1/explore", "/v1/search?q=again",
        f"/v1/relationships?ids={bob.id}",
    ]  # fmt: skip
    seen = set()
    for person, path in [*((alice, path) for path in paths), (bob, "/v1/reports")]:
        answer = person.client.get(path)
        assert answer.status_code == 200, path
        for name, value in members(answer.json()):
            form = _ID if name == "id" or name.endswith("_id") else _TIME if name.endswith("_at") else None
            if form and value is not None:
                assert isinstance(value, str), (path, name, value)
                assert form.fullmatch(value), (path, name, value)
                seen.add(name)
    assert seen >= {"id", "post_id", "target_id", "created_at", "updated_at"}
    assert alice.client.get(f"/v1/posts/{post}").json()["created_at"] == "2026-11-23T09:30:00.000Z"


def test_a_page_has_twenty_items_and_at_most_a_hundred(register: Callable[..., Person], anonymous: JsonClient) -> None:
    alice = register("alice")
    written = [alice.client.post("/v1/posts", {"content": "x"}).json()["id"] for _ in range(101)]
    path = f"/v1/profiles/{alice.id}/posts"
    for query, expected in (("", 20), ("?limit=100", 100), ("?limit=101", 100), ("?limit=1", 1)):
        page = anonymous.get(f"{path}{query}").json()
        assert set(page) == {"results", "next", "previous"}
        assert [item["id"] for item in page["results"]] == written[::-1][:expected], query
        assert page["previous"] is None
        assert page["next"].startswith("http"), "the link is absolute"
    link = urlsplit(anonymous.get(f"{path}?limit=100").json()["next"])
    rest = anonymous.get(f"{link.path}?{link.query}").json()
    assert ([item["id"] for item in rest["results"]], rest["next"]) == (written[:1], None)


def test_a_confirmation_lasts_for_five_minutes_and_logging_in_is_none(register: Callable[..., Person]) -> None:
    alice = register("alice")
    alice.client.post("/v1/auth/confirm", {"password": "correct horse battery"})
    options = "/v1/auth/passkeys/options"
    assert alice.client.post(options).status_code == 200
    logged_in = JsonClient().post("/v1/auth/login", {"login": "alice", "password": "correct horse battery"}).json()
    assert JsonClient(logged_in["access"]).post(options).json()["code"] == "confirmation_required"
    before = datetime.now(UTC)
    until = alice.client.post("/v1/auth/confirm", {"password": "correct horse battery"}).json()["confirmed_until"]
    assert _TIME.fullmatch(until)
    left = datetime.fromisoformat(until) - before
    assert timedelta(minutes=4, seconds=59) < left < timedelta(minutes=5, seconds=30)
    Session.objects.exclude(confirmed_until=None).update(confirmed_until=datetime.now(UTC))
    refused = alice.client.post(options)
    assert (refused.status_code, refused.json()["code"]) == (403, "confirmation_required")
    assert refused.json()["methods"] == ["password", "code"]
    documented = document()["components"]["schemas"]["ProblemBody"]["properties"]
    assert set(refused.json()) == set(documented), "the schema has every member of a problem"


def test_an_idempotency_key_is_remembered_for_a_day_unless_set_otherwise() -> None:
    assert settings.IDEMPOTENCY_HOURS == 24
