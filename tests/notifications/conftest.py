"""What the notifications tests share."""

import base64
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from socialapp.messaging.models import FailedDelivery
from tests.conftest import Person
from tests.factories import create_comment, create_post
from tests.notifications.live import SocketServer, serving

KEYS = {
    "p256dh": "BGsX0fLhLEJH-Lzm5WOkQPJ3A32BLeszoPShOUXYmMKWT-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU",  # of P-256
    "auth": base64.urlsafe_b64encode(b"a" * 16).decode().rstrip("="),
}
ENDPOINT = "https://push.example.com/send/abc"


@pytest.fixture(autouse=True)
def _no_handler_has_failed(db: None) -> Iterator[None]:
    """A handler that fails is only noted and tried again, so that a test would not see it."""
    yield
    failed = list(FailedDelivery.objects.using("notifications").values_list("handler", "error"))
    assert not failed, failed


@pytest.fixture
def follow(drain: Callable[[], int]) -> Callable[[Person, Person], None]:
    """Makes one person follow another, accepting the request when the other is private."""

    def make(follower: Person, followed: Person) -> None:
        answer = follower.client.put(f"/v1/profiles/{followed.id}/follow")
        assert answer.status_code == 200, answer.content
        if answer.json()["requested"]:
            assert followed.client.post(f"/v1/follow-requests/{follower.id}/accept").status_code == 200
        drain()

    return make


@pytest.fixture
def server(transactional_db: None) -> Iterator[SocketServer]:
    """A running server of sockets."""
    with serving() as running:
        yield running


@pytest.fixture
def alice(register: Callable[..., Person]) -> Person:
    """A person without followers yet."""
    return register("alice")


@pytest.fixture
def bob(register: Callable[..., Person], alice: Person) -> Person:
    """Follows alice."""
    person = register("bob")
    assert person.client.put(f"/v1/profiles/{alice.id}/follow").status_code == 200
    return person


def notifications_of(person: Person, query: str = "") -> list[dict[str, Any]]:
    """A person's notifications, newest first."""
    answer = person.client.get(f"/v1/notifications{query}")
    assert answer.status_code == 200, answer.content
    return list(answer.json()["results"])


def kinds(person: Person) -> list[str]:
    """The kinds of a person's notifications, newest first."""
    return [item["kind"] for item in notifications_of(person)]


def unread(person: Person) -> int:
    """A person's unread count."""
    answer = person.client.get("/v1/notifications/unread-count")
    assert answer.status_code == 200, answer.content
    return int(answer.json()["count"])


def post(person: Person, content: str = "hello", **extra: Any) -> str:
    """The id of a new post."""
    return str(create_post(person, content=content, **extra)["id"])


def comment(person: Person, post_id: str, content: str = "well", **extra: Any) -> str:
    """The id of a new comment."""
    return str(create_comment(person, post_id, content=content, **extra)["id"])


def react(person: Person, post_id: str, reaction: str = "like") -> None:
    """Reacts to a post."""
    answer = person.client.put(f"/v1/posts/{post_id}/reaction", {"reaction_type": reaction})
    assert answer.status_code == 200, answer.content


def subscription(**changes: Any) -> dict[str, Any]:
    """What a browser's PushSubscription.toJSON() gives."""
    return {"endpoint": ENDPOINT, "expirationTime": None, "keys": KEYS, **changes}
