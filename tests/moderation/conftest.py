"""Fixtures of the tests of moderation: a thread, its people, and moderation's events."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from apps.auth.actions import grant_role
from apps.auth.models import User
from apps.search.actions import rebuild_index
from tests.conftest import Person
from tests.events import published_by

MODERATOR_ID = 900


@dataclass
class Thread:
    """A post by Ann and a comment on it by Ben; Cleo only reads."""

    ann: Person
    ben: Person
    cleo: Person
    post_id: str
    comment_id: str


@pytest.fixture
def thread(register: Callable[..., Person], drain: Callable[[], int]) -> Thread:
    ann, ben, cleo = register("ann"), register("ben"), register("cleo")
    post = ann.client.post("/v1/posts", {"content": "a plain post"})
    assert post.status_code == 201, post.content
    drain()
    comment = ben.client.post(f"/v1/posts/{post.json()['id']}/comments", {"content": "a plain comment"})
    assert comment.status_code == 201, comment.content
    drain()
    return Thread(ann, ben, cleo, post.json()["id"], comment.json()["id"])


@pytest.fixture
def empty_index(db: None) -> None:
    """Empties the index in Elasticsearch, which is not rolled back with the test's transaction."""
    if settings.ELASTICSEARCH_URL:
        rebuild_index()


@pytest.fixture
def lively(empty_index: None, thread: Thread, drain: Callable[[], int]) -> Thread:
    """The thread, with every kind of activity on a post and a comment."""
    post, comment = f"/v1/posts/{thread.post_id}", f"/v1/comments/{thread.comment_id}"
    thread.cleo.client.put(f"/v1/profiles/{thread.ann.id}/follow")
    drain()
    assert thread.ann.client.patch(post, {"content": "a plain post #marmot @cleo"}).status_code == 200
    for path in ("bookmark", "repost"):
        assert thread.cleo.client.put(f"{post}/{path}").status_code == 200
    for target in (post, comment):
        assert thread.cleo.client.put(f"{target}/reaction", {"reaction_type": "love"}).status_code == 200
    drain()
    assert thread.cleo.client.get("/v1/feed").status_code == 200, "reading the feed fills the cache"
    return thread


def report(person: Person, target_type: str, target_id: str, **changes: Any) -> Any:
    body = {"target_type": target_type, "target_id": target_id, "reason": "spam", **changes}
    return person.client.post("/v1/reports", body)


def published(*, since: int = 0) -> list[Any]:
    """The events of moderation after the first `since`."""
    return [envelope.event() for envelope in published_by("moderation")[since:]]


def enter(person: Person, *roles: str) -> Client:
    """A client logged in to the admin site as `person`, with the given roles."""
    for role in roles:
        grant_role(user_id=int(person.id), role=role)
    browser = Client()
    browser.force_login(User.objects.get(id=int(person.id)))
    return browser


def messages(person: Person) -> list[str]:
    """The texts of the person's notifications from moderation, newest first."""
    listed = person.client.get("/v1/notifications").json()["results"]
    return [item["message"] for item in listed if item["kind"] == "moderation"]
