"""What the tests of posts share: writing through the API, reading whole lists page by page, and counting events."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings

from socialapp.messaging.models import OutboxEvent
from tests.conftest import JsonClient, Person
from tests.factories import create_post


@pytest.fixture
def write() -> Callable[..., dict[str, Any]]:
    """Writes a post and answers its body."""

    def make(person: Person, content: str = "hello", **fields: Any) -> dict[str, Any]:
        return create_post(person, content=content, **fields)

    return make


@pytest.fixture
def follow(drain: Callable[[], int]) -> Callable[[Person, Person], None]:
    """Makes one person follow another, accepting the request when the other is private."""

    def make(follower: Person, followed: Person) -> None:
        answer = follower.client.put(f"/v1/profiles/{followed.id}/follow")
        assert answer.status_code == 200, answer.content
        if answer.json()["requested"]:
            accepted = followed.client.post(f"/v1/follow-requests/{follower.id}/accept")
            assert accepted.status_code == 200, accepted.content
        drain()

    return make


@pytest.fixture
def make_private() -> Callable[[Person], None]:
    """Makes an account private."""

    def make(person: Person) -> None:
        assert person.client.patch("/v1/profiles/me", {"is_private": True}).status_code == 200

    return make


def read_all(client: JsonClient, path: str, limit: int = 100) -> list[dict[str, Any]]:
    """Every item of a list, following `next`."""
    items: list[dict[str, Any]] = []
    url: str | None = f"{path}?limit={limit}"
    while url:
        answer = client.get(url.removeprefix("http://testserver"))
        assert answer.status_code == 200, answer.content
        page = answer.json()
        items += page["results"]
        url = page["next"]
    return items


def ids_of(items: list[dict[str, Any]]) -> list[str]:
    """The ids of post objects."""
    return [item["id"] for item in items]


def events(name: str) -> list[dict[str, Any]]:
    """The data of the events of a type that posts has published, in order."""
    import orjson

    rows = OutboxEvent.objects.using("posts").filter(type=f"posts.{name}.v1").order_by("id")
    return [orjson.loads(row.envelope)["data"] for row in rows]


def shown(person: Person, limit: int = 100) -> list[Any]:
    """The person's feed as the API gives it, in the form of ExpectedFeeds.feed."""
    return [
        (post["id"], post["reposted_by"] and post["reposted_by"]["id"])
        for post in read_all(person.client, "/v1/feed", limit)
    ]


def feed_key(person: Person) -> str:
    """The name of the person's list in Redis."""
    return f"{settings.REDIS_PREFIX}feed:{person.id}"
