"""The pages that mails link to act only when their button is pressed, not when they are opened."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from apps.auth import actions
from apps.moderation import actions as moderation
from apps.moderation.models import Appeal
from tests.conftest import ALL_CONTEXTS, JsonClient, Person

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

PASSWORD = "correct horse battery"


def mailed(subject: Any) -> Any:
    actions.send_due_mails()
    (message,) = [message for message in mail.outbox if message.subject == subject]
    mail.outbox.clear()
    url = next(line for line in message.body.splitlines() if line.startswith("http"))
    return urlsplit(url.replace("/#/", "/auth/"))


def key_in(url: Any) -> Any:
    return parse_qs(url.query)["key"][0]


def press(url: Any, **fields: Any) -> Any:
    return Client(enforce_csrf_checks=True).post(url.path, {"key": key_in(url), **fields})


def test_pressing_the_button_confirms_the_address_and_opening_the_page_does_not(
    register: Callable[..., Person],
) -> None:
    alice = register("alice")
    url = mailed("Confirm your e-mail address")
    opened = Client().get(f"{url.path}?{url.query}")
    assert opened.status_code == 200
    assert key_in(url) in opened.content.decode()
    assert opened.headers["Referrer-Policy"] == "no-referrer"
    assert alice.client.get("/v1/auth/me").json()["email_verified"] is False
    assert press(url).status_code == 200
    assert alice.client.get("/v1/auth/me").json()["email_verified"] is True


def test_a_new_password_can_be_set_on_the_page(register: Callable[..., Person], anonymous: JsonClient) -> None:
    register("alice")
    anonymous.post("/v1/auth/password/forgot", {"email": "alice@example.org"})
    url = mailed("Set a new password")
    weak = press(url, password="password")
    assert weak.status_code == 422
    assert "alert" in weak.content.decode()
    for refused in ("staple gun paper clip" * 20, "staple gun\u0000paper clip"):
        assert press(url, password=refused).status_code == 422, "the log-in would reject it"
    assert press(url, password="staple gun paper clip").status_code == 200
    body = {"login": "alice", "password": "staple gun paper clip"}
    assert JsonClient().post("/v1/auth/login", body).status_code == 200
    assert press(url, password="another gun paper clip").status_code == 422


def test_a_banned_person_can_appeal_with_the_mailed_link(
    register: Callable[..., Person], drain: Callable[[], int]
) -> None:
    alice, moderator = register("alice"), register("judge")
    actions.grant_role(user_id=int(moderator.id), role="moderator")
    moderation.ban_user(moderator_id=int(moderator.id), user_id=int(alice.id), reason="spam")
    drain()
    actions.send_due_mails()
    assert "Reason: spam" in str(mail.outbox[-1].body)
    url = mailed("Your account was banned")
    assert JsonClient().post("/v1/auth/login", {"login": "alice", "password": PASSWORD}).status_code == 403
    for refused in (" ", "\u3164", "a\u0000", "a" * 2001):
        assert press(url, text=refused).status_code == 422
    rejected = press(url, text="It was <not> me.\u0000").content.decode()
    assert 'maxlength="2000"' in rejected
    assert "It was &lt;not&gt; me." in rejected, "nobody has to write it again"
    assert press(url, text="It was not me.").status_code == 200
    assert Appeal.objects.get().text == "It was not me."
    assert press(url, text="Once more.").status_code == 409
    appeal = Appeal.objects.get()
    moderation.decide_appeal(moderator_id=900, appeal_id=appeal.id, is_accepted=False, answer="It was you.")
    drain()
    mail.outbox.clear()
    actions.send_due_mails()
    [answer] = mail.outbox
    assert answer.subject == "The answer to your appeal"
    assert "Your appeal was rejected" in str(answer.body)
    assert "It was you." in str(answer.body)


def test_the_decision_on_an_accepted_appeal_is_mailed_even_if_the_ban_has_ended(
    register: Callable[..., Person], drain: Callable[[], int]
) -> None:
    alice, moderator = register("alice"), register("judge")
    actions.grant_role(user_id=int(moderator.id), role="moderator")
    moderation.ban_user(moderator_id=int(moderator.id), user_id=int(alice.id), reason="spam")
    drain()
    assert press(mailed("Your account was banned"), text="It was not me.").status_code == 200
    moderation.decide_appeal(
        moderator_id=900, appeal_id=Appeal.objects.get().id, is_accepted=True, answer="It was not you."
    )
    # The end of the ban arrives before the decision on the appeal.
    actions.apply_sanction(user_id=int(alice.id), banned=False, at=timezone.now(), action_id=1)
    drain()
    mail.outbox.clear()
    actions.send_due_mails()
    assert [(answer.subject, "It was not you." in str(answer.body)) for answer in mail.outbox] == [
        ("The answer to your appeal", True)
    ]


def test_a_banned_person_can_export_data_with_the_mailed_link(
    register: Callable[..., Person], drain: Callable[[], int], settings: Any, tmp_path: Path
) -> None:
    default = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "default": default}
    alice, moderator = register("alice"), register("judge")
    actions.grant_role(user_id=int(moderator.id), role="moderator")
    moderation.ban_user(moderator_id=int(moderator.id), user_id=int(alice.id), reason="spam")
    drain()
    url = mailed("Your account was banned")
    assert "preparing a copy" in press(url, export="1").content.decode()
    actions.build_due_exports()
    page = Client().get(f"{url.path}?{url.query}").content.decode()
    link = page.partition('href="/v1')[2].partition('"')[0]
    archive: Any = Client().get(f"/v1{link}")
    assert archive.status_code == 200
    with zipfile.ZipFile(io.BytesIO(b"".join(archive.streaming_content))) as opened:
        assert alice.id in opened.read("auth/users.jsonl").decode()
        assert "spam" in opened.read("index.html").decode(), "moderation's data about them"
    archive.close()
    moderation.unban_user(moderator_id=int(moderator.id), user_id=int(alice.id), reason="a mistake")
    drain()
    assert Client().get(f"/v1{link}").status_code == 404
    assert press(url, export="1").status_code == 422


@pytest.mark.parametrize("page", ["verify-email", "reset-password", "appeal"])
def test_bad_keys_and_markup_are_rejected_without_a_server_error(page: str) -> None:
    bad = '"><script>alert(1)</script>'
    opened = Client().get(f"/auth/{page}", {"key": bad})
    assert opened.status_code == 200
    assert "<script>alert" not in opened.content.decode()
    answer = Client().post(f"/auth/{page}", {"key": bad, "text": "x", "password": "staple gun paper clip"})
    assert answer.status_code == 422
    assert Client().put(f"/auth/{page}").status_code == 405
