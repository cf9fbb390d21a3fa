"""How people want to be notified, and where their browsers take pushes."""

from collections.abc import Callable
from typing import Any

import pytest

from apps.notifications.models import NotificationPreference, PushSubscription
from tests.conftest import ALL_CONTEXTS, JsonClient, Person
from tests.notifications.conftest import ENDPOINT, KEYS, subscription

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

KINDS = ["new_post", "follow", "follow_request", "follow_accepted", "comment"]
KINDS += ["reply", "mention", "reaction", "repost", "moderation"]
PATH = "/v1/notifications/preferences"


def test_every_kind_has_flags_and_only_what_is_given_changes(register: Callable[..., Person]) -> None:
    alice, bob = register("alice"), register("bob")
    body = alice.client.get(PATH).json()
    assert list(body) == [*KINDS, "digest"]
    assert body["digest"] == "off"
    assert {str(body[kind]) for kind in KINDS} == {str({"in_app": True, "push": True, "email": False})}
    answer = alice.client.patch(PATH, {"follow": {"push": False}, "reply": {"in_app": False, "email": True}})
    assert answer.status_code == 200
    assert answer.json()["follow"] == {"in_app": True, "push": False, "email": False}
    assert answer.json()["reply"] == {"in_app": False, "push": True, "email": True}
    assert alice.client.get(PATH).json() == answer.json()
    assert bob.client.get(PATH).json() == body


def test_a_stale_tag_changes_nothing(register: Callable[..., Person]) -> None:
    alice = register("alice")
    first = alice.client.get(PATH)
    tag = first.headers["ETag"]
    assert alice.client.get(PATH, If_None_Match=tag).status_code == 304
    second = alice.client.patch(PATH, {"follow": {"push": False}}, If_Match=tag)
    assert second.status_code == 200
    assert alice.client.patch(PATH, {"follow": {"push": True}}, If_Match=tag).status_code == 412
    assert alice.client.get(PATH).json()["follow"]["push"] is False
    assert alice.client.patch(PATH, {"follow": {"push": True}}, If_Match=second.headers["ETag"]).status_code == 200
    assert alice.client.get(PATH).json()["follow"]["push"] is True


BAD_PREFERENCES: list[dict[str, Any]] = [
    {"nothing": {"push": True}},
    {"follow": {"sms": True}},
    {"follow": {"push": "yes"}},
    {"follow": {"push": 1}},
    {"follow": {"push": None}},
    {"follow": None},
    {"follow": []},
    {"follow": True},
]


def test_bad_preferences_are_refused_whole(register: Callable[..., Person]) -> None:
    alice = register("alice")
    for body in BAD_PREFERENCES:
        answer = alice.client.patch(PATH, {"reply": {"push": False}, **body})
        assert answer.status_code == 422, body
    assert NotificationPreference.objects.count() == 0


def test_a_browser_is_kept_once_and_belongs_to_whoever_used_it_last(register: Callable[..., Person]) -> None:
    alice, bob = register("alice"), register("bob")
    first = alice.client.post("/v1/push-subscriptions", subscription())
    assert first.status_code == 201
    assert set(first.json()) == {"id", "provider", "endpoint", "expires_at", "created_at"}
    again = alice.client.post("/v1/push-subscriptions", subscription(expirationTime=1_900_000_000_000))
    assert again.json()["id"] == first.json()["id"]
    assert again.json()["expires_at"] == "2030-03-17T17:46:40.000Z"
    moved = bob.client.post("/v1/push-subscriptions", subscription())
    assert moved.json()["id"] != first.json()["id"]
    assert alice.client.get("/v1/push-subscriptions").json()["results"] == []
    path = f"/v1/push-subscriptions/{moved.json()['id']}"
    assert alice.client.delete(path).status_code == 404
    assert PushSubscription.objects.count() == 1
    assert [bob.client.delete(path).status_code for _ in range(2)] == [204, 404]
    assert PushSubscription.objects.count() == 0


def test_a_repeated_key_answers_the_same(register: Callable[..., Person]) -> None:
    alice = register("alice")
    one, two = (alice.client.post("/v1/push-subscriptions", subscription(), Idempotency_Key="k") for _ in range(2))
    assert (one.status_code, one.content) == (two.status_code, two.content) == (201, one.content)
    other = subscription(endpoint="https://push.example.com/other")
    assert alice.client.post("/v1/push-subscriptions", other, Idempotency_Key="k").status_code == 422
    assert PushSubscription.objects.count() == 1


def test_only_the_newest_twenty_browsers_are_kept(register: Callable[..., Person]) -> None:
    alice = register("alice")
    for number in range(22):
        alice.client.post("/v1/push-subscriptions", subscription(endpoint=f"{ENDPOINT}{number}"))
    kept = alice.client.get("/v1/push-subscriptions?limit=100").json()["results"]
    assert [item["endpoint"] for item in kept] == [f"{ENDPOINT}{number}" for number in range(21, 1, -1)]


BAD_SUBSCRIPTIONS: list[dict[str, Any]] = [
    {"endpoint": "http://push.example.com/x"},
    {"endpoint": "https://127.0.0.1/x"},
    {"endpoint": "https://[::1]/x"},
    {"endpoint": "https://localhost/x"},
    {"endpoint": "https://redis.internal/x"},
    {"endpoint": "https://user@push.example.com/x"},
    {"endpoint": "https://push.example.com:99999/x"},
    {"endpoint": "https://push.example.com:8443/x"},
    {"endpoint": "https://push.example.com/" + "x" * 2048},
    {"endpoint": "nonsense"},
    {"endpoint": 5},
    {"keys": {}},
    {"keys": {**KEYS, "auth": "short"}},
    {"keys": {**KEYS, "p256dh": "not base64 !"}},
    {"keys": {**KEYS, "p256dh": "B" * 87}},  # no point of the curve
    {"keys": None},
    {"expirationTime": "soon"},
    {"expirationTime": -1},
    {"more": 1},
]


def test_bad_subscriptions_are_refused(register: Callable[..., Person]) -> None:
    alice = register("alice")
    for changes in BAD_SUBSCRIPTIONS:
        answer = alice.client.post("/v1/push-subscriptions", subscription(**changes))
        assert answer.status_code == 422, changes
    assert PushSubscription.objects.count() == 0


def test_the_key_is_public_and_null_where_pushes_are_not_set_up(anonymous: JsonClient, settings: Any) -> None:
    assert anonymous.get("/v1/push-subscriptions/key").json() == {"key": None}
    settings.VAPID_PUBLIC_KEY = "BPublic"
    assert anonymous.get("/v1/push-subscriptions/key").json() == {"key": "BPublic"}
