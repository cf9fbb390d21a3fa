"""One-time passwords: setup, use at log-in, single use, recovery codes, removal."""

import base64
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pyotp
import pytest
from allauth.mfa.models import Authenticator

from apps.auth import actions
from apps.auth.actions import second_factors
from apps.auth.models import RecoveryCode, User
from tests.auth.totp import code, log_in, set_up
from tests.conftest import ALL_CONTEXTS, JsonClient, Person

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)


def test_setup_takes_two_steps_and_then_log_in_requires_a_code(register: Callable[..., Person]) -> None:
    alice = register("alice")
    alice.confirm()
    started = alice.client.post("/v1/auth/totp")
    assert started.status_code == 201
    secret = started.json()["secret"]
    assert pyotp.parse_uri(started.json()["otpauth_url"]).secret == secret
    assert log_in().status_code == 200, "not required before it is confirmed"
    assert alice.client.get("/v1/auth/totp").json() == {"enabled": False}

    wrong = alice.client.post("/v1/auth/totp/confirm", {"code": "000000"})
    assert (wrong.status_code, wrong.json()["errors"][0]["code"]) == (422, "code_invalid")
    sent = code(secret)
    confirmed = alice.client.post("/v1/auth/totp/confirm", {"code": sent})
    assert confirmed.status_code == 200
    assert len(set(confirmed.json()["recovery_codes"])) == 10
    assert alice.client.get("/v1/auth/totp").json() == {"enabled": True}

    missing = log_in()
    assert (missing.status_code, missing.json()["code"]) == (401, "otp_required")
    refused = log_in("000000")
    assert (refused.status_code, refused.json()["code"]) == (401, "otp_invalid")
    replayed = log_in(sent)
    assert replayed.json()["code"] == "otp_invalid", "the code that confirmed it cannot be used again"
    assert log_in(code(secret, 1)).status_code == 200


# RFC 6238, appendix B, for SHA-1; an app shows the last six of the eight digits.
_VECTORS = [
    (59, "94287082"),
    (1111111109, "07081804"),
    (1111111111, "14050471"),
    (1234567890, "89005924"),
    (2000000000, "69279037"),
    (20000000000, "65353130"),
]


@pytest.mark.parametrize(("at", "digits"), _VECTORS)
def test_codes_match_rfc_6238(monkeypatch: pytest.MonkeyPatch, at: int, digits: str) -> None:
    secret = base64.b32encode(b"12345678901234567890").decode()
    monkeypatch.setattr(second_factors, "time", SimpleNamespace(time=lambda: float(at)))
    assert second_factors._fitting_step(secret, digits[2:], after=0) == at // 30
    assert second_factors._fitting_step(secret, digits[2:], after=at // 30) is None, "a code is valid once"


def test_a_wrong_password_does_not_reveal_that_a_code_is_needed(register: Callable[..., Person]) -> None:
    alice = register("alice")
    set_up(alice)
    answer = JsonClient().post("/v1/auth/login", {"login": "alice", "password": "wrong horse battery"})
    assert answer.json()["code"] == "invalid_credentials"


def test_a_recovery_code_is_valid_once(register: Callable[..., Person]) -> None:
    _, codes = set_up(register("alice"))
    assert log_in(codes[0].upper()).status_code == 200
    assert log_in(codes[0]).json()["code"] == "otp_invalid"
    assert log_in(codes[1].replace("-", " ")).status_code == 200
    assert len(recovery_codes("alice")) == 8


def recovery_codes(username: Any) -> Any:
    (row,) = Authenticator.objects.filter(type="recovery_codes", user__username=username)
    return row.wrap().get_unused_codes()


def test_secret_and_recovery_codes_are_stored_encrypted_or_hashed(register: Callable[..., Person]) -> None:
    secret, codes = set_up(register("alice"))
    kept = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert secret not in kept
    assert not any(code in kept or code.replace("-", "") in kept for code in codes)
    assert all(len(code.replace("-", "")) == 25 for code in codes), "more than 80 bits"


def test_an_authenticator_app_from_before_allauth_keeps_its_recovery_codes(register: Callable[..., Person]) -> None:
    from django.utils.crypto import salted_hmac

    set_up(register("alice"))
    Authenticator.objects.filter(type="recovery_codes").delete()
    digest = salted_hmac("socialapp.auth.recovery", "abcdef012345", algorithm="sha256").hexdigest()
    RecoveryCode(user=User.objects.get(), digest=digest).save()
    assert log_in("ABCDEF-012345").status_code == 200
    assert log_in("ABCDEF-012345").json()["code"] == "otp_invalid"


def test_an_authenticator_app_must_be_removed_before_it_is_replaced(register: Callable[..., Person]) -> None:
    alice = register("alice")
    secret, _ = set_up(alice)
    again = alice.client.post("/v1/auth/totp")
    assert (again.status_code, again.json()["code"]) == (409, "totp_enabled")
    confirm = alice.client.post("/v1/auth/totp/confirm", {"code": code(secret)})
    assert (confirm.status_code, confirm.json()["code"]) == (409, "totp_enabled")
    assert log_in(code(secret)).status_code == 200


def test_removal_requires_a_confirmed_session_and_a_code(register: Callable[..., Person]) -> None:
    alice = register("alice")
    secret, codes = set_up(alice)
    other = JsonClient(log_in(code(secret)).json()["access"])
    refused = other.delete("/v1/auth/totp", {"code": codes[0]})
    assert (refused.status_code, refused.json()["code"]) == (403, "confirmation_required")
    assert refused.json()["methods"] == ["password", "otp", "code"]
    assert alice.client.delete("/v1/auth/totp", {"code": "000000"}).status_code == 422
    assert alice.client.delete("/v1/auth/totp", {}).status_code == 422, "the password alone does not remove it"
    assert log_in().json()["code"] == "otp_required"
    assert alice.client.delete("/v1/auth/totp", {"code": codes[1]}).status_code == 204
    assert log_in().status_code == 200
    assert Authenticator.objects.count() == 0
    assert alice.client.delete("/v1/auth/totp", {"code": codes[2]}).status_code == 404
    assert alice.client.post("/v1/auth/totp/confirm", {"code": codes[2]}).status_code == 404


def test_a_session_confirmed_with_a_code_can_remove_it_without_another(register: Callable[..., Person]) -> None:
    alice = register("alice")
    secret, _ = set_up(alice)
    assert alice.client.post("/v1/auth/confirm", {"otp": code(secret)}).status_code == 200
    assert alice.client.delete("/v1/auth/totp").status_code == 204
    assert log_in().status_code == 200


def test_the_owner_is_notified_of_setup_and_removal(register: Callable[..., Person]) -> None:
    from django.core import mail

    alice = register("alice")
    _, codes = set_up(alice)
    alice.client.delete("/v1/auth/totp", {"code": codes[0]})
    actions.send_due_mails()
    subjects = [message.subject for message in mail.outbox]
    assert "An authenticator app was added" in subjects
    assert "The authenticator app was removed" in subjects
