"""Web Push, end to end: from what happens to what a browser decrypts, over a real push service on loopback."""

import asyncio
import multiprocessing
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connections

from apps.notifications.actions import queue
from apps.notifications.actions.preferences import quiet_until
from apps.notifications.actions.seen import record_seen, seen_on_sockets
from apps.notifications.gateways import session
from apps.notifications.models import NotificationSettings, OutgoingMessage, PushSubscription
from apps.notifications.tasks import retry_pushes, send_pushes
from apps.users.models import Profile
from socialapp.core.vapid import new_private_key, public_key_of
from tests.conftest import ALL_CONTEXTS, JsonClient, Person
from tests.notifications.conftest import comment, notifications_of, post, react
from tests.notifications.live import SocketServer, connected, do, ready, run, serving
from tests.notifications.push_service import serving_pushes
from tests.scenarios.product import eventually

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A push service."""
    with serving_pushes(tmp_path_factory.mktemp("push")) as running:
        yield running


@pytest.fixture(autouse=True)
def _pushes_are_set_up(service: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A VAPID key; nothing waits before it is sent; the service may be reached although it is on loopback."""
    settings.VAPID_PRIVATE_KEY = new_private_key()
    settings.VAPID_PUBLIC_KEY = public_key_of(settings.VAPID_PRIVATE_KEY)
    settings.OUTGOING_ALLOWED_HOSTS = [service.host]
    settings.PUBLIC_URL = "https://social.example"
    monkeypatch.setenv("SSL_CERT_FILE", str(service.certificate))
    session._tls.cache_clear()
    monkeypatch.setattr(queue, "PUSH_DELAY", timedelta(0))
    monkeypatch.setattr(queue, "GROUPED_PUSH_DELAY", timedelta(0))


@pytest.fixture
def subscribe(service: Any) -> Any:
    """Makes a browser of a person that takes pushes."""

    def make(person: Person, *, language: str = "", **answers: Any) -> Any:
        browser = service.browser(**answers)
        body = {"endpoint": browser.endpoint, "keys": browser.keys}
        headers = {"Accept_Language": language} if language else {}
        answer = person.client.post("/v1/push-subscriptions", body, **headers)
        assert answer.status_code == 201, answer.content
        return browser

    return make


def due_now() -> None:
    """Makes everything that waits due."""
    OutgoingMessage.objects.update(due_at=datetime.now(UTC) - timedelta(seconds=1))


def test_a_comment_reaches_the_browser_encrypted_signed_and_in_its_language(
    register: Callable[..., Person], drain: Callable[[], int], subscribe: Any
) -> None:
    alice, bob = register("alice"), register("bob", full_name="Bob B")
    english, german = subscribe(alice), subscribe(alice, language="fr-XX;q=0.3, de-AT, en;q=0.5")
    post_id = post(alice)
    comment_id = comment(bob, post_id, "What a\nday!")
    drain()
    send_pushes()
    [item] = notifications_of(alice)
    [message] = english.received
    assert message == {
        "id": item["id"],
        "kind": "comment",
        "title": "Bob B commented on your post.",
        "body": "What a day!",
        "url": f"https://social.example/comments/{comment_id}",
        "icon": "https://social.example/static/favicon.svg",
        "headers": {"TTL": "259200", "Topic": f"g{item['group_id']}", "Urgency": "normal"},
        "bytes": message["bytes"],
    }
    assert message["bytes"] <= 3072
    assert german.received[0]["title"] == "Bob B hat deinen Beitrag kommentiert."
    assert OutgoingMessage.objects.count() == 0
    send_pushes()
    assert (english.asked, german.asked) == (1, 1)


def test_a_session_ended_from_elsewhere_takes_its_devices_along(
    register: Callable[..., Person], drain: Callable[[], int], subscribe: Any
) -> None:
    alice, bob = register("alice"), register("bob")
    lost = JsonClient().post("/v1/auth/login", {"login": "alice", "password": "correct horse battery"}).json()
    of_lost = subscribe(replace(alice, client=JsonClient(lost["access"])))
    kept = subscribe(alice)
    drain()
    sessions = alice.client.get("/v1/auth/sessions").json()["results"]
    [ended] = [session["id"] for session in sessions if not session["current"]]
    assert alice.client.delete(f"/v1/auth/sessions/{ended}").status_code == 204
    drain()
    comment(bob, post(alice), "well")
    drain()
    send_pushes()
    assert (of_lost.asked, kept.asked) == (0, 1)
    assert PushSubscription.objects.count() == 1


def test_followers_with_and_without_devices(
    register: Callable[..., Person], drain: Callable[[], int], follow: Callable[[Person, Person], None], subscribe: Any
) -> None:
    alice, bob, carol = register("alice"), register("bob"), register("carol")
    follow(bob, alice)
    follow(carol, alice)
    browser = subscribe(bob)
    post_id = post(alice, "x" * 5000)
    drain()
    assert OutgoingMessage.objects.count() == 1
    send_pushes()
    [message] = browser.received
    assert message["url"] == f"https://social.example/posts/{post_id}"
    assert message["body"] == "x" * 159 + "…"
    assert message["headers"] == {"TTL": "43200", "Topic": "new_post", "Urgency": "low"}


@pytest.mark.parametrize(
    "what",
    ["read", "deleted", "blocked", "hidden", "unwanted", "seen", "expired", "gone", "muted", "muted_post", "banned"],
)
def test_nothing_is_pushed_that_is_not_wanted_or_not_visible_any_more(
    register: Callable[..., Person],
    drain: Callable[[], int],
    follow: Callable[[Person, Person], None],
    subscribe: Any,
    what: str,
) -> None:
    alice, bob = register("alice"), register("bob")
    browser = subscribe(alice)
    post_id = post(bob, "hi @alice")
    drain()
    [item] = notifications_of(alice)
    match what:
        case "read":
            alice.client.post("/v1/notifications/read", {"ids": [item["id"]]})
        case "deleted":
            assert alice.client.delete(f"/v1/notifications/{item['id']}").status_code == 204
        case "blocked":
            alice.client.put(f"/v1/profiles/{bob.id}/block")
            drain()
        case "hidden":
            bob.client.patch(f"/v1/posts/{post_id}", {"is_private": True})
        case "muted":
            assert alice.client.put(f"/v1/profiles/{bob.id}/mute").status_code == 200
        case "muted_post":
            assert alice.client.put(f"/v1/posts/{post_id}/mute").status_code == 200
        case "banned":
            Profile.objects.filter(user_id=int(alice.id)).update(status="banned")
        case "unwanted":
            alice.client.patch("/v1/notifications/preferences", {"mention": {"push": False}})
        case "seen":
            record_seen({int(alice.id): int(item["id"])})
        case "expired":
            PushSubscription.objects.update(expires_at=datetime.now(UTC))
        case "gone":
            bob.client.delete(f"/v1/posts/{post_id}")
            drain()
    send_pushes()
    assert browser.asked == 0
    assert OutgoingMessage.objects.count() == 0


@pytest.mark.django_db(databases=ALL_CONTEXTS, transaction=True)
def test_what_an_open_socket_has_shown_is_not_pushed_too(
    register: Callable[..., Person], drain: Callable[[], int], subscribe: Any
) -> None:
    """From the comment over Redis to the socket, and from there to the worker that sends the pushes."""
    alice, bob, carol = register("alice"), register("bob"), register("carol")
    with_socket, without = subscribe(alice), subscribe(carol)
    drain()

    async def scenario(server: SocketServer) -> None:
        async with connected(server, alice.access) as client:
            await ready(client)
            await do(comment, bob, await do(post, alice))
            await do(comment, bob, await do(post, carol))
            await do(drain)
            shown = int((await client.receive())["notification"]["id"])
            while await do(seen_on_sockets, [int(alice.id), int(carol.id)]) != {int(alice.id): shown}:
                await asyncio.sleep(0.05)

    with serving() as server:
        run(asyncio.wait_for(scenario(server), 120))
    assert OutgoingMessage.objects.count() == 2
    send_pushes()
    assert (with_socket.asked, len(without.received)) == (0, 1)
    assert OutgoingMessage.objects.count() == 0


@pytest.mark.parametrize("status", [404, 410])
def test_a_device_that_is_gone_is_forgotten(
    register: Callable[..., Person], drain: Callable[[], int], subscribe: Any, status: int
) -> None:
    alice, bob = register("alice"), register("bob")
    gone, there = subscribe(alice, status=status), subscribe(alice)
    react(bob, post(alice))
    drain()
    send_pushes()
    assert (gone.asked, len(there.received)) == (1, 1)
    assert list(PushSubscription.objects.values_list("endpoint", flat=True)) == [there.endpoint]
    assert OutgoingMessage.objects.count() == 0


def test_a_service_that_asks_to_wait_is_waited_for_and_then_gets_it(
    register: Callable[..., Person], drain: Callable[[], int], subscribe: Any
) -> None:
    alice, bob = register("alice"), register("bob")
    browser = subscribe(alice, status=429, headers={"Retry-After": "700"})
    react(bob, post(alice))
    drain()
    before = datetime.now(UTC)
    send_pushes()
    waiting = OutgoingMessage.objects.get()
    assert timedelta(seconds=690) < waiting.due_at - before < timedelta(seconds=720)
    assert (waiting.lane, waiting.attempts, waiting.dead) == (1, 1, False)
    retry_pushes()
    assert browser.asked == 1, "not before it is due"
    browser.status = 201
    due_now()
    retry_pushes()
    assert len(browser.received) == 1
    assert OutgoingMessage.objects.count() == 0


def test_a_long_outage_of_a_push_service_costs_no_device(
    register: Callable[..., Person], drain: Callable[[], int], subscribe: Any, time_machine: Any, settings: Any
) -> None:
    settings.ACCESS_TOKEN_SECONDS = 7 * 86_400
    time_machine.move_to(datetime(2026, 11, 20, 12, tzinfo=UTC), tick=False)
    alice, bob = register("alice"), register("bob")
    browser = subscribe(alice, status=503)
    react(bob, post(alice))
    drain()
    send_pushes()
    pauses = []
    while waiting := OutgoingMessage.objects.first():
        pauses.append(round((waiting.due_at - datetime.now(UTC)).total_seconds()))
        assert not waiting.dead
        time_machine.move_to(waiting.due_at + timedelta(seconds=1), tick=False)
        retry_pushes()
    assert pauses[:9] == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    assert 86_400 - 3600 < sum(pauses) < 86_400, "a reaction is worth a push for a day"
    assert browser.asked == len(pauses) + 1
    device = PushSubscription.objects.get()
    assert (device.endpoint, device.failures) == (browser.endpoint, browser.asked)
    browser.status = 201
    comment(bob, post(alice))
    drain()
    retry_pushes()
    assert len(browser.received) == 1
    assert PushSubscription.objects.get().failures == 0


def test_what_a_service_refuses_is_a_dead_letter_that_can_be_sent_again(
    register: Callable[..., Person], drain: Callable[[], int], subscribe: Any
) -> None:
    alice, bob = register("alice"), register("bob")
    browser = subscribe(alice, status=400)
    react(bob, post(alice))
    drain()
    send_pushes()
    dead = OutgoingMessage.objects.get()
    assert (dead.dead, dead.error, browser.asked) == (True, "400", 1)
    due_now()
    send_pushes()
    retry_pushes()
    assert browser.asked == 1
    browser.status = 201
    assert queue.resend([dead.id]) == 1
    send_pushes()
    assert len(browser.received) == 1


@pytest.mark.skipif(django_settings.EMBEDDED, reason="SQLite's test databases are in the memory of one process")
@pytest.mark.django_db(databases=ALL_CONTEXTS, transaction=True)
def test_a_killed_worker_loses_nothing_and_shows_nothing_twice(
    register: Callable[..., Person], drain: Callable[[], int], subscribe: Any
) -> None:
    alice, bob = register("alice"), register("bob")
    sent, hanging = subscribe(alice), subscribe(alice, hangs=True)
    react(bob, post(alice))
    drain()

    def work() -> None:
        connections.close_all()
        send_pushes()

    connections.close_all()
    worker = multiprocessing.get_context("fork").Process(target=work)
    worker.start()
    eventually(lambda: sent.received and hanging.asked)
    worker.kill()
    worker.join()
    send_pushes()
    assert (sent.asked, hanging.asked) == (1, 1), "the claims of the dead hold for a while"
    hanging.hangs = False
    due_now()
    send_pushes()
    assert OutgoingMessage.objects.count() == 0
    [message] = hanging.received
    first, second = sent.received
    assert first == second, "the same id and Topic: a device shows both as one"
    assert (first["id"], first["headers"]["Topic"]) == (message["id"], message["headers"]["Topic"])
    assert first["headers"]["Topic"].startswith("g")


def test_a_device_that_does_not_answer_holds_up_nobody(
    register: Callable[..., Person], drain: Callable[[], int], subscribe: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "SECONDS", 3.0)
    alice, bob, carol = register("alice"), register("bob"), register("carol")
    hanging, fine = subscribe(alice, hangs=True), subscribe(carol)
    react(bob, post(alice))
    react(bob, post(carol))
    drain()
    send_pushes()
    assert (hanging.asked, len(fine.received)) == (1, 1)
    assert PushSubscription.objects.get(endpoint=hanging.endpoint).failures == 1
    comment(bob, post(alice))
    drain()
    send_pushes()
    assert hanging.asked == 1, "what failed before waits in a lane of its own"


def test_pushes_wait_until_quiet_hours_are_over(
    register: Callable[..., Person], drain: Callable[[], int], subscribe: Any, time_machine: Any
) -> None:
    time_machine.move_to(datetime(2026, 11, 20, 21, 30, tzinfo=UTC))  # 22:30 in Vienna
    alice, bob = register("alice"), register("bob")
    browser = subscribe(alice)
    schedule = {"time_zone": "Europe/Vienna", "quiet_hours": {"from": "22:00", "to": "07:15"}}
    assert alice.client.patch("/v1/notifications/schedule", schedule).status_code == 200
    comment(bob, post(alice))
    drain()
    send_pushes()
    assert browser.asked == 0
    waiting = OutgoingMessage.objects.get()
    assert (waiting.due_at, waiting.attempts) == (datetime(2026, 11, 21, 6, 15, tzinfo=UTC), 0)
    time_machine.move_to(datetime(2026, 11, 21, 6, 16, tzinfo=UTC))
    send_pushes()
    assert len(browser.received) == 1


@pytest.mark.parametrize(
    ("now", "until"),
    [
        (datetime(2026, 10, 25, 0, 15, tzinfo=UTC), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        (datetime(2026, 10, 25, 1, 15, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), None),
        (datetime(2026, 3, 29, 0, 45, tzinfo=UTC), datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
    ],
)
def test_quiet_hours_end_in_the_future_when_clocks_change(now: datetime, until: datetime | None) -> None:
    """02:15 comes twice in Vienna on October 25; what is postponed to a past time would be tried again at once."""
    row = NotificationSettings(time_zone="Europe/Vienna", quiet_from="22:00", quiet_to="02:30")
    found = quiet_until(row, now=now)
    assert (found and found.astimezone(UTC)) == until


def test_after_quiet_hours_nothing_is_pushed_about_people_muted_or_silenced_meanwhile(
    register: Callable[..., Person], drain: Callable[[], int], subscribe: Any, time_machine: Any
) -> None:
    time_machine.move_to(datetime(2026, 11, 20, 21, 30, tzinfo=UTC))
    alice, bob, carol, dave = (register(name) for name in ("alice", "bob", "carol", "dave"))
    browser = subscribe(alice)
    schedule = {"time_zone": "UTC", "quiet_hours": {"from": "21:00", "to": "07:00"}}
    assert alice.client.patch("/v1/notifications/schedule", schedule).status_code == 200
    post_id = post(alice)
    for person in (bob, carol):
        react(person, post_id)
        drain()
    comment(carol, post_id)
    dave.client.put(f"/v1/profiles/{alice.id}/follow")
    drain()
    send_pushes()
    alice.client.put(f"/v1/profiles/{carol.id}/mute")
    Profile.objects.filter(user_id=int(dave.id)).update(silenced=True)
    time_machine.move_to(datetime(2026, 11, 21, 7, 1, tzinfo=UTC))
    send_pushes()
    [message] = browser.received
    assert (message["kind"], "bob" in message["title"], "carol" in message["title"]) == ("reaction", True, False)
    assert OutgoingMessage.objects.count() == 0


def test_addresses_inside_the_network_are_never_asked(
    register: Callable[..., Person], drain: Callable[[], int], service: Any, settings: Any
) -> None:
    alice, bob = register("alice"), register("bob")
    browser = service.browser()
    for host in ("127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1"):
        endpoint = f"https://{host}:{service.port}/push/{browser.name}"
        settings.OUTGOING_ALLOWED_HOSTS = []
        refused = alice.client.post("/v1/push-subscriptions", {"endpoint": endpoint, "keys": browser.keys})
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "not_an_endpoint")
    # One that was public when it was kept, and whose name leads inside now.
    row = {"endpoint": browser.endpoint, **browser.keys, "endpoint_digest": "x"}
    settings.OUTGOING_ALLOWED_HOSTS = [f"other:{service.port}"]
    PushSubscription.objects.create(user_id=int(alice.id), **row)
    react(bob, post(alice))
    drain()
    send_pushes()
    assert browser.asked == 0


def test_settings_of_the_schedule_are_checked(register: Callable[..., Person]) -> None:
    alice = register("alice")
    path = "/v1/notifications/schedule"
    defaults = {"time_zone": "UTC", "language": None, "quiet_hours": None, "digest_hour": 8}
    assert alice.client.get(path).json() == defaults
    for bad in (
        {"time_zone": "Mars/Olympus"},
        {"time_zone": "localtime"},
        {"time_zone": "../etc/passwd"},
        {"language": "tlh"},
        {"quiet_hours": {"from": "22:00"}},
        {"quiet_hours": {"from": "22:00", "to": "22:00"}},
        {"quiet_hours": {"from": "24:00", "to": "07:00"}},
        {"digest_hour": 24},
        {"unknown": 1},
    ):
        assert alice.client.patch(path, bad).status_code == 422, bad
    assert NotificationSettings.objects.count() == 0
    changed = {"language": "de", "quiet_hours": {"from": "23:00", "to": "06:30"}, "digest_hour": 20}
    assert alice.client.patch(path, changed).json() == {**defaults, **changed}
    assert alice.client.patch(path, {"quiet_hours": None}).json() == {**defaults, **changed, "quiet_hours": None}
