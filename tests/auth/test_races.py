"""Concurrent requests: the lock on the account's row lets an operation happen only once."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator as MfaRow
from django.conf import settings
from django.db import connections

from apps.auth.models import Mail, User
from tests.auth.authenticator import Authenticator
from tests.auth.totp import PASSWORD, code, log_in, set_up
from tests.conftest import ALL_CONTEXTS, JsonClient, Person

pytestmark = [
    pytest.mark.skipif(settings.EMBEDDED, reason="in-memory SQLite has no concurrent writers"),
    pytest.mark.django_db(databases=ALL_CONTEXTS, transaction=True),
]


def alice() -> Person:
    """A person with a confirmed session, committed so that other threads see it."""
    body = {"email": "alice@example.org", "password": PASSWORD, "username": "alice"}
    made = JsonClient().post("/v1/auth/register", body).json()
    person = Person(made["user"]["id"], "alice", made["access"], made["refresh"], JsonClient(made["access"]))
    person.confirm()
    return person


def twice_at_once(act: Callable[[], Any]) -> list[Any]:
    """The responses to a request that is sent twice concurrently, the lower status first."""
    answers: list[Any] = []
    barrier = threading.Barrier(2)

    def run() -> None:
        try:
            barrier.wait()
            answers.append(act())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(answers, key=lambda answer: int(answer.status_code))


def test_one_of_two_concurrent_confirmations_of_an_authenticator_app_succeeds() -> None:
    person = alice()
    secret = person.client.post("/v1/auth/totp").json()["secret"]
    sent = {"code": code(secret)}
    won, lost = twice_at_once(lambda: JsonClient(person.access).post("/v1/auth/totp/confirm", sent))
    assert (won.status_code, lost.status_code, lost.json()["code"]) == (200, 409, "totp_enabled")
    assert sorted(MfaRow.objects.values_list("type", flat=True)) == ["recovery_codes", "totp"]
    assert Mail.objects.filter(kind=Mail.Kind.TOTP_ADDED).count() == 1
    assert log_in(won.json()["recovery_codes"][0]).status_code == 200, "the recovery codes that were shown are valid"


def test_a_passkey_registered_twice_concurrently_is_stored_once() -> None:
    person, device = alice(), Authenticator("http://localhost:8000")
    made = device.create(person.client.post("/v1/auth/passkeys/options").json()["publicKey"])
    won, lost = twice_at_once(lambda: JsonClient(person.access).post("/v1/auth/passkeys", made))
    assert (won.status_code, lost.status_code) == (201, 422)
    assert lost.json()["errors"][0]["code"] == "passkey_invalid", "the challenge is valid once"
    assert MfaRow.objects.filter(type="webauthn").count() == 1
    assert Mail.objects.filter(kind=Mail.Kind.PASSKEY_ADDED).count() == 1


def test_one_of_two_concurrent_uses_of_a_recovery_code_succeeds() -> None:
    _, codes = set_up(alice())
    won, lost = twice_at_once(lambda: log_in(codes[0]))
    assert (won.status_code, lost.status_code, lost.json()["code"]) == (200, 401, "otp_invalid")
    (row,) = MfaRow.objects.filter(type="recovery_codes")
    assert len(row.wrap().get_unused_codes()) == 9


def test_one_of_two_concurrent_similar_looking_names_is_accepted() -> None:
    names = iter(("paypal_team", "paypa1_team"))

    def register() -> Any:
        name = next(names)
        return JsonClient().post(
            "/v1/auth/register", {"email": f"{name}@example.org", "password": PASSWORD, "username": name}
        )

    won, lost = twice_at_once(register)
    assert (won.status_code, lost.status_code, lost.json()["code"]) == (201, 409, "username_taken")
    assert User.objects.count() == 1
