"""Passwords: forgotten, reset with a mailed key, changed."""

import hashlib
import re
import threading
from collections.abc import Callable
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest
from allauth.mfa.models import Authenticator as MfaRow
from allauth.socialaccount.models import SocialAccount
from django.core import mail
from django.utils import timezone

from apps.auth import actions
from apps.auth.actions.breaches import is_breached
from apps.auth.models import Mail, User
from tests.auth.totp import set_up as set_up_totp
from tests.conftest import ALL_CONTEXTS, JsonClient, Person

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

PASSWORD = "correct horse battery"
NEW = "staple gun paper clip"


def log_in(password: Any) -> Any:
    return JsonClient().post("/v1/auth/login", {"login": "alice", "password": password})


def forget(anonymous: JsonClient, email: Any) -> Any:
    return anonymous.post("/v1/auth/password/forgot", {"email": email})


def mailed_key() -> Any:
    actions.send_due_mails()
    (message,) = [message for message in mail.outbox if message.subject == "Set a new password"]
    mail.outbox.clear()
    return message.body.rpartition("Your key: ")[2].split()[0]


def test_a_forgotten_password_is_reset_with_a_mailed_key_once(
    register: Callable[..., Person], anonymous: JsonClient
) -> None:
    alice = register("alice")
    assert forget(anonymous, "ALICE@example.org").status_code == 202
    key = mailed_key()
    assert anonymous.post("/v1/auth/password/reset", {"key": key, "password": NEW}).status_code == 204
    assert log_in(PASSWORD).status_code == 401
    assert log_in(NEW).status_code == 200
    ended = anonymous.post("/v1/auth/refresh", {"refresh": alice.refresh})
    assert ended.json()["code"] == "refresh_invalid", "all sessions end"
    again = anonymous.post("/v1/auth/password/reset", {"key": key, "password": "another password 77"})
    assert (again.status_code, again.json()["errors"][0]["code"]) == (422, "key_invalid")
    assert log_in(NEW).status_code == 200
    actions.send_due_mails()
    assert [message.subject for message in mail.outbox] == ["Your password was changed"]


def test_resetting_the_password_of_an_unverified_address_removes_all_other_ways_to_log_in(
    register: Callable[..., Person], anonymous: JsonClient
) -> None:
    """Somebody has registered with a stranger's address, and added other ways to log in."""
    squatter = register("alice")
    set_up_totp(squatter)
    person = User.objects.get(id=squatter.id)
    SocialAccount(user=person, provider="google", uid="the-squatter", extra_data={}).save(force_insert=True)
    User.objects.filter(id=squatter.id).update(oauth_provider="google", oauth_id="the-squatter")
    assert squatter.client.patch("/v1/auth/me", {"email": "squatter@example.org"}).status_code == 200
    actions.send_due_mails()
    (pending,) = [message for message in mail.outbox if message.to == ["squatter@example.org"]]
    switch = re.search(r"Your key: (\S+)", str(pending.body))
    assert switch is not None
    forget(anonymous, "alice@example.org")
    assert anonymous.post("/v1/auth/password/reset", {"key": mailed_key(), "password": NEW}).status_code == 204
    assert log_in(NEW).status_code == 200, "the squatter's authenticator app is not required"
    assert anonymous.post("/v1/auth/verify-email", {"key": switch.group(1)}).status_code == 422
    found = User.objects.get(id=squatter.id)
    assert (found.email, found.email_verified, found.oauth_provider, found.oauth_id) == (
        "alice@example.org", True, "local", None,
    )  # fmt: skip
    assert not SocialAccount.objects.exists()
    assert not MfaRow.objects.exists()


def test_an_intruder_with_the_password_cannot_prevent_its_reset(
    register: Callable[..., Person], anonymous: JsonClient
) -> None:
    thief = register("alice")
    forget(anonymous, "alice@example.org")
    key = mailed_key()
    assert log_in(PASSWORD).status_code == 200
    thief.confirm()
    assert thief.client.patch("/v1/auth/me", {"email": "thief@example.org"}).status_code == 200
    assert anonymous.post("/v1/auth/password/reset", {"key": key, "password": NEW}).status_code == 204
    assert log_in(PASSWORD).status_code == 401


def test_a_reset_drops_a_pending_address_and_keeps_a_verified_owners_factors(
    register: Callable[..., Person], anonymous: JsonClient
) -> None:
    alice = register("alice")
    User.objects.filter(id=alice.id).update(email_verified=True)
    set_up_totp(alice)
    assert alice.client.patch("/v1/auth/me", {"email": "other@example.org"}).json()["pending_email"]
    change = {"password": PASSWORD, "new_password": NEW}
    assert alice.client.post("/v1/auth/password/change", change).status_code == 204
    assert alice.client.get("/v1/auth/me").json()["pending_email"] is None
    forget(anonymous, "alice@example.org")
    key = {"key": mailed_key(), "password": "another password 77"}
    assert anonymous.post("/v1/auth/password/reset", key).status_code == 204
    assert log_in("another password 77").json()["code"] == "otp_required", "a mailbox is only one factor"


def test_logging_in_right_after_a_reset_works(
    register: Callable[..., Person], anonymous: JsonClient, django_capture_on_commit_callbacks: Any
) -> None:
    alice = register("alice")
    forget(anonymous, "alice@example.org")
    with django_capture_on_commit_callbacks(using="auth", execute=True):
        anonymous.post("/v1/auth/password/reset", {"key": mailed_key(), "password": NEW})
    assert alice.client.get("/v1/auth/me").json()["code"] == "token_revoked"
    assert JsonClient(log_in(NEW).json()["access"]).get("/v1/auth/me").status_code == 200


def test_an_unknown_address_gets_the_same_response_and_no_mail(
    register: Callable[..., Person], anonymous: JsonClient, django_assert_num_queries: Any
) -> None:
    register("alice")
    actions.send_due_mails()
    mail.outbox.clear()
    known = forget(anonymous, "alice@example.org")
    unknown = forget(anonymous, "nobody@example.org")
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)
    with django_assert_num_queries(3, using="auth"):
        forget(anonymous, "alice@example.org")
    with django_assert_num_queries(3, using="auth"):
        forget(anonymous, "nobody@example.org")
    assert actions.send_due_mails() == 2
    assert {tuple(message.to) for message in mail.outbox} == {("alice@example.org",)}
    assert actions.send_due_mails() == 0


def test_a_mail_queued_before_the_clock_was_set_back_does_not_wait(register: Callable[..., Person]) -> None:
    register("alice")
    Mail.objects.update(due_at=timezone.now() + timedelta(hours=1))
    assert actions.send_due_mails() == 1


@pytest.mark.parametrize("email", ["no address", "a" * 254, "ä@ö.ü", "x@" + "y" * 240])
def test_any_text_as_address_gets_the_same_response(anonymous: JsonClient, email: Any) -> None:
    assert forget(anonymous, email).status_code == 202
    assert actions.send_due_mails() == 0


def test_an_address_that_a_collation_takes_for_another_is_nobodys(
    register: Callable[..., Person], anonymous: JsonClient
) -> None:
    register("alice")
    actions.send_due_mails()
    assert forget(anonymous, "álice@example.org").status_code == 202
    assert actions.send_due_mails() == 0
    assert anonymous.post("/v1/auth/login", {"login": "álice@example.org", "password": PASSWORD}).status_code == 401


def test_a_weak_password_does_not_use_up_the_key(register: Callable[..., Person], anonymous: JsonClient) -> None:
    register("alice")
    forget(anonymous, "alice@example.org")
    key = mailed_key()
    weak = anonymous.post("/v1/auth/password/reset", {"key": key, "password": "password"})
    assert (weak.status_code, weak.json()["errors"][0]["field"]) == (422, "password")
    assert anonymous.post("/v1/auth/password/reset", {"key": key, "password": NEW}).status_code == 204


@pytest.mark.parametrize("key", ["x", "1-abc", "99999999999999999999-x", "-", "1-" + "a" * 400])
def test_invented_keys_are_rejected(register: Callable[..., Person], anonymous: JsonClient, key: Any) -> None:
    register("alice")
    answer = anonymous.post("/v1/auth/password/reset", {"key": key, "password": NEW})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "key_invalid")
    assert log_in(PASSWORD).status_code == 200


def test_a_key_is_valid_for_its_account_only(register: Callable[..., Person], anonymous: JsonClient) -> None:
    register("alice")
    bob = register("bob")
    forget(anonymous, "alice@example.org")
    key = f"{bob.id}-{mailed_key().partition('-')[2]}"
    assert anonymous.post("/v1/auth/password/reset", {"key": key, "password": NEW}).status_code == 422


def test_changing_the_password_ends_the_other_sessions(register: Callable[..., Person], anonymous: JsonClient) -> None:
    alice = register("alice")
    other = log_in(PASSWORD).json()
    answer = alice.client.post("/v1/auth/password/change", {"password": PASSWORD, "new_password": NEW})
    assert answer.status_code == 204
    assert anonymous.post("/v1/auth/refresh", {"refresh": other["refresh"]}).status_code == 401
    assert anonymous.post("/v1/auth/refresh", {"refresh": alice.refresh}).status_code == 200
    assert log_in(NEW).status_code == 200
    assert log_in(PASSWORD).status_code == 401


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"password": "wrong horse battery", "new_password": NEW}, 403, "password_wrong"),
        ({"password": PASSWORD, "new_password": "short"}, 422, "invalid"),
        ({"password": PASSWORD}, 422, "invalid"),
    ],
)
def test_a_rejected_change_changes_nothing(
    register: Callable[..., Person], body: dict[str, Any], status: int, code: str
) -> None:
    alice = register("alice")
    answer = alice.client.post("/v1/auth/password/change", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert log_in(PASSWORD).status_code == 200


@pytest.mark.real_passwords
def test_passwords_are_stored_as_argon2id(register: Callable[..., Person]) -> None:
    alice = register("alice")
    stored = User.objects.get(id=alice.id).password
    assert stored.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    assert PASSWORD not in stored


@pytest.mark.real_passwords
def test_a_hash_with_other_parameters_is_renewed_at_log_in(register: Callable[..., Person]) -> None:
    from django.contrib.auth.hashers import Argon2PasswordHasher

    class CheapHasher(Argon2PasswordHasher):
        time_cost, memory_cost, parallelism = 1, 8192, 1

    alice = register("alice")
    cheap = CheapHasher()
    User.objects.filter(id=alice.id).update(password=cheap.encode(PASSWORD, cheap.salt()))
    assert log_in(PASSWORD).status_code == 200
    assert "m=19456,t=2" in User.objects.get(id=alice.id).password
    assert log_in(PASSWORD).status_code == 200


class _Ranges(BaseHTTPRequestHandler):
    """A range API with one breached password and one line of padding."""

    asked: ClassVar[list[tuple[str, str | None]]] = []
    status = 200

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers["Add-Padding"]))
        digest = hashlib.sha1(BREACHED.encode(), usedforsecurity=False).hexdigest().upper()
        padding = hashlib.sha1(PADDED.encode(), usedforsecurity=False).hexdigest().upper()
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(f"{digest[5:]}:7\r\n{padding[5:]}:0\r\n".encode())

    def log_message(self, *args: Any) -> None:
        pass


BREACHED, PADDED = "tangerine walrus lamp 9", "copper heron staple 4"


def test_breached_passwords_are_rejected_by_hash_prefix(settings: Any) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Ranges)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        settings.PASSWORD_RANGE_URL = f"http://127.0.0.1:{server.server_port}/range/"
        assert not is_breached(BREACHED), "requests to private addresses are blocked"
        settings.OUTGOING_ALLOWED_HOSTS = [f"127.0.0.1:{server.server_port}"]
        body = {"email": "alice@example.org", "username": "alice", "password": BREACHED}
        refused = JsonClient().post("/v1/auth/register", body)
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "password_breached")
        digest = hashlib.sha1(BREACHED.encode(), usedforsecurity=False).hexdigest().upper()
        assert _Ranges.asked == [(f"/range/{digest[:5]}", "true")]
        assert not is_breached(PADDED)
        assert JsonClient().post("/v1/auth/register", {**body, "password": PADDED}).status_code == 201
        _Ranges.status = 503
        assert not is_breached(BREACHED), "passwords are accepted while the service fails"
    finally:
        server.shutdown()
        server.server_close()
