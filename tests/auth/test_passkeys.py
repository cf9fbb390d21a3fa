"""Passkeys: registering requires a confirmed session, they can log in, and each response is valid once."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from apps.auth.actions import remove_passkey
from apps.auth.actions.passkeys import UsedPasskey, use_passkey
from apps.auth.models import PasskeyChallenge, Session
from tests.auth.authenticator import Authenticator, encode
from tests.auth.totp import set_up
from tests.conftest import ALL_CONTEXTS, JsonClient, Person

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

ORIGIN = "http://localhost:8000"


def add(person: Person, device: Any, name: str = "laptop") -> Any:
    person.confirm()
    options = person.client.post("/v1/auth/passkeys/options").json()["publicKey"]
    return person.client.post("/v1/auth/passkeys", {"name": name, "credential": device.create(options)})


def challenge() -> Any:
    return JsonClient().post("/v1/auth/login/passkey/options").json()["publicKey"]


def log_in(credential: Any) -> Any:
    return JsonClient().post("/v1/auth/login/passkey", {"credential": credential})


@pytest.fixture
def device() -> Any:
    return Authenticator(ORIGIN)


def test_a_passkey_is_added_listed_used_and_removed(register: Callable[..., Person], device: Any) -> None:
    alice = register("alice")
    made = add(alice, device)
    assert made.status_code == 201, made.content
    assert set(made.json()) == {"id", "name", "created_at", "last_used_at"}
    assert made.json()["name"] == "laptop"
    logged_in = log_in(device.get(challenge()))
    assert logged_in.status_code == 200, logged_in.content
    assert logged_in.json()["user"]["id"] == alice.id
    assert JsonClient(logged_in.json()["access"]).get("/v1/auth/me").status_code == 200
    (listed,) = alice.client.get("/v1/auth/passkeys").json()["results"]
    assert listed["last_used_at"] is not None
    assert alice.client.delete(f"/v1/auth/passkeys/{listed['id']}").status_code == 204
    assert alice.client.delete(f"/v1/auth/passkeys/{listed['id']}").status_code == 404
    assert log_in(device.get(challenge())).json()["code"] == "passkey_invalid"


def test_a_credential_may_be_sent_as_the_browser_serializes_it(register: Callable[..., Person], device: Any) -> None:
    alice = register("alice")
    alice.confirm()
    options = alice.client.post("/v1/auth/passkeys/options").json()["publicKey"]
    assert alice.client.post("/v1/auth/passkeys", device.create(options)).status_code == 201
    assert JsonClient().post("/v1/auth/login/passkey", device.get(challenge())).status_code == 200


def test_adding_and_removing_require_a_confirmed_session(register: Callable[..., Person], device: Any) -> None:
    alice = register("alice")
    for method, path in (("POST", "options"), ("POST", ""), ("DELETE", "1")):
        body = {"credential": {"id": "x", "rawId": "x", "type": "public-key", "response": {}}} if not path else {}
        answer = alice.client.request(method, f"/v1/auth/passkeys/{path}".rstrip("/"), body)
        assert (answer.status_code, answer.json()["code"]) == (403, "confirmation_required"), path
    assert PasskeyChallenge.objects.count() == 0


def test_the_number_of_passkeys_is_limited_whenever_they_were_begun(
    register: Callable[..., Person], device: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.auth.actions.passkeys.MAX_PASSKEYS", 1)
    alice = register("alice")
    alice.confirm()
    begun = [alice.client.post("/v1/auth/passkeys/options").json()["publicKey"] for _ in range(2)]
    answers = [alice.client.post("/v1/auth/passkeys", device.create(options)) for options in begun]
    assert [answer.status_code for answer in answers] == [201, 409]
    assert answers[1].json()["code"] == "passkeys_full"
    assert len(alice.client.get("/v1/auth/passkeys").json()["results"]) == 1


def test_each_response_is_valid_once(register: Callable[..., Person], device: Any) -> None:
    add(register("alice"), device)
    answer = device.get(challenge())
    assert log_in(answer).status_code == 200
    replayed = log_in(answer)
    assert (replayed.status_code, replayed.json()["code"]) == (401, "passkey_invalid")


def test_a_registration_is_valid_once_and_for_its_account_only(register: Callable[..., Person], device: Any) -> None:
    alice, bob = register("alice"), register("bob")
    alice.confirm()
    bob.confirm()
    options = alice.client.post("/v1/auth/passkeys/options").json()["publicKey"]
    credential = device.create(options)
    stolen = bob.client.post("/v1/auth/passkeys", {"credential": credential})
    assert (stolen.status_code, stolen.json()["errors"][0]["code"]) == (422, "passkey_invalid")
    made = alice.client.post("/v1/auth/passkeys", {"credential": credential}, Idempotency_Key="k")
    assert made.status_code == 201
    again = alice.client.post("/v1/auth/passkeys", {"credential": credential}, Idempotency_Key="k")
    assert (again.status_code, again.json()) == (201, made.json())
    assert alice.client.post("/v1/auth/passkeys", {"credential": credential}).status_code == 422


def test_an_invalid_credential_is_rejected(register: Callable[..., Person], device: Any) -> None:
    add(register("alice"), device)
    forged = device.get(challenge())
    forged["response"]["signature"] = forged["response"]["signature"][:-8] + "AAAAAAAA"
    elsewhere = Authenticator("https://evil.example")
    elsewhere.keys = device.keys
    invented = device.get({**challenge(), "challenge": encode(b"x" * 32)})
    unknown = device.get(challenge())
    unknown["response"]["userHandle"] = encode(b"1")
    for answer in (forged, elsewhere.get(challenge()), invented, unknown):
        refused = log_in(answer)
        assert (refused.status_code, refused.json()["code"]) == (401, "passkey_invalid")


@pytest.mark.parametrize("part", ["clientDataJSON", "authenticatorData", "signature", "userHandle"])
@pytest.mark.parametrize("wrong", [None, "", "x", "é", 5, [], {"a": 1}, "A" * 5000])
def test_malformed_responses_are_rejected_without_a_server_error(
    register: Callable[..., Person], device: Any, part: str, wrong: Any
) -> None:
    add(register("alice"), device)
    answer = device.get(challenge())
    answer["response"][part] = wrong
    assert log_in(answer).status_code == 401


def test_a_response_that_is_too_large_is_not_parsed(register: Callable[..., Person], device: Any) -> None:
    add(register("alice"), device)
    answer = device.get(challenge())
    extensions = b"\xa1\x61x\x9a" + (500_000).to_bytes(4) + b"\x01" * 500_000
    answer["response"]["authenticatorData"] = encode(bytes(32) + b"\x85" + bytes(4) + extensions)
    began = time.process_time()
    assert log_in(answer).status_code == 401
    assert time.process_time() - began < 1


def test_a_number_in_place_of_text_takes_no_memory(register: Callable[..., Person], device: Any) -> None:
    """fido2 makes as many zero bytes of it, and fails with a MemoryError here."""
    alice, number = register("alice"), 10**16
    add(alice, device)
    for part in ("clientDataJSON", "authenticatorData", "signature", "userHandle"):
        answer = device.get(challenge())
        answer["response"][part] = number
        assert log_in(answer).status_code == 401, part
    for part in ("clientDataJSON", "attestationObject"):
        made = device.create(alice.client.post("/v1/auth/passkeys/options").json()["publicKey"])
        made["response"][part] = number
        assert alice.client.post("/v1/auth/passkeys", {"credential": made}).status_code == 422, part
    proof = device.get(challenge()) | {"id": number, "rawId": number}
    assert alice.client.post("/v1/auth/confirm", {"passkey": proof}).status_code == 403


@pytest.mark.parametrize("challenge", ["\ud800", 5, None, [[]], {"a": 1}], ids=ascii)
def test_a_malformed_challenge_is_rejected_without_a_server_error(challenge: Any) -> None:
    client_data = json.dumps({"type": "webauthn.get", "challenge": challenge, "origin": ORIGIN})
    response = {"clientDataJSON": encode(client_data.encode())}
    refused = log_in({"id": "x", "rawId": "x", "type": "public-key", "response": response})
    assert (refused.status_code, refused.json()["code"]) == (401, "passkey_invalid")


@pytest.mark.parametrize("unusable", [{"algorithm": -999}, {"attested": False}])
def test_a_passkey_that_could_never_log_in_is_not_added(
    register: Callable[..., Person], device: Any, unusable: dict[str, Any]
) -> None:
    alice = register("alice")
    alice.confirm()
    options = alice.client.post("/v1/auth/passkeys/options").json()["publicKey"]
    refused = alice.client.post("/v1/auth/passkeys", {"credential": device.create(options, **unusable)})
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "passkey_invalid")
    assert alice.client.get("/v1/auth/passkeys").json()["results"] == []


def test_a_cloned_authenticator_is_detected(register: Callable[..., Person], device: Any) -> None:
    add(register("alice"), device)
    assert log_in(device.get(challenge())).status_code == 200
    device.counts_up = False
    assert log_in(device.get(challenge())).json()["code"] == "passkey_invalid"


def test_a_passkey_confirms_only_its_owners_session(register: Callable[..., Person], device: Any) -> None:
    alice, bob = register("alice"), register("bob")
    add(alice, device)
    assert bob.client.post("/v1/auth/confirm", {"passkey": device.get(challenge())}).json()["code"] == (
        "confirmation_failed"
    )
    confirmed = alice.client.post("/v1/auth/confirm", {"passkey": device.get(challenge())})
    assert confirmed.status_code == 200
    assert set(confirmed.json()) == {"confirmed_until"}


def test_a_banned_account_cannot_log_in_with_a_passkey(register: Callable[..., Person], device: Any) -> None:
    from apps.auth.models import User

    add(register("alice"), device)
    User.objects.update(status="banned")
    refused = log_in(device.get(challenge()))
    assert (refused.status_code, refused.json()["code"]) == (403, "account_banned")


def test_with_an_authenticator_app_the_password_alone_adds_no_passkey(
    register: Callable[..., Person], device: Any
) -> None:
    """A passkey logs in without the app's codes, and confirms the session that removes the app."""
    alice = register("alice")
    _, recovery_codes = set_up(alice)
    body = {"credential": {"id": "x", "rawId": "x", "type": "public-key", "response": {}}}
    for path, sent in (("/options", {}), ("", body)):
        alice.confirm()
        refused = alice.client.post(f"/v1/auth/passkeys{path}", sent)
        assert (refused.status_code, refused.json()["code"]) == (403, "confirmation_required"), path
        assert refused.json()["methods"] == ["otp"]
    assert alice.client.post("/v1/auth/confirm", {"otp": recovery_codes[0]}).status_code == 200
    options = alice.client.post("/v1/auth/passkeys/options").json()["publicKey"]
    assert alice.client.post("/v1/auth/passkeys", {"credential": device.create(options)}).status_code == 201
    assert alice.client.post("/v1/auth/confirm", {"passkey": device.get(challenge())}).status_code == 200
    assert alice.client.post("/v1/auth/passkeys/options").status_code == 200, "another passkey is a second factor too"


def test_a_passkey_removed_while_it_logs_in_starts_no_session(
    register: Callable[..., Person], device: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the answer and the session, as when the owner resets the password of a stolen account."""
    add(register("alice"), device)
    before = Session.objects.count()

    def use_and_remove(credential: Any) -> UsedPasskey:
        used = use_passkey(credential)
        remove_passkey(user_id=used.user_id, passkey_id=used.id)
        return used

    monkeypatch.setattr("apps.auth.actions.logins.use_passkey", use_and_remove)
    refused = log_in(device.get(challenge()))
    assert (refused.status_code, refused.json()["code"]) == (401, "passkey_invalid")
    assert Session.objects.count() == before
