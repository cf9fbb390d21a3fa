"""Mails about notifications, over a real SMTP server on loopback."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope

from apps.auth.models import User
from apps.notifications.actions import queue
from apps.notifications.models import NotificationSettings, OutgoingMessage
from apps.notifications.tasks import queue_digests, retry_mails, send_mails
from socialapp.rpc.calls import service_token
from tests.conftest import ALL_CONTEXTS, JsonClient, Person
from tests.notifications.conftest import comment, notifications_of, post, react
from tests.scenarios.product import free_port

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


class MailServer:
    """Takes mails, unless it is told to refuse them."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.refusal = ""

    async def handle_RCPT(self, server: Any, session: Any, envelope: Envelope, address: str, options: Any) -> str:
        if self.refusal:
            return self.refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:
        self.mails.append(message_from_bytes(envelope.original_content or b"", policy=policy.default))
        return "250 OK"


@pytest.fixture
def server(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    """A running mail server that the product is set up to use; nothing waits before it is sent."""
    handler = MailServer()
    controller = Controller(handler, hostname="127.0.0.1", port=free_port(), ready_timeout=60)
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = controller.hostname, controller.port
    settings.PUBLIC_URL = "https://social.example"
    monkeypatch.setattr(queue, "MAIL_DELAY", timedelta(0))
    yield handler
    controller.stop()


@pytest.fixture
def people(register: Callable[..., Person]) -> Any:
    """Alice, who has proven her address and wants mails about comments; and Bob."""
    alice, bob = register("alice"), register("bob", full_name="Bob B")
    User.objects.filter(id=int(alice.id)).update(email_verified=True)
    changed = alice.client.patch("/v1/notifications/preferences", {"comment": {"email": True}})
    assert changed.json()["comment"]["email"] is True
    return alice, bob


def texts(mail: EmailMessage) -> tuple[str, str]:
    """The text and the HTML of a mail."""
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert html is not None
    return plain.get_content(), html.get_content()


def test_a_mail_says_what_happened_and_can_be_stopped_with_one_click(
    server: MailServer, people: Any, drain: Callable[[], int], anonymous: JsonClient
) -> None:
    alice, bob = people
    comment_id = comment(bob, post(alice), "Fish & <b>chips</b>")
    react(bob, post(alice))
    drain()
    send_mails()
    [mail] = server.mails
    assert (mail["To"], mail["Subject"]) == ("alice@example.org", "Bob B commented on your post.")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    plain, html = texts(mail)
    assert "Fish & <b>chips</b>" in plain
    assert f"https://social.example/comments/{comment_id}" in plain
    assert "Fish &amp; &lt;b&gt;chips&lt;/b&gt;" in html
    assert OutgoingMessage.objects.filter(channel="mail").count() == 0

    url = urlsplit(mail["List-Unsubscribe"].strip(" <>"))
    assert f"{url.scheme}://{url.netloc}{url.path}" == "https://social.example/v1/notifications/unsubscribe"
    assert anonymous.get(f"{url.path}?{url.query}").status_code == 405
    assert alice.client.get("/v1/notifications/preferences").json()["comment"]["email"] is True
    body = b"List-Unsubscribe=One-Click"
    clicked = anonymous._client.post(f"{url.path}?{url.query}", body, content_type="application/x-www-form-urlencoded")
    assert clicked.status_code == 204, clicked.content
    assert alice.client.get("/v1/notifications/preferences").json()["comment"]["email"] is False
    for token in ("", "x", f"{url.query.removeprefix('token=')}x"):
        refused = anonymous.post(f"{url.path}?token={token}")
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "token_invalid")


@pytest.mark.parametrize("what", ["unverified", "read", "hidden", "unwanted", "banned", "muted", "muted_post"])
def test_no_mail_about_what_is_not_wanted_or_not_visible_any_more(
    server: MailServer, people: Any, drain: Callable[[], int], what: str
) -> None:
    alice, bob = people
    post_id = post(alice)
    comment(bob, post_id)
    drain()
    match what:
        case "unverified":
            User.objects.filter(id=int(alice.id)).update(email_verified=False)
        case "banned":
            User.objects.filter(id=int(alice.id)).update(status="banned")
        case "read":
            alice.client.post("/v1/notifications/read", {"up_to": notifications_of(alice)[0]["id"]})
        case "hidden":
            alice.client.put(f"/v1/profiles/{bob.id}/block")
        case "muted":
            alice.client.put(f"/v1/profiles/{bob.id}/mute")
        case "muted_post":
            alice.client.put(f"/v1/posts/{post_id}/mute")
        case "unwanted":
            alice.client.patch("/v1/notifications/preferences", {"comment": {"email": False}})
    send_mails()
    assert server.mails == []
    assert OutgoingMessage.objects.filter(channel="mail").count() == 0


def test_a_person_gets_only_so_many_mails_a_day(
    server: MailServer, people: Any, drain: Callable[[], int], settings: Any, time_machine: Any
) -> None:
    time_machine.move_to(datetime(2026, 11, 20, 12, tzinfo=UTC))
    settings.MAILS_PER_DAY = 2
    alice, bob = people
    post_id = post(alice)
    for _ in range(4):
        comment(bob, post_id)
        drain()
    send_mails()
    assert len(server.mails) == 2
    time_machine.move_to(datetime(2026, 11, 21, 0, 1, tzinfo=UTC))
    comment(bob, post_id)
    drain()
    send_mails()
    assert len(server.mails) == 3


def test_a_server_that_is_busy_or_away_gets_the_mail_later_and_once(
    server: MailServer, people: Any, drain: Callable[[], int], settings: Any
) -> None:
    alice, bob = people
    comment(bob, post(alice))
    drain()
    server.refusal = "451 try again later"
    send_mails()
    waiting = OutgoingMessage.objects.get(channel="mail")
    assert (waiting.attempts, waiting.dead, waiting.error) == (1, False, "451 b'try again later'")
    assert NotificationSettings.objects.get(user_id=int(alice.id)).mails_sent == 0
    server.refusal, port = "", settings.EMAIL_PORT
    settings.EMAIL_PORT = 1
    OutgoingMessage.objects.update(due_at=datetime.now(UTC))
    retry_mails()
    assert OutgoingMessage.objects.get(channel="mail").attempts == 2
    settings.EMAIL_PORT = port
    OutgoingMessage.objects.update(due_at=datetime.now(UTC))
    retry_mails()
    assert len(server.mails) == 1
    assert OutgoingMessage.objects.filter(channel="mail").count() == 0


def test_an_address_that_the_server_refuses_gets_no_more_mails_until_it_changes(
    server: MailServer, people: Any, drain: Callable[[], int]
) -> None:
    alice, bob = people
    comment(bob, post(alice))
    drain()
    server.refusal = "550 no such mailbox"
    send_mails()
    dead = OutgoingMessage.objects.get(channel="mail")
    assert (dead.dead, dead.error) == (True, "550 b'no such mailbox'")
    assert NotificationSettings.objects.get(user_id=int(alice.id)).suppressed_reason == "bounce"
    server.refusal = ""
    comment(bob, post(alice))
    drain()
    send_mails()
    assert server.mails == []
    User.objects.filter(id=int(alice.id)).update(email="alice@new.example", email_key="alice@new.example")
    comment(bob, post(alice))
    drain()
    send_mails()
    assert [mail["To"] for mail in server.mails] == ["alice@new.example"]


def test_reported_bounces_and_complaints_stop_mails(
    server: MailServer, people: Any, drain: Callable[[], int], anonymous: JsonClient, settings: Any
) -> None:
    settings.MAIL_EVENTS_SECRET = "s" * 40
    alice, bob = people
    comment(bob, post(alice))
    drain()
    send_mails()
    path = "/internal/mail/events"
    event = {"kind": "bounce", "address": "Alice@example.org", "permanent": False}
    assert anonymous.post(path, {"events": [event]}).status_code == 401
    assert anonymous.post(path, {"events": [event]}, Authorization="Bearer wrong").status_code == 401
    assert alice.client.post(path, {"events": [event]}).status_code == 401
    allowed = {"Authorization": "Bearer " + "s" * 40}
    assert anonymous.post(path, {"events": []}, **allowed).status_code == 422
    assert anonymous.post(path, {"events": [{"kind": "x", "address": "y"}]}, **allowed).status_code == 422
    assert anonymous.post(path, {"events": [event]}, **allowed).json() == {"suppressed": 0}
    event["kind"] = "complaint"
    token = {"Authorization": f"Bearer {service_token('notifications')}"}
    assert anonymous.post(path, {"events": [event]}, **token).json() == {"suppressed": 1}
    assert anonymous.post(path, {"events": [event]}, **token).json() == {"suppressed": 0}
    comment(bob, post(alice))
    drain()
    send_mails()
    assert len(server.mails) == 1


def test_a_digest_comes_at_the_persons_hour_with_at_most_ten_and_not_twice(
    server: MailServer, people: Any, drain: Callable[[], int], time_machine: Any
) -> None:
    time_machine.move_to(datetime(2026, 11, 19, 12, tzinfo=UTC))
    alice, bob = people
    alice.client.patch("/v1/notifications/preferences", {"digest": "daily", "comment": {"email": False}})
    alice.client.patch("/v1/notifications/schedule", {"time_zone": "Asia/Tokyo", "language": "de", "digest_hour": 9})
    post_id = post(alice)
    for number in range(12):
        comment(bob, post_id, f"number {number}")
    drain()
    queue_digests()
    send_mails()
    assert server.mails == []
    time_machine.move_to(datetime(2026, 11, 20, 0, 0, 5, tzinfo=UTC))
    for _ in range(2):
        queue_digests()
        send_mails()
    [mail] = server.mails
    plain, html = texts(mail)
    assert mail["Subject"] == "Was du verpasst hast"
    assert plain.count("Bob B hat deinen Beitrag kommentiert.") == 10
    assert "Du hast 12 ungelesene Benachrichtigungen." in plain
    assert "und 2 weitere" in html
    time_machine.move_to(datetime(2026, 11, 21, 0, 0, 5, tzinfo=UTC))
    queue_digests()
    send_mails()
    assert len(server.mails) == 1, "nothing new"
    comment(bob, post_id, "one more")
    drain()
    time_machine.move_to(datetime(2026, 11, 22, 0, 0, 5, tzinfo=UTC))
    queue_digests()
    send_mails()
    assert len(server.mails) == 2


def test_a_weekly_digest_comes_on_monday_and_stops_with_one_click(
    server: MailServer, people: Any, drain: Callable[[], int], anonymous: JsonClient, time_machine: Any
) -> None:
    time_machine.move_to(datetime(2026, 11, 19, 12, tzinfo=UTC))  # a Thursday
    alice, bob = people
    alice.client.patch("/v1/notifications/preferences", {"digest": "weekly", "comment": {"email": False}})
    comment(bob, post(alice))
    drain()
    due = NotificationSettings.objects.get(user_id=int(alice.id)).next_digest_at
    assert due == datetime(2026, 11, 23, 8, tzinfo=UTC)
    time_machine.move_to(due + timedelta(seconds=1))
    queue_digests()
    send_mails()
    [mail] = server.mails
    url = urlsplit(mail["List-Unsubscribe"].strip(" <>"))
    assert anonymous.post(f"{url.path}?{url.query}").status_code == 204
    assert alice.client.get("/v1/notifications/preferences").json()["digest"] == "off"
    assert NotificationSettings.objects.get(user_id=int(alice.id)).next_digest_at is None
