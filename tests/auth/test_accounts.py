"""Accounts: registration, allowed names, verifying and changing the e-mail address, and visibility."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail

from apps.auth import actions, queries
from socialapp.http.tokens import principal_of
from socialapp.messaging.models import OutboxEvent
from tests.conftest import ALL_CONTEXTS, JsonClient, Person

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

PASSWORD = "correct horse battery"


def body(**changes: Any) -> dict[str, Any]:
    return {"email": "alice@example.org", "password": PASSWORD, "username": "alice", **changes}


def events(kind: str = "") -> list[Any]:
    return list(OutboxEvent.objects.using("auth").filter(type__contains=kind).values_list("type", flat=True))


def sent_key() -> Any:
    """The key in the only mail sent since the last call."""
    actions.send_due_mails()
    (message,) = mail.outbox
    mail.outbox.clear()
    return message, message.body.rpartition("Your key: ")[2].split()[0]


def count_users() -> int:
    return len(queries.accounts(queries.existing_users().values_list("id", flat=True)))


def test_registering_returns_the_user_and_working_tokens_and_publishes_an_event(anonymous: JsonClient) -> None:
    answer = anonymous.post("/v1/auth/register", body(full_name="Alice A."))
    assert answer.status_code == 201
    made = answer.json()
    assert set(made) == {"user", "access", "refresh"}
    assert set(made["user"]) == {
        "id", "username", "email", "pending_email", "email_verified", "roles", "oauth_provider", "created_at",
    }  # fmt: skip
    assert made["user"]["pending_email"] is None
    assert made["user"]["username"] == "alice"
    assert made["user"]["email"] == "alice@example.org"
    assert made["user"]["email_verified"] is False
    assert made["user"]["roles"] == ["user"]
    assert made["user"]["oauth_provider"] == "local"
    principal, _ = principal_of(made["access"])
    assert str(principal.id) == made["user"]["id"]
    assert events() == ["auth.user_registered.v1"]


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"username": "al"}, "username", "username_invalid"),
        ({"username": "a" * 31}, "username", "max_length"),
        ({"username": "ali ce"}, "username", "username_invalid"),
        ({"username": "älice"}, "username", "username_invalid"),
        ({"username": "alice\n"}, "username", "control_character"),
        ({"username": "..."}, "username", "username_invalid"),
        ({"username": "Admin"}, "username", "username_reserved"),
        ({"username": "deleted_1"}, "username", "username_reserved"),
        ({"username": 5}, "username", "invalid"),
        ({"email": "alice"}, "email", "email_invalid"),
        ({"email": "@example.org"}, "email", "email_invalid"),
        ({"email": "a@b"}, "email", "email_invalid"),
        ({"email": "a" * 250 + "@example.org"}, "email", "max_length"),
        ({"email": "alice@" + "x" * 70 + ".org"}, "email", "email_invalid"),
        ({"password": "short"}, "password", "password_too_short"),
        ({"password": "password123"}, "password", "password_too_common"),
        ({"username": "wonderland_alice", "password": "wonderland_alic"}, "password", "password_too_similar"),
        ({"password": "x" * 257}, "password", "max_length"),
        ({"password": "nul\0nul\0nul"}, "password", "control_character"),
        ({"full_name": "x" * 101}, "full_name", "max_length"),
        ({"roles": ["admin"]}, "roles", "unknown_field"),
    ],
)
def test_invalid_fields_are_named_and_no_account_is_created(
    anonymous: JsonClient, change: dict[str, Any], field: str, code: str
) -> None:
    answer = anonymous.post("/v1/auth/register", body(**change))
    assert answer.status_code == 422, answer.content
    assert (field, code) in [(error["field"], error["code"]) for error in answer.json()["errors"]]
    assert count_users() == 0
    assert events() == []


@pytest.mark.parametrize("missing", ["email", "password", "username"])
def test_every_field_is_required(anonymous: JsonClient, missing: str) -> None:
    sent = body()
    del sent[missing]
    answer = anonymous.post("/v1/auth/register", sent)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [missing]


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"email": "other@example.org", "username": "ALICE"}, "username_taken", "username"),
        ({"email": "Alice@EXAMPLE.org", "username": "other"}, "email_taken", "email"),
    ],
)
def test_names_and_addresses_are_unique_ignoring_case(
    anonymous: JsonClient, change: dict[str, Any], code: str, field: str
) -> None:
    assert anonymous.post("/v1/auth/register", body()).status_code == 201
    answer = anonymous.post("/v1/auth/register", body(**change))
    assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert answer.json()["errors"][0]["field"] == field
    assert count_users() == 1
    assert events() == ["auth.user_registered.v1"]


def test_an_international_domain_is_stored_in_ascii(anonymous: JsonClient) -> None:
    answer = anonymous.post("/v1/auth/register", body(email=" Alice@BÜCHER.example "))
    assert answer.json()["user"]["email"] == "Alice@xn--bcher-kva.example"
    login = anonymous.post("/v1/auth/login", {"login": "alice@bücher.example", "password": PASSWORD})
    assert login.status_code == 200


def test_registering_twice_with_one_idempotency_key_creates_one_account(anonymous: JsonClient) -> None:
    first = anonymous.post("/v1/auth/register", body(), Idempotency_Key="k-1")
    again = anonymous.post("/v1/auth/register", body(), Idempotency_Key="k-1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["Idempotency-Replayed"] == "true"
    other = anonymous.post("/v1/auth/register", body(username="other", email="o@example.org"), Idempotency_Key="k-1")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert count_users() == 1
    assert events() == ["auth.user_registered.v1"]


def test_a_rejected_registration_does_not_use_up_its_idempotency_key(anonymous: JsonClient) -> None:
    assert anonymous.post("/v1/auth/register", body(), Idempotency_Key="k-1").status_code == 201
    taken = anonymous.post("/v1/auth/register", body(email="b@example.org"), Idempotency_Key="k-2")
    assert taken.status_code == 409
    corrected = anonymous.post("/v1/auth/register", body(email="b@example.org", username="b.b"), Idempotency_Key="k-2")
    assert corrected.status_code == 201


def test_malformed_bodies_are_rejected(anonymous: JsonClient) -> None:
    assert anonymous.post("/v1/auth/register", b"{").status_code == 400
    assert anonymous.post("/v1/auth/register", b"[]").status_code == 400
    assert anonymous.post("/v1/auth/login", b'{"login": "\xff"}').status_code == 400
    assert anonymous.post("/v1/auth/login", {"login": ["a"], "password": {}}).status_code == 422


def test_me_has_an_etag_and_returns_304_if_unchanged(register: Callable[..., Person]) -> None:
    alice = register("alice")
    me = alice.client.get("/v1/auth/me")
    assert alice.client.get("/v1/auth/me", If_None_Match=me.headers["ETag"]).status_code == 304
    assert alice.client.request("GET", "/v1/auth/me/").status_code == 200


def test_me_requires_a_token(anonymous: JsonClient) -> None:
    for method in ("GET", "PATCH", "DELETE"):
        answer = anonymous.request(method, "/v1/auth/me", {})
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


def mails() -> Any:
    actions.send_due_mails()
    sent = sorted((message.subject, *message.to) for message in mail.outbox)
    mail.outbox.clear()
    return sent


def key_for(address: Any) -> Any:
    actions.send_due_mails()
    (message,) = [message for message in mail.outbox if message.to == [address] and "Your key" in message.body]
    mail.outbox.clear()
    return message.body.rpartition("Your key: ")[2].split()[0]


def test_a_new_address_is_pending_until_verified_and_the_old_one_is_notified(
    register: Callable[..., Person], anonymous: JsonClient
) -> None:
    alice = register("alice")
    _, key = sent_key()
    assert anonymous.post("/v1/auth/verify-email", {"key": key}).status_code == 204
    alice.confirm()
    before = alice.client.get("/v1/auth/me")
    answer = alice.client.patch("/v1/auth/me", {"email": "new@example.org"}, If_Match=before.headers["ETag"])
    assert answer.status_code == 200
    shown = answer.json()
    assert (shown["email"], shown["pending_email"], shown["email_verified"]) == (
        "alice@example.org", "new@example.org", True,
    )  # fmt: skip
    stale = alice.client.patch("/v1/auth/me", {"email": "newer@example.org"}, If_Match=before.headers["ETag"])
    assert (stale.status_code, stale.json()["code"]) == (412, "stale")
    new_key = key_for("new@example.org")
    assert anonymous.post("/v1/auth/password/forgot", {"email": "new@example.org"}).status_code == 202
    assert mails() == [], "an unverified address gets no mail to reset the password"
    assert anonymous.post("/v1/auth/verify-email", {"key": new_key}).status_code == 204
    after = alice.client.get("/v1/auth/me").json()
    assert (after["email"], after["pending_email"], after["email_verified"]) == ("new@example.org", None, True)
    assert mails() == [("Your e-mail address was changed", "alice@example.org")]
    assert anonymous.post("/v1/auth/login", {"login": "alice@example.org", "password": PASSWORD}).status_code == 401
    assert anonymous.post("/v1/auth/login", {"login": "new@example.org", "password": PASSWORD}).status_code == 200


def test_changing_the_address_requires_a_confirmed_session(register: Callable[..., Person]) -> None:
    alice = register("alice")
    mails()
    refused = alice.client.patch("/v1/auth/me", {"email": "new@example.org"})
    assert (refused.status_code, refused.json()["code"]) == (403, "confirmation_required")
    assert refused.json()["methods"] == ["password", "code"]
    assert alice.client.get("/v1/auth/me").json()["pending_email"] is None
    assert mails() == []


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"username": "a", "email": "x"}, {"username", "email"}),
        ({"username": 1, "email": "x"}, {"username", "email"}),
        ({"username": "admin", "email": None, "roles": []}, {"username", "email", "roles"}),
        ({"username": "alicia", "email": "x"}, {"email"}),
    ],
)
def test_every_invalid_field_of_a_change_is_reported(
    register: Callable[..., Person], change: dict[str, Any], named: set[str]
) -> None:
    """Before the session has to be confirmed, and nothing changes."""
    alice = register("alice")
    for _ in range(2):
        refused = alice.client.patch("/v1/auth/me", change)
        assert (refused.status_code, {error["field"] for error in refused.json()["errors"]}) == (422, named)
        alice.confirm()
    me = alice.client.get("/v1/auth/me").json()
    assert (me["username"], me["email"], me["pending_email"]) == ("alice", "alice@example.org", None)


def test_setting_the_current_address_keeps_it_verified_and_cancels_a_pending_one(
    register: Callable[..., Person], anonymous: JsonClient
) -> None:
    alice = register("alice")
    _, key = sent_key()
    anonymous.post("/v1/auth/verify-email", {"key": key})
    for change in ({}, {"email": "alice@example.org"}):
        answer = alice.client.patch("/v1/auth/me", change)
        assert answer.json()["email_verified"] is True
    assert actions.send_due_mails() == 0
    alice.confirm()
    alice.client.patch("/v1/auth/me", {"email": "new@example.org"})
    key = key_for("new@example.org")
    assert alice.client.patch("/v1/auth/me", {"email": "alice@example.org"}).json()["pending_email"] is None
    answer = anonymous.post("/v1/auth/verify-email", {"key": key})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "key_outdated")


def test_a_taken_address_gets_the_same_response_and_no_mail(
    register: Callable[..., Person], anonymous: JsonClient
) -> None:
    register("bob")
    alice = register("alice")
    mails()
    alice.confirm()
    answers = [alice.client.patch("/v1/auth/me", {"email": email}) for email in ("BOB@example.org", "free@example.org")]
    assert [(answer.status_code, answer.json()["pending_email"]) for answer in answers] == [
        (200, "bob@example.org"), (200, "free@example.org"),
    ]  # fmt: skip
    assert "bob@example.org" not in str(mails())
    alice.client.patch("/v1/auth/me", {"email": "bob@example.org"})
    assert alice.client.post("/v1/auth/verify-email/resend").status_code == 204
    assert "bob@example.org" not in str(mails()), "nor when it is asked for again"
    assert alice.client.get("/v1/auth/me").json()["email"] == "alice@example.org"
    assert alice.client.patch("/v1/auth/me", {"email": "nonsense"}).status_code == 422
    assert alice.client.patch("/v1/auth/me", {"nickname": "a.l"}).status_code == 422


def test_an_address_belongs_to_the_account_that_verified_it_first(
    register: Callable[..., Person], anonymous: JsonClient
) -> None:
    alice = register("alice")
    mails()
    alice.confirm()
    alice.client.patch("/v1/auth/me", {"email": "wanted@example.org"})
    key = key_for("wanted@example.org")
    register("bob", email="wanted@example.org")
    answer = anonymous.post("/v1/auth/verify-email", {"key": key})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "key_outdated")
    assert alice.client.get("/v1/auth/me").json()["email"] == "alice@example.org"


def test_the_mailed_key_verifies_the_address_permanently(
    register: Callable[..., Person], anonymous: JsonClient
) -> None:
    register("alice", full_name="Alice A.")
    message, key = sent_key()
    assert message.to == ["alice@example.org"]
    assert message.body.startswith("Hello alice,")
    assert "Alice A." not in message.body, "the mailbox may be a stranger's, so the mail contains no text by the user"
    (html, kind) = message.alternatives[0]
    assert kind == "text/html"
    assert f'key={key}" style=' in html, "a button"
    assert anonymous.post("/v1/auth/verify-email", {"key": key}).status_code == 204
    assert anonymous.post("/v1/auth/verify-email", {"key": key}).status_code == 204
    assert events("user_verified") == ["auth.user_verified.v1"]


def test_invalid_keys_verify_nothing(
    register: Callable[..., Person], anonymous: JsonClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = register("alice")
    _, key = sent_key()
    for bad in (key[:-1] + ("A" if key[-1] != "A" else "B"), "x", "a:b:c", "é" * 20):
        answer = anonymous.post("/v1/auth/verify-email", {"key": bad})
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "key_invalid")
    import time

    later = time.time() + 4 * 86_400
    monkeypatch.setattr("django.core.signing.time.time", lambda: later)
    answer = anonymous.post("/v1/auth/verify-email", {"key": key})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "key_expired")
    monkeypatch.undo()
    assert alice.client.get("/v1/auth/me").json()["email_verified"] is False
    assert events("user_verified") == []


def test_the_verification_mail_can_be_sent_again_until_verified(
    register: Callable[..., Person], anonymous: JsonClient
) -> None:
    alice = register("alice")
    sent_key()
    assert anonymous.post("/v1/auth/verify-email/resend").status_code == 401
    assert alice.client.post("/v1/auth/verify-email/resend", {"key": "an old one"}).status_code == 204
    _, key = sent_key()
    assert anonymous.post("/v1/auth/verify-email", {"key": key}).status_code == 204
    assert alice.client.post("/v1/auth/verify-email/resend").status_code == 204
    assert actions.send_due_mails() == 0
    assert mail.outbox == []


def test_an_expired_key_is_replaced_without_a_token(
    register: Callable[..., Person], anonymous: JsonClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """People open the mail on a device on which they are not logged in."""
    register("alice")
    _, old = sent_key()
    for bad in ("an old one", old[:-2], old + "x"):
        answer = anonymous.post("/v1/auth/verify-email/resend", {"key": bad})
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "key_invalid")
    assert anonymous.post("/v1/auth/verify-email/resend", {"email": "alice@example.org"}).status_code == 401
    assert actions.send_due_mails() == 0
    import time

    later = time.time() + 4 * 86_400
    monkeypatch.setattr("django.core.signing.time.time", lambda: later)
    assert anonymous.post("/v1/auth/verify-email", {"key": old}).status_code == 422
    assert anonymous.post("/v1/auth/verify-email/resend", {"key": old}).status_code == 204
    message, key = sent_key()
    assert message.to == ["alice@example.org"]
    assert anonymous.post("/v1/auth/verify-email", {"key": key}).status_code == 204
    assert anonymous.post("/v1/auth/verify-email/resend", {"key": old}).status_code == 204
    assert actions.send_due_mails() == 0, "the address is verified"


def test_mail_that_cannot_be_sent_is_retried(register: Callable[..., Person], settings: Any) -> None:
    register("alice")
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    assert actions.send_due_mails() == 0
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert actions.send_due_mails() == 0, "not before its pause is over"
    from django.utils import timezone

    from apps.auth.models import Mail

    Mail.objects.update(due_at=timezone.now())
    assert actions.send_due_mails() == 1
    assert actions.send_due_mails() == 0
    assert len(mail.outbox) == 1


def test_the_address_is_visible_to_the_account_itself_and_staff_only(
    register: Callable[..., Person], anonymous: JsonClient
) -> None:
    alice, bob = register("alice"), register("bob")
    path = f"/v1/users/{alice.id}"
    assert alice.client.get(path).json()["email"] == "alice@example.org"
    for client in (anonymous, bob.client):
        shown = client.get(path)
        assert shown.status_code == 200
        assert "email" not in shown.json()
    actions.grant_role(user_id=int(bob.id), role="moderator")
    login = anonymous.post("/v1/auth/login", {"login": "bob", "password": PASSWORD}).json()
    assert login["user"]["roles"] == ["moderator", "user"]
    staff = anonymous.get(path, Authorization=f"Bearer {login['access']}")
    assert staff.json()["email"] == "alice@example.org"


def test_others_do_not_see_when_password_or_address_change(
    register: Callable[..., Person], anonymous: JsonClient
) -> None:
    alice, bob = register("alice"), register("bob")
    path, new = f"/v1/users/{alice.id}", "staple gun paper clip"
    before = [client.get(path).headers["ETag"] for client in (anonymous, bob.client)]
    change = {"password": PASSWORD, "new_password": new}
    assert alice.client.post("/v1/auth/password/change", change).status_code == 204
    alice.confirm(new)
    tag = alice.client.get(path).headers["ETag"]
    assert alice.client.patch("/v1/auth/me", {"email": "new@example.org"}, If_Match=tag).status_code == 200
    assert alice.client.patch("/v1/auth/me", {"email": "new@example.org"}, If_Match=tag).status_code == 412
    assert [client.get(path).headers["ETag"] for client in (anonymous, bob.client)] == before


def test_an_unknown_user_is_404(anonymous: JsonClient) -> None:
    assert anonymous.get("/v1/users/1").status_code == 404
    assert anonymous.get("/v1/users/99999999999999999999").status_code == 404
    assert anonymous.get("/v1/users/abc").status_code == 404


def test_a_token_with_a_bad_signature_gets_401_even_if_none_is_required(
    register: Callable[..., Person], anonymous: JsonClient
) -> None:
    alice = register("alice")
    forged = alice.access[:-6] + "AAAAAA"
    answer = anonymous.get(f"/v1/users/{alice.id}", Authorization=f"Bearer {forged}")
    assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_the_key_set_verifies_access_tokens(register: Callable[..., Person], anonymous: JsonClient) -> None:
    import jwt

    alice = register("alice")
    (key,) = anonymous.get("/.well-known/jwks.json").json()["keys"]
    assert key["kid"] == jwt.get_unverified_header(alice.access)["kid"]
    claims = jwt.decode(
        alice.access, jwt.PyJWK(key).key, algorithms=["RS256"], audience="socialapp", issuer="socialapp"
    )
    assert claims["sub"] == alice.id
    assert claims["exp"] - claims["iat"] == 600
    assert set(claims) >= {"iss", "aud", "sub", "sid", "roles", "iat", "exp", "jti"}


def test_an_account_is_hidden_from_users_it_blocks(register: Callable[..., Person], anonymous: JsonClient) -> None:
    alice, bob = register("alice"), register("bob")
    path = f"/v1/users/{alice.id}"
    assert alice.client.put(f"/v1/profiles/{bob.id}/block").status_code == 200
    assert bob.client.get(path).status_code == 404
    assert bob.client.get(path, If_None_Match="*").status_code == 404
    assert alice.client.get(f"/v1/users/{bob.id}").status_code == 200, "the blocking user still finds the blocked one"
    assert alice.client.get(path).status_code == anonymous.get(path).status_code == 200
    assert alice.client.delete(f"/v1/profiles/{bob.id}/block").status_code == 200
    assert bob.client.get(path).status_code == 200


def test_registration_is_rejected_while_closed(anonymous: JsonClient, settings: Any) -> None:
    settings.REGISTRATION = "closed"
    answer = anonymous.post("/v1/auth/register", body())
    assert (answer.status_code, answer.json()["code"]) == (403, "registration_closed")
    assert count_users() == 0
    assert anonymous.get("/v1/instance").json()["registration"] == "closed"


def test_anybody_may_read_the_description_of_the_instance(anonymous: JsonClient) -> None:
    shown = anonymous.get("/v1/instance")
    assert shown.status_code == 200
    assert set(shown.json()) >= {
        "name", "description", "rules", "registration", "providers", "push_key", "limits", "contact",
    }  # fmt: skip
    assert shown.json()["limits"]["content"] == 5000


@pytest.mark.parametrize(
    ("first", "second"), [("alice@gmail.com", "a.l.ice+new@googlemail.com"), ("bo@proton.me", "bo+1@protonmail.com")]
)
def test_one_mailbox_gets_one_account(anonymous: JsonClient, first: str, second: str) -> None:
    assert anonymous.post("/v1/auth/register", body(email=first)).status_code == 201
    again = anonymous.post("/v1/auth/register", body(email=second, username="other"))
    assert (again.status_code, again.json()["code"]) == (409, "email_taken")


def test_similar_looking_and_reserved_names_are_rejected(anonymous: JsonClient) -> None:
    assert anonymous.post("/v1/auth/register", body(username="paypal")).status_code == 201
    alike = anonymous.post("/v1/auth/register", body(email="b@example.org", username="PayPa1"))
    assert (alike.status_code, alike.json()["code"]) == (409, "username_taken")
    for name in ("admin.", "_admin", "a.d.m.i.n", "moderator_"):
        assert anonymous.post("/v1/auth/register", body(email="c@example.org", username=name)).status_code == 422, name


def test_passwords_are_compared_after_unicode_normalization(anonymous: JsonClient) -> None:
    import unicodedata

    password = unicodedata.normalize("NFC", "Zürcher Käsefondue é9")
    assert anonymous.post("/v1/auth/register", body(password=password)).status_code == 201
    login = {"login": "alice", "password": unicodedata.normalize("NFD", password)}
    assert JsonClient().post("/v1/auth/login", login).status_code == 200


def test_every_invalid_field_is_reported(anonymous: JsonClient) -> None:
    answer = anonymous.post("/v1/auth/register", body(username="a!", email="x", password="password"))
    assert answer.status_code == 422
    assert {error["field"] for error in answer.json()["errors"]} == {"username", "email", "password"}


def test_disposable_addresses_are_rejected(anonymous: JsonClient) -> None:
    answer = anonymous.post("/v1/auth/register", body(email="x@mailinator.com"))
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "email_disposable")
