"""Deleting an account: hidden at once, erased in all contexts, acknowledged, repeated if needed, and verified."""

import contextlib
import io
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps.auth import actions, handlers, tasks
from apps.auth.models import Erasure, Mail, RecoveryCode, ReservedName, Session, TotpDevice, User, UserRole
from socialapp.contracts.auth import Auth, UserDeleted
from socialapp.contracts.lifecycle import context_erased
from socialapp.contracts.revocations import Revocations
from socialapp.core.contexts import CONTEXTS
from socialapp.core.errors import Conflict, NotFound
from socialapp.messaging.models import OutboxEvent
from socialapp.rpc.calls import client
from tests.conftest import ALL_CONTEXTS, JsonClient, Person

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

PASSWORD = "correct horse battery"


def delete(person: Person, password: Any = PASSWORD, **headers: Any) -> Any:
    return person.client.delete("/v1/auth/me", {"password": password}, **headers)


def count_events(kind: Any) -> Any:
    return OutboxEvent.objects.using("auth").filter(type=f"auth.{kind}.v1").count()


def progress(erasure_id: Any) -> Any:
    return JsonClient().get(f"/v1/auth/erasures/{erasure_id}").json()


def test_a_deleted_account_is_hidden_at_once(
    register: Callable[..., Person], anonymous: JsonClient, django_capture_on_commit_callbacks: Any
) -> None:
    alice = register("alice")
    with django_capture_on_commit_callbacks(using="auth", execute=True):
        answer = delete(alice)
    assert answer.status_code == 202
    assert set(answer.json()) == {"erasure_id"}
    assert alice.client.get("/v1/auth/me").json()["code"] == "token_revoked"
    assert anonymous.get(f"/v1/users/{alice.id}").status_code == 404
    assert anonymous.get(f"/v1/profiles/{alice.id}").status_code == 404
    login = anonymous.post("/v1/auth/login", {"login": "alice", "password": PASSWORD})
    assert login.json()["code"] == "invalid_credentials"
    assert anonymous.post("/v1/auth/refresh", {"refresh": alice.refresh}).json()["code"] == "refresh_invalid"
    assert int(alice.id) in client(Revocations).recent().users
    with pytest.raises(NotFound):
        client(Auth).user(user_id=int(alice.id))
    assert client(Auth).users(ids=[int(alice.id)]) == []


@pytest.mark.parametrize(
    ("password", "headers", "status", "code"),
    [
        ("wrong horse battery", {}, 403, "password_wrong"),
        (PASSWORD, {"If_Match": '"9-0000000000000000"'}, 412, "stale"),
    ],
)
def test_a_rejected_deletion_changes_nothing(
    register: Callable[..., Person], password: Any, headers: dict[str, Any], status: int, code: str
) -> None:
    alice = register("alice")
    answer = delete(alice, password, **headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert alice.client.get("/v1/auth/me").status_code == 200
    assert count_events("user_deleted") == 0
    assert Erasure.objects.count() == 0


def test_deletion_requires_a_password_or_a_confirmed_session(register: Callable[..., Person]) -> None:
    alice = register("alice")
    refused = alice.client.delete("/v1/auth/me", {})
    assert (refused.status_code, refused.json()["code"]) == (403, "confirmation_required")
    assert alice.client.get("/v1/auth/me").status_code == 200


def test_auth_keeps_nothing_but_the_id(register: Callable[..., Person]) -> None:
    alice = register("alice", full_name="Alice Adams")
    alice.confirm()
    alice.client.post("/v1/auth/totp")
    JsonClient().post("/v1/auth/password/forgot", {"email": "alice@example.org"})
    actions.grant_role(user_id=int(alice.id), role="moderator")
    user_id = int(alice.id)
    event = UserDeleted(user_id=user_id, erasure_id=int(delete(alice).json()["erasure_id"]))
    for _ in range(2):
        handlers.erase_account(event)
    user = User.objects.get(id=user_id)
    assert user.username == user.username_key == f"deleted_{user_id}"
    assert (user.email, user.email_key, user.full_name, user.oauth_id, user.last_login) == ("", None, "", None, None)
    assert not user.has_usable_password()
    for model in (Session, Mail, UserRole, TotpDevice, RecoveryCode):
        assert model.objects.count() == 0, model
    assert count_events("user_registered") == 0, "that event contains the names"
    assert "alice" not in str(list(OutboxEvent.objects.using("auth").values_list("envelope", flat=True))).lower()


def test_the_address_is_free_at_once_and_the_name_later(
    register: Callable[..., Person], drain: Callable[[], int], anonymous: JsonClient
) -> None:
    delete(register("alice"))
    drain()
    body = {"email": "alice@example.org", "password": PASSWORD, "username": "Alice"}
    for name in ("Alice", "A1ice"):
        taken = anonymous.post("/v1/auth/register", {**body, "username": name})
        assert (taken.status_code, taken.json()["code"]) == (409, "username_taken")
    ReservedName.objects.update(until=timezone.now())
    assert anonymous.post("/v1/auth/register", body).status_code == 201


def test_a_reserved_name_is_in_no_table_in_plain_text(
    register: Callable[..., Person], drain: Callable[[], int]
) -> None:
    delete(register("alice"))
    drain()
    row: Any = ReservedName.objects.values().get()
    assert row["user_id"] is None
    assert "alice" not in str(row)


def test_the_last_administrator_cannot_be_deleted(register: Callable[..., Person], settings: Any) -> None:
    settings.ERASURE_GRACE_DAYS = 14
    alice, bob = register("alice"), register("bob")
    actions.grant_role(user_id=int(alice.id), role="admin")
    refused = alice.client.delete("/v1/auth/me", {"password": PASSWORD})
    assert (refused.status_code, refused.json()["code"]) == (409, "role_needed")
    assert not Erasure.objects.exists()
    assert alice.client.get("/v1/auth/me").status_code == 200
    actions.grant_role(user_id=int(bob.id), role="admin")
    assert alice.client.delete("/v1/auth/me", {"password": PASSWORD}).status_code == 202
    with pytest.raises(Conflict):
        actions.revoke_role(user_id=int(bob.id), role="admin")  # the other administrator is being deleted


def test_a_confirmed_session_deletes_without_a_password(register: Callable[..., Person]) -> None:
    alice = register("alice")
    alice.confirm()
    assert alice.client.delete("/v1/auth/me").status_code == 202


def test_the_erasure_ends_with_a_certificate_that_anybody_can_verify(
    register: Callable[..., Person], drain: Callable[[], int], anonymous: JsonClient
) -> None:
    import jwt

    alice, bob = register("alice"), register("bob")
    alice.client.put(f"/v1/profiles/{bob.id}/follow")
    for content in ("one", "two"):
        alice.client.post("/v1/posts", {"content": content})
    drain()
    erasure_id = delete(alice).json()["erasure_id"]
    assert progress(erasure_id)["certificate"] is None
    drain()
    certificate = progress(erasure_id)["certificate"]
    header = jwt.get_unverified_header(certificate)
    assert header["typ"] == "erasure-certificate+jwt"
    (key,) = [key for key in anonymous.get("/.well-known/jwks.json").json()["keys"] if key["kid"] == header["kid"]]
    claims = jwt.decode(certificate, jwt.PyJWK(key).key, algorithms=["RS256"])
    assert claims["erasure_id"] == erasure_id
    rows = {part["name"]: part["rows"] for part in claims["contexts"]}
    assert set(rows) == set(CONTEXTS)
    assert (rows["posts"]["posts"], rows["users"]["follows"], rows["auth"]["users"]) == (2, 1, 1)
    assert rows["comments"] == {}, "a context without rows lists no tables"
    assert alice.id not in json.dumps(claims)
    assert JsonClient(certificate).get("/v1/auth/me").status_code == 401, "a certificate is not an access token"


def test_a_deletion_waits_for_its_grace_period_and_a_log_in_cancels_it(
    register: Callable[..., Person], drain: Callable[[], int], settings: Any
) -> None:
    settings.ERASURE_GRACE_DAYS = 14
    alice, bob = register("alice"), register("bob")
    bob.client.put(f"/v1/profiles/{alice.id}/follow")
    post_id = alice.client.post("/v1/posts", {"content": "still here"}).json()["id"]
    drain()
    erasure_id = delete(alice).json()["erasure_id"]
    assert progress(erasure_id)["status"] == "scheduled"
    assert bob.client.get(f"/v1/profiles/{alice.id}").status_code == 404, "before any event is delivered"
    assert bob.client.get(f"/v1/users/{alice.id}").status_code == 404
    assert JsonClient().get(f"/v1/users/{alice.id}").status_code == 404
    assert bob.client.get(f"/v1/posts/{post_id}").status_code == 404
    drain()
    assert actions.begin_due_erasures() == 0
    assert bob.client.get(f"/v1/profiles/{alice.id}").status_code == 404
    assert bob.client.get(f"/v1/posts/{post_id}").status_code == 404
    assert bob.client.get("/v1/feed").json()["results"] == []
    assert JsonClient().post("/v1/auth/login", {"login": "alice", "password": PASSWORD}).status_code == 200
    drain()
    assert bob.client.get(f"/v1/profiles/{alice.id}").json()["status"] == "active"
    assert bob.client.get(f"/v1/posts/{post_id}").status_code == 200
    assert [post["id"] for post in bob.client.get("/v1/feed").json()["results"]] == [post_id]
    assert JsonClient().get(f"/v1/auth/erasures/{erasure_id}").status_code == 404
    again = JsonClient().post("/v1/auth/login", {"login": "alice", "password": PASSWORD}).json()["access"]
    erasure_id = JsonClient(again).delete("/v1/auth/me", {"password": PASSWORD}).json()["erasure_id"]
    User.objects.update(deletion_due_at=timezone.now())
    assert actions.begin_due_erasures() == 1
    drain()
    assert progress(erasure_id)["status"] == "complete"


def test_an_erasure_event_for_an_account_that_was_not_deleted_erases_nothing(register: Callable[..., Person]) -> None:
    alice = register("alice")
    handlers.erase_account(UserDeleted(user_id=int(alice.id), erasure_id=1))
    handlers.erase_account(UserDeleted(user_id=1, erasure_id=1))
    assert alice.client.get("/v1/auth/me").status_code == 200
    assert count_events("user_erased") == 0


def test_progress_is_shown_without_a_token_and_without_names(register: Callable[..., Person]) -> None:
    alice = register("alice")
    erasure_id = delete(alice).json()["erasure_id"]
    before = progress(erasure_id)
    assert before["status"] == "running"
    assert before["completed_at"] is None
    assert {part["name"] for part in before["contexts"]} == set(CONTEXTS)
    assert {part["erased_at"] for part in before["contexts"]} == {None}
    assert alice.id not in json.dumps(before)
    for _ in range(2):
        handlers.acknowledge_erasure(context_erased("comments")(user_id=int(alice.id), erasure_id=int(erasure_id)))
    parts = {part["name"]: part["erased_at"] for part in progress(erasure_id)["contexts"]}
    assert [name for name, moment in parts.items() if moment] == ["comments"]
    assert JsonClient().get("/v1/auth/erasures/1").status_code == 404
    handlers.acknowledge_erasure(context_erased("comments")(user_id=1, erasure_id=1))


def test_all_contexts_erase_and_acknowledge(register: Callable[..., Person], drain: Callable[[], int]) -> None:
    alice = register("alice")
    erasure_id = delete(alice).json()["erasure_id"]
    drain()
    after = progress(erasure_id)
    assert [part["name"] for part in after["contexts"] if part["erased_at"] is None] == []
    assert after["status"] == "complete"
    assert after["completed_at"] is not None
    assert actions.repeat_unfinished_erasures() == 0


def test_a_stuck_erasure_is_published_again(register: Callable[..., Person]) -> None:
    alice = register("alice")
    delete(alice)
    tasks.repeat_unfinished_erasures()
    assert count_events("user_deleted") == 1, "only after some minutes"
    Erasure.objects.update(asked_at=timezone.now() - timedelta(minutes=6))
    tasks.repeat_unfinished_erasures()
    tasks.repeat_unfinished_erasures()
    assert count_events("user_deleted") == 2


def command(*arguments: Any) -> Any:
    out = io.StringIO()
    call_command("erasure", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_shows_the_progress(register: Callable[..., Person], drain: Callable[[], int]) -> None:
    alice = register("alice")
    erasure_id = delete(alice).json()["erasure_id"]
    with pytest.raises(CommandError, match="not complete"):
        command("status", erasure_id)
    drain()
    assert json.loads(command("status", erasure_id, "--json"))["complete"] is True
    with pytest.raises(CommandError, match="no such erasure"):
        command("status", "1")


def test_the_command_reports_rows_that_are_left(register: Callable[..., Person], drain: Callable[[], int]) -> None:
    alice, bob = register("alice"), register("bob")
    alice.client.put(f"/v1/profiles/{bob.id}/follow")
    alice.client.post("/v1/posts", {"content": f"hello @bob #fun {alice.id}"})
    drain()
    erasure_id = delete(alice).json()["erasure_id"]
    with pytest.raises(CommandError, match="is left in"):
        command("verify", erasure_id)
    drain()
    try:
        command("verify", erasure_id)
    except CommandError as error:
        pytest.fail(f"{error}: {command_output(erasure_id)}")


def command_output(erasure_id: Any) -> list[Any]:
    out = io.StringIO()
    with contextlib.suppress(CommandError):
        call_command("erasure", "verify", erasure_id, stdout=out)
    return [line for line in out.getvalue().splitlines() if "LEFT" in line]


def test_progress_can_be_read_with_the_token_of_the_deleted_account(register: Callable[..., Person]) -> None:
    alice = register("alice")
    answer = alice.client.delete("/v1/auth/me", {"password": "correct horse battery"})
    assert answer.status_code == 202
    assert alice.client.get(f"/v1/auth/erasures/{answer.json()['erasure_id']}").status_code == 200
