"""Roles, bans, logging in to the admin site, and the events about them."""

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client

from apps.auth import actions, handlers, queries
from apps.auth.models import Mail, User
from apps.notifications.sockets.revocation import revoked_among
from socialapp.contracts.auth import Auth
from socialapp.contracts.moderation import UserSanctioned
from socialapp.contracts.revocations import Revocations
from socialapp.core.cache import redis_client
from socialapp.core.errors import Conflict, NotFound
from socialapp.http.tokens import principal_of
from socialapp.messaging.models import OutboxEvent
from socialapp.rpc.calls import client
from tests.auth import totp
from tests.auth.authenticator import Authenticator
from tests.conftest import ALL_CONTEXTS, JsonClient, Person

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

PASSWORD = "correct horse battery"
NEW_PASSWORD = "another horse battery"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def log_in(login: Any, password: Any = PASSWORD) -> Any:
    return JsonClient().post("/v1/auth/login", {"login": login, "password": password})


def sanction(person: Person, kind: Any, *, minutes: int = 0) -> None:
    at = NOON + timedelta(minutes=minutes)
    handlers.apply_sanction(UserSanctioned(user_id=int(person.id), action_id=1, kind=kind, reason="spam", at=at))


def published_roles() -> list[Any]:
    rows = OutboxEvent.objects.using("auth").filter(type="auth.roles_changed.v1").order_by("id")
    return [json.loads(row.envelope)["data"]["roles"] for row in rows]


def test_a_ban_ends_sessions_and_is_shown_only_with_the_right_password(
    register: Callable[..., Person],
) -> None:
    alice = register("alice")
    sanction(alice, "ban")
    assert JsonClient().post("/v1/auth/refresh", {"refresh": alice.refresh}).json()["code"] == "refresh_invalid"
    assert principal_of(alice.access)[0].session in client(Revocations).recent().sessions
    refused = log_in("alice")
    assert (refused.status_code, refused.json()["code"]) == (403, "account_banned")
    assert log_in("alice", "wrong horse battery").json()["code"] == "invalid_credentials"


def test_a_banned_account_is_visible_to_staff_only(register: Callable[..., Person], anonymous: JsonClient) -> None:
    alice = register("alice")
    sanction(alice, "ban")
    assert anonymous.get(f"/v1/users/{alice.id}").status_code == 404
    assert client(Auth).user(user_id=int(alice.id)).status == "banned"


def test_lifting_a_ban_allows_log_in_at_once(register: Callable[..., Person]) -> None:
    alice = register("alice")
    sanction(alice, "ban")
    sanction(alice, "unban", minutes=1)
    again = log_in("alice")
    assert again.status_code == 200
    assert JsonClient(again.json()["access"]).get("/v1/auth/me").status_code == 200


@pytest.mark.parametrize("kind", ["unban", "waive_password"])
def test_the_end_of_what_keeps_somebody_out_is_mailed_once(register: Callable[..., Person], kind: str) -> None:
    alice = register("alice")
    subject = {"unban": "Your account is no longer banned", "waive_password": "You can keep your password"}[kind]
    sanction(alice, kind)
    sanction(alice, {"unban": "ban", "waive_password": "demand_password"}[kind], minutes=1)
    for minutes in (2, 2, 3):
        sanction(alice, kind, minutes=minutes)
    actions.send_due_mails()
    [sent] = [one for one in mail.outbox if one.subject == subject]
    assert sent.to == ["alice@example.org"]
    assert ("Reason: spam" in str(sent.body)) is (kind == "unban")


@pytest.mark.parametrize("order", [("ban", "unban"), ("unban", "ban"), ("unban", "ban", "unban", "ban")])
def test_the_later_decision_wins_in_any_order_of_arrival(register: Callable[..., Person], order: Any) -> None:
    alice = register("alice")
    for kind in order:
        sanction(alice, kind, minutes=0 if kind == "ban" else 5)
    assert queries.account(int(alice.id)).status == "active"


def test_a_warning_changes_nothing(register: Callable[..., Person]) -> None:
    alice = register("alice")
    sanction(alice, "warn")
    assert alice.client.get("/v1/auth/me").status_code == 200
    assert log_in("alice").status_code == 200


def test_a_ban_of_an_unknown_user_is_ignored() -> None:
    handlers.apply_sanction(UserSanctioned(user_id=1, action_id=1, kind="ban", reason="", at=NOON))


def test_roles_are_granted_and_revoked_once_and_published(register: Callable[..., Person]) -> None:
    alice = register("alice")
    user_id = int(alice.id)
    for _ in range(2):
        actions.grant_role(user_id=user_id, role="moderator")
    signed_in = log_in("alice").json()
    assert principal_of(signed_in["access"])[0].roles == {"moderator", "user"}
    for _ in range(2):
        actions.revoke_role(user_id=user_id, role="moderator")
    assert published_roles() == [["moderator", "user"], ["user"]]
    ended = JsonClient().post("/v1/auth/refresh", {"refresh": signed_in["refresh"]})
    assert ended.status_code == 401, "existing tokens still contain the role"
    with pytest.raises(NotFound):
        actions.grant_role(user_id=user_id, role="emperor")
    with pytest.raises(NotFound):
        actions.grant_role(user_id=1, role="admin")


@pytest.mark.parametrize("redis", ["knows", "forgot", "learned from sockets"])
def test_a_role_change_takes_effect_on_the_next_request(
    register: Callable[..., Person], redis: str, django_capture_on_commit_callbacks: Any
) -> None:
    alice, bob = register("alice"), register("bob")
    assert "email" not in alice.client.get(f"/v1/users/{bob.id}").json()
    with django_capture_on_commit_callbacks(using="auth", execute=True):
        actions.grant_role(user_id=int(alice.id), role="moderator")
    if redis != "knows":
        redis_client().delete(f"{settings.REDIS_PREFIX}auth:revoked")
    if redis == "learned from sockets":
        assert revoked_among([principal_of(alice.access)[0]]) == set()
    assert alice.client.get(f"/v1/users/{bob.id}").json()["email"] == "bob@example.org", "with the old token too"
    assert "email" not in bob.client.get(f"/v1/users/{alice.id}").json()


@pytest.mark.parametrize("redis", ["knows", "forgot", "is down"])
def test_a_revoked_role_is_gone_from_tokens_at_once(
    register: Callable[..., Person], redis: str, redis_down: Any, django_capture_on_commit_callbacks: Any
) -> None:
    alice, bob = register("alice"), register("bob")
    actions.grant_role(user_id=int(alice.id), role="moderator")
    token = JsonClient(log_in("alice").json()["access"])
    assert token.get(f"/v1/users/{bob.id}").json()["email"] == "bob@example.org"
    with django_capture_on_commit_callbacks(using="auth", execute=True):
        call_command("roles", "revoke", "moderator", "alice", stdout=io.StringIO())
    if redis == "forgot":
        redis_client().flushdb()
    redis_down(redis == "is down")
    for held in (token, alice.client):
        refused = held.get(f"/v1/users/{bob.id}")
        assert (refused.status_code, refused.json()["code"]) == (401, "token_revoked")
    redis_down(False)
    again = JsonClient(log_in("alice").json()["access"]).get(f"/v1/users/{bob.id}")
    assert (again.status_code, "email" in again.json()) == (200, False)


def test_the_service_returns_existing_accounts_in_two_queries(
    register: Callable[..., Person], django_assert_num_queries: Any
) -> None:
    people = [register(f"person{number}") for number in range(4)]
    actions.grant_role(user_id=int(people[0].id), role="admin")
    ids = [int(person.id) for person in people]
    with django_assert_num_queries(2, using="auth"):
        users = client(Auth).users(ids=[*ids, 1])
    assert sorted(user.id for user in users) == ids
    one = client(Auth).user(user_id=ids[0])
    assert (one.username, one.roles, one.status) == ("person0", ["admin", "user"], "active")
    with pytest.raises(NotFound):
        client(Auth).user(user_id=1)


def create_admin(monkeypatch: pytest.MonkeyPatch, password: Any = PASSWORD, username: str = "root") -> Any:
    monkeypatch.setenv("ADMIN_USERNAME", username)
    monkeypatch.setenv("ADMIN_EMAIL", "root@example.org")
    monkeypatch.setenv("ADMIN_PASSWORD", password)
    out = io.StringIO()
    call_command("create_admin", "--json", stdout=out)
    return json.loads(out.getvalue())


def test_create_admin_creates_an_account_in_all_contexts(
    monkeypatch: pytest.MonkeyPatch, drain: Callable[[], int]
) -> None:
    made = create_admin(monkeypatch)
    drain()
    assert log_in("root").json()["user"]["roles"] == ["admin", "user"]
    assert JsonClient().get(f"/v1/profiles/{made['id']}").status_code == 200
    with pytest.raises(CommandError, match="username is taken"):
        create_admin(monkeypatch)
    with pytest.raises(CommandError, match="too common"):
        create_admin(monkeypatch, password="password", username="other")


def test_an_administrator_gets_no_password_that_the_api_does_not_accept(monkeypatch: pytest.MonkeyPatch) -> None:
    words = "an unusually long engine " * 11
    monkeypatch.setenv("ADMIN_PASSWORD", words)
    with pytest.raises(CommandError, match="at most 256 characters"):
        call_command("create_admin", username="ada", email="ada@example.org")
    assert not User.objects.exists()
    monkeypatch.setenv("ADMIN_PASSWORD", words[:256])
    call_command("create_admin", username="ada", email="ada@example.org")
    assert JsonClient().post("/v1/auth/login", {"login": "ada", "password": words[:256]}).status_code == 200


def test_an_account_cannot_be_created_without_its_events() -> None:
    with pytest.raises(CommandError, match="create_admin"):
        User.objects.create_superuser(username="root", email="root@example.org", password=PASSWORD)
    assert queries.existing_users().count() == 0


def admin_client(username: Any, password: Any = PASSWORD, **more: Any) -> Any:
    browser = Client()
    answer = browser.post("/admin/login/?next=/admin/", {"username": username, "password": password, **more})
    return browser, answer


def test_an_administrator_can_log_in_to_the_admin_site_and_sees_accounts(
    monkeypatch: pytest.MonkeyPatch, register: Callable[..., Person]
) -> None:
    create_admin(monkeypatch)
    alice = register("alice")
    browser, answer = admin_client("ROOT")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/")
    for page in ("user", "role", "userrole", "session", "mail", "totpdevice", "recoverycode", "erasure", "erasureack"):
        listed = browser.get(f"/admin/identity/{page}/")
        assert listed.status_code == 200, page
        assert browser.get(f"/admin/identity/{page}/?q=alice").status_code == 200, page
    shown = browser.get(f"/admin/identity/user/{alice.id}/change/")
    assert shown.status_code == 200
    assert b"argon2" not in shown.content


def test_roles_can_be_granted_in_the_admin_site(
    monkeypatch: pytest.MonkeyPatch, register: Callable[..., Person]
) -> None:
    create_admin(monkeypatch)
    alice = register("alice")
    browser, _ = admin_client("root")
    data = {"action": "make_moderator", "_selected_action": [alice.id]}
    assert browser.post("/admin/identity/user/", data).status_code == 302
    assert queries.account(int(alice.id)).roles == ["moderator", "user"]


@pytest.mark.parametrize("selected", ["abc", "\0", str(10**30), ""])
def test_an_action_on_an_invalid_row_is_rejected(
    monkeypatch: pytest.MonkeyPatch, register: Callable[..., Person], selected: str
) -> None:
    create_admin(monkeypatch)
    alice = register("alice")
    browser, _ = admin_client("root")
    data = {"action": "make_moderator", "_selected_action": [alice.id, selected]}
    assert browser.post("/admin/identity/user/", data).status_code == 400
    assert queries.account(int(alice.id)).roles == ["user"]


def test_an_administrator_cannot_revoke_their_own_role(monkeypatch: pytest.MonkeyPatch) -> None:
    made = create_admin(monkeypatch)
    browser, _ = admin_client("root")
    browser.post("/admin/identity/user/", {"action": "unmake_admin", "_selected_action": [made["id"]]})
    with pytest.raises(Conflict, match="last administrator"):
        actions.revoke_role(user_id=int(made["id"]), role="admin")
    for dry_run in (True, False):
        with pytest.raises(CommandError, match="last administrator"):
            call_command("roles", "revoke", "admin", "root", dry_run=dry_run)
    assert queries.account(int(made["id"])).roles == ["admin", "user"]


def test_a_moderator_can_log_in_to_the_admin_site_but_sees_no_accounts(register: Callable[..., Person]) -> None:
    alice = register("alice")
    actions.grant_role(user_id=int(alice.id), role="moderator")
    browser, answer = admin_client("alice")
    assert answer.status_code == 302
    assert browser.get("/admin/").status_code == 200
    assert browser.get("/admin/identity/user/").status_code == 403


def test_the_admin_site_requires_the_code_of_an_authenticator_app(register: Callable[..., Person]) -> None:
    alice = register("alice")
    actions.grant_role(user_id=int(alice.id), role="moderator")
    secret, _ = totp.set_up(alice)
    assert b"authenticator app is needed" in admin_client("alice")[1].content
    assert b"code is wrong" in admin_client("alice", otp="000000")[1].content
    assert admin_client("alice", otp=totp.code(secret))[1].status_code == 302


def test_staff_can_log_in_to_the_admin_site_with_a_passkey_alone(
    register: Callable[..., Person], settings: Any
) -> None:
    settings.STAFF_SECOND_FACTOR = True
    alice, device = register("alice"), Authenticator("http://localhost:8000")
    alice.confirm()
    made = device.create(alice.client.post("/v1/auth/passkeys/options").json()["publicKey"])
    assert alice.client.post("/v1/auth/passkeys", made).status_code == 201

    def enter(answer: Any) -> Any:
        return admin_client("", "", passkey=json.dumps(answer))

    def answer() -> Any:
        return device.get(JsonClient().post("/v1/auth/login/passkey/options").json()["publicKey"])

    assert b"for staff" in enter(answer())[1].content
    actions.grant_role(user_id=int(alice.id), role="moderator")
    assert b"with your passkey" in admin_client("alice")[1].content, "a password is not a second factor"
    malformed_answers: list[Any] = [{}, [], "x", 1, True, None, {"response": {"clientDataJSON": 1}}]
    for malformed in map(json.dumps, malformed_answers):
        assert b"passkey is unknown" in admin_client("", "", passkey=malformed)[1].content, malformed
    for malformed in ("{", "NaN", "[" * 10_000, "[" * 900_000):
        assert admin_client("", "", passkey=malformed)[1].status_code == 200
    good = answer()
    browser, entered = enter(good)
    assert (entered.status_code, browser.get("/admin/").status_code) == (302, 200)
    (site,) = [one for one in alice.client.get("/v1/auth/sessions").json()["results"] if one["kind"] == "site"]
    assert enter(good)[1].status_code == 200, "a response is valid once"
    assert alice.client.delete(f"/v1/auth/sessions/{site['id']}").status_code == 204
    assert browser.get("/admin/").status_code == 302
    sanction(alice, "ban")
    assert b"banned" in enter(answer())[1].content


def test_admin_sessions_and_log_entries_are_deleted_with_the_account(
    register: Callable[..., Person],
    monkeypatch: pytest.MonkeyPatch,
    drain: Callable[[], int],
    django_capture_on_commit_callbacks: Any,
) -> None:
    from django.contrib.admin.models import LogEntry
    from django.contrib.sessions.models import Session as AdminSession

    create_admin(monkeypatch)
    alice = register("alice")
    browser, _ = admin_client("root")
    with django_capture_on_commit_callbacks(using="auth", execute=True):
        browser.post("/admin/identity/user/", {"action": "make_moderator", "_selected_action": [alice.id]})
    assert LogEntry.objects.get().object_repr == "alice"
    admin_client("alice")
    assert AdminSession.objects.count() == 2
    assert alice.client.delete("/v1/auth/me", {"password": PASSWORD}).status_code == 202
    drain()
    assert AdminSession.objects.count() == 1, "only root's session is left"
    assert LogEntry.objects.count() == 0
    assert browser.get("/admin/identity/user/").status_code == 200


def test_attempts_on_the_admin_site_and_the_api_count_together(register: Callable[..., Person], settings: Any) -> None:
    settings.RATE_LIMITS, settings.RATES = True, {**settings.RATES, "login": (2, 100_000_000)}
    alice = register("alice")
    actions.grant_role(user_id=int(alice.id), role="moderator")
    assert log_in("alice", "wrong horse battery").status_code == 401
    assert admin_client("alice", "wrong horse battery")[1].status_code == 200
    assert b"too many attempts" in admin_client("ALICE")[1].content


def test_changing_a_password_in_the_admin_site_ends_the_other_sessions_and_notifies_the_owner(
    register: Callable[..., Person],
) -> None:
    alice = register("alice")
    actions.grant_role(user_id=int(alice.id), role="moderator")
    (browser, _), (other, _) = admin_client("alice"), admin_client("alice")
    signed_in = log_in("alice").json()
    changed = change_password(browser, PASSWORD)
    assert (changed.status_code, changed.headers["Location"]) == (302, "/admin/password_change/done/")
    assert browser.get("/admin/").status_code == 200, "the current session continues"
    assert other.get("/admin/").status_code == 302
    assert JsonClient().post("/v1/auth/refresh", {"refresh": signed_in["refresh"]}).status_code == 401
    assert (log_in("alice").status_code, log_in("alice", NEW_PASSWORD).status_code) == (401, 200)
    assert Mail.objects.filter(user_id=int(alice.id), kind=Mail.Kind.PASSWORD_CHANGED).count() == 1


def test_guessing_the_old_password_in_the_admin_site_is_limited(register: Callable[..., Person], settings: Any) -> None:
    alice = register("alice")
    actions.grant_role(user_id=int(alice.id), role="moderator")
    browser, _ = admin_client("alice")
    del browser.cookies["device"]
    settings.RATE_LIMITS, settings.RATES = True, {**settings.RATES, "login": (3, 100_000_000)}
    pages = [change_password(browser, f"wrong horse {number}", REMOTE_ADDR="203.0.113.9") for number in range(8)]
    assert {page.status_code for page in pages} == {200}
    assert b"the password is wrong" in pages[0].content
    assert b"too many attempts" in pages[-1].content
    late = change_password(browser, PASSWORD, REMOTE_ADDR="203.0.113.9")
    assert b"too many attempts" in late.content, "over the limit even the right password is rejected"
    assert User.objects.get().check_password(PASSWORD)


def change_password(browser: Client, password: str, **more: Any) -> Any:
    form = {"old_password": password, "new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
    return browser.post("/admin/password_change/", form, **more)


def test_others_cannot_log_in_to_the_admin_site(register: Callable[..., Person]) -> None:
    alice = register("alice")
    assert admin_client("alice")[1].status_code == 200, "the log-in form is shown again"
    actions.grant_role(user_id=int(alice.id), role="moderator")
    assert admin_client("alice", "wrong horse battery")[1].status_code == 200
    sanction(alice, "ban")
    assert admin_client("alice")[1].status_code == 200
