"""Registration by invitation and by approval."""

import io
import json
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.mfa.models import Authenticator
from django.conf import settings as configured
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import Client
from django.utils import timezone

from apps.auth import actions
from apps.auth.actions import logins
from apps.auth.actions.mails import reset_key
from apps.auth.actions.passkeys import UsedPasskey
from apps.auth.actions.social import SocialProfile
from apps.auth.models import Application, Invite, Session, User
from apps.auth.queries import users_after
from socialapp.core.errors import Conflict, Forbidden
from socialapp.messaging.models import OutboxEvent
from tests.conftest import ALL_CONTEXTS, JsonClient, Person

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

PASSWORD = "correct horse battery"


def sign_up(name: str = "alice", *, client: Any = None, headers: Any = None, **changes: Any) -> Any:
    body = {"email": f"{name}@example.org", "password": PASSWORD, "username": name, **changes}
    return (client or JsonClient()).post("/v1/auth/register", body, **(headers or {}))


def log_in(name: str = "alice") -> Any:
    return JsonClient().post("/v1/auth/login", {"login": name, "password": PASSWORD})


def invites(*arguments: Any) -> Any:
    out = io.StringIO()
    call_command("invites", *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


def events() -> list[Any]:
    return list(OutboxEvent.objects.using("auth").order_by("id").values_list("type", flat=True))


def subjects() -> Any:
    actions.send_due_mails()
    sent = [(message.subject, message.to) for message in mail.outbox]
    mail.outbox.clear()
    return sent


def refusal(answer: Any) -> Any:
    return answer.status_code, [(error["field"], error["code"]) for error in answer.json()["errors"]]


@pytest.fixture
def by_invite(settings: Any) -> None:
    settings.REGISTRATION = "invite"


@pytest.fixture
def by_approval(settings: Any) -> None:
    settings.REGISTRATION = "approval"


@pytest.fixture
def admin_site(settings: Any) -> Any:
    """A browser in which an administrator is logged in to the admin site."""
    settings.STAFF_SECOND_FACTOR = False
    new = actions.prepare_account(username="warden", email="warden@example.org", password=PASSWORD)
    actions.create_admin(new=new)
    OutboxEvent.objects.using("auth").all().delete()
    subjects()
    browser = Client()
    answer = browser.post("/admin/login/", {"username": "warden", "password": PASSWORD, "next": "/admin/"})
    assert answer.status_code == 302, answer.content
    return browser


def decide(browser: Any, action: Any, application: Any) -> None:
    answer = browser.post("/admin/identity/application/", {"action": action, "_selected_action": [application.id]})
    assert answer.status_code == 302


@pytest.mark.parametrize("mode", ["open", "approval", "invite", "closed"])
def test_the_instance_shows_how_to_register(anonymous: JsonClient, settings: Any, mode: str) -> None:
    settings.REGISTRATION = mode
    assert anonymous.get("/v1/instance").json()["registration"] == mode


def test_an_invite_can_be_used_as_often_as_it_allows(by_invite: Any) -> None:
    (made,) = invites("create", "--uses", "2", "--note", "book club")
    assert sign_up("alice", invite=made["code"]).status_code == 201
    assert sign_up("bob", invite=f" {made['code'].upper()} ").status_code == 201
    assert refusal(sign_up("carol", invite=made["code"])) == (422, [("invite", "invite_invalid")])
    assert list(User.objects.order_by("username").values_list("username", flat=True)) == ["alice", "bob"]
    assert [row["uses_left"] for row in invites("list")] == [0]


@pytest.mark.parametrize(
    ("sent", "code"),
    [({}, "invite_required"), ({"invite": "  "}, "invite_required"), ({"invite": "guess"}, "invite_invalid")],
)
def test_registration_without_a_valid_code_is_rejected(by_invite: Any, sent: dict[str, Any], code: str) -> None:
    invites("create")
    assert refusal(sign_up(**sent)) == (422, [("invite", code)])
    assert User.objects.count() == 0
    assert events() == []
    assert [row["uses_left"] for row in invites("list")] == [1]


def test_an_expired_invite_is_rejected(by_invite: Any) -> None:
    (made,) = invites("create", "--days", "1")
    Invite.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert refusal(sign_up(invite=made["code"])) == (422, [("invite", "invite_invalid")])
    assert User.objects.count() == 0
    Invite.objects.update(expires_at=timezone.now() + timedelta(hours=1))
    assert sign_up(invite=made["code"]).status_code == 201


def test_a_revoked_invite_is_rejected(by_invite: Any) -> None:
    (made,) = invites("create")
    assert invites("revoke", made["id"]) == {"revoked": made["id"]}
    assert refusal(sign_up(invite=made["code"])) == (422, [("invite", "invite_invalid")])
    assert invites("list") == []


def test_a_failed_registration_does_not_use_the_invite(by_invite: Any) -> None:
    (made,) = invites("create", "--uses", "2")
    assert sign_up("alice", invite=made["code"]).status_code == 201
    assert sign_up("alice", invite=made["code"]).status_code == 409
    assert [row["uses_left"] for row in invites("list")] == [1]


def test_a_retried_request_uses_the_invite_once(by_invite: Any) -> None:
    (made,) = invites("create", "--uses", "2")
    answers = [sign_up(invite=made["code"], headers={"Idempotency_Key": "once"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert [row["uses_left"] for row in invites("list")] == [1]


@pytest.mark.skipif(configured.EMBEDDED, reason="in-memory SQLite has no concurrent writers")
@pytest.mark.django_db(databases=ALL_CONTEXTS, transaction=True)
def test_concurrent_registrations_cannot_share_the_last_use(by_invite: Any) -> None:
    (made,) = invites("create")
    answers, barrier = [], threading.Barrier(2)

    def try_it(name: Any) -> None:
        barrier.wait()
        answers.append(sign_up(name, invite=made["code"]).status_code)
        connections.close_all()

    threads = [threading.Thread(target=try_it, args=(name,)) for name in ("alice", "bob")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [201, 422]
    assert User.objects.count() == 1


def test_the_code_is_neither_stored_nor_listed() -> None:
    (made,) = invites("create", "--note", "press")
    row = Invite.objects.get()
    assert made["code"] not in (row.digest, row.note)
    (listed,) = invites("list")
    assert listed == {key: value for key, value in made.items() if key != "code"}


@pytest.mark.parametrize(
    "arguments",
    [
        ("create", "--uses", "0"),
        ("create", "--days", "0"),
        ("create", "--note", "x" * 101),
        ("create", "5"),
        ("revoke",),
        ("revoke", "5"),
    ],
)
def test_the_command_rejects_invalid_arguments(arguments: Any) -> None:
    with pytest.raises(CommandError):
        invites(*arguments)
    assert Invite.objects.count() == 0


@pytest.mark.parametrize("mode", ["invite", "approval"])
def test_a_provider_does_not_bypass_invites(settings: Any, mode: str) -> None:
    settings.REGISTRATION = mode
    profile = SocialProfile("google", "1", "alice@example.org", True, "Alice")
    with pytest.raises(Forbidden) as refused:
        actions.log_in_social(profile=profile, otp=None, device=actions.Device(user_agent="", address="127.0.0.1"))
    assert refused.value.code == "registration_restricted"
    assert User.objects.count() == 0


def test_an_applicant_gets_no_tokens_and_is_hidden_until_approved(by_approval: Any, anonymous: JsonClient) -> None:
    answer = sign_up(application="I like cats.", cookie=False)
    assert answer.status_code == 202
    made = answer.json()
    assert set(made) == {"status", "user"}
    assert (made["status"], made["user"]["username"]) == ("pending", "alice")
    assert "Device-Token" not in answer
    assert not answer.cookies
    refused = log_in()
    assert (refused.status_code, refused.json()["code"]) == (403, "account_pending")
    for path in ("users/{id}", "profiles/{id}", "profiles/by-username/{username}"):
        assert anonymous.get(f"/v1/{path.format_map(made['user'])}").status_code == 404
    assert events() == []
    assert users_after(after=0, limit=9) == [], "loading an account would approve it"
    assert subjects() == [("We have received your application", ["alice@example.org"])]


@pytest.mark.parametrize("sent", [{}, {"application": " "}])
def test_an_application_requires_a_text(by_approval: Any, sent: dict[str, Any]) -> None:
    assert refusal(sign_up(**sent)) == (422, [("application", "application_required")])
    assert User.objects.count() == 0


def test_an_application_sets_no_cookie(by_approval: Any) -> None:
    origin = configured.ALLOWED_ORIGINS[0]
    answer = sign_up(application="I like cats.", cookie=True, headers={"Origin": origin})
    assert answer.status_code == 202
    assert not answer.cookies


def test_an_approved_applicant_can_log_in_and_is_published_once(by_approval: Any, admin_site: Any) -> None:
    sign_up(application="I like cats.")
    subjects()
    application = Application.objects.get()
    assert "I like cats." in admin_site.get("/admin/identity/application/").content.decode()
    decide(admin_site, "approve", application)
    decide(admin_site, "approve", application)
    decide(admin_site, "reject", application)
    application.refresh_from_db()
    assert application.outcome == "approved"
    assert events() == ["auth.user_registered.v1"]
    assert log_in().status_code == 200
    assert ("Welcome", ["alice@example.org"]) in subjects()


def test_a_rejected_applicant_is_erased_and_notified(
    by_approval: Any, admin_site: Any, drain: Callable[[], int]
) -> None:
    sign_up(application="I like cats.")
    subjects()
    application = Application.objects.get()
    user = User.objects.get(id=application.user_id)
    decide(admin_site, "reject", application)
    assert events() == ["auth.user_deleted.v1"]
    drain()
    assert subjects() == [("Your application", ["alice@example.org"])]
    user.refresh_from_db()
    assert (user.status, user.email, user.username) == ("deleted", "", f"deleted_{user.id}")
    assert Application.objects.count() == 0
    assert log_in().json()["code"] == "invalid_credentials"


@pytest.mark.parametrize("way", ["reset", "social", "verify", "passkey", "unban", "site"])
def test_the_approval_cannot_be_bypassed(by_approval: Any, way: str) -> None:
    """Whatever else an applicant verifies, there is no session and no event before staff approve."""
    sign_up(application="I like cats.")
    user = User.objects.get()
    here = actions.Device(user_agent="", address="127.0.0.1")
    password = PASSWORD
    if way == "reset":
        password = "another horse battery"
        answer = JsonClient().post("/v1/auth/password/reset", {"key": reset_key(user), "password": password})
        assert answer.status_code == 204
    elif way == "social":
        profile = SocialProfile("google", "1", user.email, True, "Alice")
        with pytest.raises(Conflict) as taken:
            actions.log_in_social(profile=profile, otp=None, device=here)
        assert taken.value.code == "email_taken"
    elif way == "verify":
        key = EmailConfirmationHMAC(EmailAddress.objects.get(user=user)).key
        answer = JsonClient().post("/v1/auth/verify-email", {"key": key})
        assert refusal(answer) == (422, [("key", "key_outdated")])
    elif way == "passkey":
        passkey = Authenticator.objects.create(user=user, type=Authenticator.Type.WEBAUTHN, data={})
        with pytest.raises(Forbidden) as refused:
            logins._log_in_confirmed(UsedPasskey(passkey.pk, user.id), device=here)
        assert refused.value.code == "account_pending"
    elif way == "unban":
        for day, banned in enumerate((True, False)):
            at = timezone.now() + timedelta(days=day)
            actions.apply_sanction(user_id=user.id, banned=banned, at=at, action_id=1)
    else:
        actions.grant_role(user_id=user.id, role="admin")
        OutboxEvent.objects.using("auth").all().delete()
        with pytest.raises(Forbidden) as refused:
            actions.admit_to_site(login="alice", password=PASSWORD, otp=None, device=here)
        assert refused.value.code == "account_pending"
    answer = JsonClient().post("/v1/auth/login", {"login": "alice", "password": password})
    assert (answer.status_code, answer.json()["code"]) == (403, "account_pending")
    user.refresh_from_db()
    assert (user.status, user.email_verified) == ("pending", False)
    assert events() == []
    assert not Session.objects.exists()


def test_only_administrators_decide_on_applications(
    by_approval: Any, register: Callable[..., Person], settings: Any
) -> None:
    settings.REGISTRATION = "open"
    mallory = register("mallory")
    settings.REGISTRATION = "approval"
    sign_up(application="I like cats.")
    application = Application.objects.get()
    settings.STAFF_SECOND_FACTOR = False
    actions.grant_role(user_id=int(mallory.id), role="moderator")
    browser = Client()
    browser.post("/admin/login/", {"username": "mallory", "password": PASSWORD, "next": "/admin/"})
    answer = browser.post("/admin/identity/application/", {"action": "approve", "_selected_action": [application.id]})
    assert answer.status_code == 403
    application.refresh_from_db()
    assert (application.outcome, application.user.status) == ("open", "pending")


def test_posting_and_commenting_require_a_verified_address_if_configured(
    register: Callable[..., Person], settings: Any
) -> None:
    alice = register("alice")
    post = alice.client.post("/v1/posts", {"content": "before the setting"}).json()["id"]
    settings.VERIFIED_EMAIL_TO_POST = True
    writes = (
        lambda: alice.client.post("/v1/posts", {"content": "hello"}),
        lambda: alice.client.post(f"/v1/posts/{post}/comments", {"content": "hello"}),
        lambda: alice.client.patch(f"/v1/posts/{post}", {"content": "another text"}),
    )
    for write in writes:
        refused = write()
        assert (refused.status_code, refused.json()["code"]) == (403, "email_unverified")
    assert alice.client.get(f"/v1/posts/{post}").json()["content"] == "before the setting"
    assert alice.client.get(f"/v1/posts/{post}/comments").json()["results"] == []
    actions.verify_account(user_id=int(alice.id))
    assert [write().status_code for write in writes] == [201, 201, 200]
