"""APNs and FCM, end to end: from registering a phone to what the service gets, over HTTP/2 on loopback."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.notifications.actions import queue
from apps.notifications.models import OutgoingMessage, PushSubscription
from apps.notifications.tasks import retry_pushes, send_pushes
from tests.conftest import ALL_CONTEXTS, Person
from tests.notifications.conftest import comment, notifications_of, post, react, subscription
from tests.notifications.phone_services import KEY_ID, PROJECT, TEAM, TOPIC, Answer, serving_phones

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

TOKENS = {"apns": "ab" * 32, "fcm": "cX:" + "b" * 140}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """APNs and FCM."""
    with serving_phones(tmp_path_factory.mktemp("phones")) as services:
        yield services


@pytest.fixture
def phones(running: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Both set up; nothing waits before it is sent."""
    running.received.clear()
    running.answers.clear()
    running.connections, running.grants = 0, 0
    settings.APNS_KEY, settings.APNS_KEY_ID = running.pem(running.apple_key), KEY_ID
    settings.APNS_TEAM_ID, settings.APNS_TOPIC, settings.APNS_URL = TEAM, TOPIC, running.url
    settings.FCM_URL = running.url
    settings.FCM_CREDENTIALS = {
        "project_id": PROJECT,
        "client_email": "push@example.iam.gserviceaccount.com",
        "private_key": running.pem(running.google_key),
        "token_uri": f"{running.url}/token",
    }
    settings.PUBLIC_URL = "https://social.example"
    monkeypatch.setenv("SSL_CERT_FILE", str(running.certificate))
    monkeypatch.setattr(queue, "PUSH_DELAY", timedelta(0))
    monkeypatch.setattr(queue, "GROUPED_PUSH_DELAY", timedelta(0))
    return running


def register_phone(person: Person, provider: Any, token: str = "") -> Any:
    answer = person.client.post("/v1/push-subscriptions", {"provider": provider, "token": token or TOKENS[provider]})
    assert answer.status_code == 201, answer.content
    return answer.json()


def test_a_comment_reaches_both_phones_over_one_connection(
    register: Callable[..., Person], drain: Callable[[], int], phones: Any
) -> None:
    alice, bob = register("alice"), register("bob", full_name="Bob B")
    for provider in TOKENS:
        body = register_phone(alice, provider)
        assert (body["provider"], body["endpoint"]) == (provider, None), "a device's token is not shown"
    comment_id = comment(bob, post(alice), "What a\nday!")
    drain()
    before = int(datetime.now(UTC).timestamp())
    send_pushes()
    [item] = notifications_of(alice)
    (apple,) = [found for found in phones.received if found[0] == TOKENS["apns"]]
    (google,) = [found for found in phones.received if found[0] == TOKENS["fcm"]]
    data = {"id": item["id"], "kind": "comment", "url": f"https://social.example/comments/{comment_id}"}
    shown = {"title": "Bob B commented on your post.", "body": "What a day!"}
    group = f"g{item['group_id']}"
    assert apple[2] == {"aps": {"alert": shown, "thread-id": group}, **data}
    headers = {name: apple[1][name] for name in ("apns-priority", "apns-push-type", "apns-collapse-id")}
    assert headers == {"apns-priority": "10", "apns-push-type": "alert", "apns-collapse-id": group}
    assert 259_200 <= int(apple[1]["apns-expiration"]) - before < 259_260
    assert google[2] == {
        "token": TOKENS["fcm"],
        "notification": shown,
        "data": data,
        "android": {"ttl": "259200s", "priority": "HIGH", "notification": {"tag": group}},
    }
    assert (phones.connections, phones.grants) == (1, 1)
    assert OutgoingMessage.objects.count() == 0


def fcm_error(status: Any, code: Any, **detail: Any) -> Any:
    kind = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
    return Answer(status, {"error": {"code": status, "details": [{"@type": kind, "errorCode": code, **detail}]}})


@pytest.mark.parametrize(
    ("provider", "answer"),
    [
        ("apns", Answer(410, {"reason": "Unregistered", "timestamp": 1})),
        ("apns", Answer(400, {"reason": "BadDeviceToken"})),
        ("fcm", fcm_error(404, "UNREGISTERED")),
        ("fcm", fcm_error(403, "SENDER_ID_MISMATCH")),
        ("fcm", fcm_error(400, "INVALID_ARGUMENT", fieldViolations=[{"field": "message.token"}])),
    ],
)
def test_a_phone_without_the_app_is_forgotten(
    register: Callable[..., Person], drain: Callable[[], int], phones: Any, provider: str, answer: Any
) -> None:
    alice, bob = register("alice"), register("bob")
    for name in TOKENS:
        register_phone(alice, name)
    phones.answers[TOKENS[provider]] = [answer]
    react(bob, post(alice))
    drain()
    send_pushes()
    assert list(PushSubscription.objects.values_list("provider", flat=True)) == [
        name for name in TOKENS if name != provider
    ]
    assert OutgoingMessage.objects.count() == 0


@pytest.mark.parametrize(
    ("provider", "busy"),
    [
        ("apns", (Answer(429, {"reason": "TooManyRequests"}, {"retry-after": "700"}), 700)),
        ("apns", (Answer(503, {"reason": "ServiceUnavailable"}), 30)),
        ("fcm", (Answer(503, {"error": {"status": "UNAVAILABLE"}}, {"retry-after": "45"}), 45)),
        ("fcm", (Answer(429, {"error": {"status": "RESOURCE_EXHAUSTED"}}), 60)),
    ],
)
def test_a_busy_service_is_waited_for_and_then_gets_it(
    register: Callable[..., Person], drain: Callable[[], int], phones: Any, provider: str, busy: Any
) -> None:
    answer, seconds = busy
    alice, bob = register("alice"), register("bob")
    register_phone(alice, provider)
    phones.answers[TOKENS[provider]] = [answer]
    react(bob, post(alice))
    drain()
    before = datetime.now(UTC)
    send_pushes()
    waiting = OutgoingMessage.objects.get()
    assert 0 <= (waiting.due_at - before).total_seconds() - seconds < 15
    OutgoingMessage.objects.update(due_at=before)
    retry_pushes()
    assert len(phones.received) == 2
    assert (OutgoingMessage.objects.count(), PushSubscription.objects.get().failures) == (0, 0)


@pytest.mark.parametrize(
    ("provider", "answer"),
    [("apns", Answer(403, {"reason": "InvalidProviderToken"})), ("fcm", fcm_error(404, "")), ("apns", Answer(404))],
)
def test_a_mistake_of_the_operator_costs_no_device(
    register: Callable[..., Person], drain: Callable[[], int], phones: Any, provider: str, answer: Any
) -> None:
    alice, bob = register("alice"), register("bob")
    register_phone(alice, provider)
    phones.answers[TOKENS[provider]] = [answer]
    react(bob, post(alice))
    drain()
    send_pushes()
    assert OutgoingMessage.objects.get().dead
    assert PushSubscription.objects.get().failures == 0


def test_an_access_token_that_was_revoked_is_replaced_at_once(
    register: Callable[..., Person], drain: Callable[[], int], phones: Any
) -> None:
    alice, bob = register("alice"), register("bob")
    register_phone(alice, "fcm")
    phones.answers[TOKENS["fcm"]] = [Answer(401)]
    react(bob, post(alice))
    drain()
    send_pushes()
    assert (phones.grants, len(phones.received)) == (2, 2)
    assert OutgoingMessage.objects.count() == 0


def test_a_message_fits_in_what_the_services_take(
    register: Callable[..., Person], drain: Callable[[], int], phones: Any
) -> None:
    alice, bob = register("alice"), register("bob", full_name="🎉" * 100)
    for provider in TOKENS:
        register_phone(alice, provider)
    comment(bob, post(alice), "🎉" * 1000)
    drain()
    send_pushes()
    assert len(phones.received) == 2
    assert OutgoingMessage.objects.count() == 0


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"provider": "apns", "token": "g" * 64}, "not_a_token"),
        ({"provider": "apns", "token": "../../x" * 10}, "not_a_token"),
        ({"provider": "fcm", "token": "a b" * 20}, "not_a_token"),
        ({"provider": "fcm"}, "required"),
        ({"provider": "sms", "token": "a" * 64}, "invalid_choice"),
        ({"provider": "apns", "token": "ab" * 32, "endpoint": "https://push.example.com/x"}, "not_allowed"),
        ({"provider": "web", "token": "ab" * 32}, "required"),
        ({**subscription(), "token": "ab" * 32}, "not_allowed"),
    ],
)
def test_only_device_tokens_are_registered(
    register: Callable[..., Person], phones: Any, changes: dict[str, Any], code: str
) -> None:
    alice = register("alice")
    refused = alice.client.post("/v1/push-subscriptions", changes)
    assert refused.status_code == 422, refused.content
    assert code in [error["code"] for error in refused.json()["errors"]]
    assert PushSubscription.objects.count() == 0


def test_a_service_that_is_not_set_up_takes_no_phones(register: Callable[..., Person]) -> None:
    refused = register("alice").client.post("/v1/push-subscriptions", {"provider": "apns", "token": "ab" * 32})
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "not_set_up")
    assert PushSubscription.objects.count() == 0
