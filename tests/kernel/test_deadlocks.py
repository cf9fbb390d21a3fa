"""Every operation that writes survives being a deadlock victim: its transaction is retried, unseen by the client."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.core import mail

from apps.auth import actions as auth
from apps.moderation import actions as moderation
from apps.moderation.models import Action
from apps.notifications.actions.preferences import unsubscribe_token
from tests.auth import totp
from tests.auth.authenticator import Authenticator
from tests.conftest import ALL_CONTEXTS, JsonClient, Person
from tests.kernel.deadlocks import a_deadlock_everywhere
from tests.media.conftest import picture, send
from tests.security.routes import operations

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

PASSWORD = "correct horse battery"
# They write only to Redis or the media store, or not at all.
WITHOUT_ROWS = {"media_content_set", "posts_views"}
# A challenge that is not stored until the client returns it.
WRITES_NOTHING = {"auth_captcha"}
# tests/auth/test_social.py has the provider that these log in with.
TESTED_ELSEWHERE = {"auth_social_create", "auth_social_link", "auth_social_delete"}


@dataclass
class Setup:
    """Alice, who has a post, a comment and a notification; bob, who reacted to the post."""

    alice: Person
    bob: Person
    ids: dict[str, str]
    drain: Callable[[], int]
    device: Authenticator = field(default_factory=lambda: Authenticator("http://localhost:8000"))


Write = Callable[[], Any]
# operation → the expected status, and a function that prepares the request and returns it
WRITES: dict[str, tuple[int, Callable[[Setup], Write]]] = {}


def writes(operation: str, status: int) -> Callable[[Callable[[Setup], Write]], Callable[[Setup], Write]]:
    """Registers the function that prepares the request of an operation."""

    def enter(prepare: Callable[[Setup], Write]) -> Callable[[Setup], Write]:
        WRITES[operation] = (status, prepare)
        return prepare

    return enter


def simple(operation: str, status: int, request: str, body: Any = None, *, first: str = "", by: str = "alice") -> None:
    """Registers an operation that needs at most one request before it, `first`, by the same user."""

    def prepare(setup: Setup) -> Write:
        client = (setup.alice if by == "alice" else setup.bob).client
        if first:
            answer = client.request(*first.format(**setup.ids).split(" ", 1))
            assert answer.status_code < 300, answer.content
        method, path = request.format(**setup.ids).split(" ", 1)
        sent = {
            name: value.format(**setup.ids) if isinstance(value, str) else value for name, value in (body or {}).items()
        }
        return lambda: client.request(method, path, sent or None)

    WRITES[operation] = (status, prepare)


LIKE = {"reaction_type": "like"}
simple("auth_login", 200, "POST /v1/auth/login", {"login": "alice", "password": PASSWORD})
simple("auth_login_passkey_options", 200, "POST /v1/auth/login/passkey/options")
simple("auth_logout", 204, "POST /v1/auth/logout", {"refresh": "{refresh}"})
simple("auth_refresh", 200, "POST /v1/auth/refresh", {"refresh": "{refresh}"})
simple(
    "auth_register_create",
    201,
    "POST /v1/auth/register",
    {"username": "new", "email": "n@example.org", "password": PASSWORD},
)
simple("auth_confirm", 200, "POST /v1/auth/confirm", {"password": PASSWORD})
simple("auth_me_delete", 202, "DELETE /v1/auth/me", {"password": PASSWORD})
simple(
    "auth_password_change",
    204,
    "POST /v1/auth/password/change",
    {"password": PASSWORD, "new_password": "another horse 77"},
)
simple("auth_password_forgot", 202, "POST /v1/auth/password/forgot", {"email": "alice@example.org"})
simple("auth_sessions_delete", 204, "DELETE /v1/auth/sessions/{session}")
simple("auth_verify_email_resend", 204, "POST /v1/auth/verify-email/resend")
simple("comments_edit", 200, "PATCH /v1/comments/{comment}", {"content": "changed"})
simple("comments_delete", 204, "DELETE /v1/comments/{comment}")
simple("comments_reaction_set", 200, "PUT /v1/comments/{comment}/reaction", LIKE)
simple("comments_reaction_delete", 200, "DELETE /v1/comments/{comment}/reaction", by="bob")
simple("media_uploads_create", 201, "POST /v1/media/uploads", {"content_type": "image/png", "size": 100})
simple("notifications_delete", 204, "DELETE /v1/notifications/{notification}")
simple("notifications_preferences_edit", 200, "PATCH /v1/notifications/preferences", {"follow": {"email": False}})
simple("notifications_read", 200, "POST /v1/notifications/read", {"up_to": "{notification}"})
simple("notifications_schedule_edit", 200, "PATCH /v1/notifications/schedule", {"language": "de"})
simple("posts_create", 201, "POST /v1/posts", {"content": "hello"})
simple("posts_edit", 200, "PATCH /v1/posts/{post}", {"content": "changed"})
simple("posts_delete", 204, "DELETE /v1/posts/{post}")
simple("posts_bookmark_set", 200, "PUT /v1/posts/{post}/bookmark")
simple("posts_bookmark_delete", 200, "DELETE /v1/posts/{post}/bookmark", first="PUT /v1/posts/{post}/bookmark")
simple("posts_comments_create", 201, "POST /v1/posts/{post}/comments", {"content": "yes"})
simple("posts_mute_set", 200, "PUT /v1/posts/{post}/mute")
simple("posts_mute_delete", 200, "DELETE /v1/posts/{post}/mute", first="PUT /v1/posts/{post}/mute")
simple("posts_reaction_set", 200, "PUT /v1/posts/{post}/reaction", LIKE)
simple("posts_reaction_delete", 200, "DELETE /v1/posts/{post}/reaction", by="bob")
simple("posts_repost_set", 200, "PUT /v1/posts/{post}/repost", by="bob")
simple("posts_repost_delete", 200, "DELETE /v1/posts/{post}/repost", first="PUT /v1/posts/{post}/repost", by="bob")
simple("posts_views", 204, "POST /v1/posts/views", {"ids": ["1"]})
for verb in ("follow", "block", "mute"):
    path = f"/v1/profiles/{{bob}}/{verb}"
    simple(f"profiles_{verb}_set", 200, f"PUT {path}")
    simple(f"profiles_{verb}_delete", 200, f"DELETE {path}", first=f"PUT {path}")
simple("profiles_me_edit", 200, "PATCH /v1/profiles/me", {"bio": "new"})
simple("push_subscriptions_create", 201, "POST /v1/push-subscriptions", {"provider": "fcm", "token": "f" * 64})
simple(
    "reports_create",
    201,
    "POST /v1/reports",
    {"target_type": "post", "target_id": "{post}", "reason": "spam"},
    by="bob",
)


def confirmed(operation: str, status: int, request: str, body: Any = None) -> None:
    """Registers an operation that requires a confirmed session."""

    def prepare(setup: Setup) -> Write:
        setup.alice.confirm()
        method, path = request.split(" ", 1)
        return lambda: setup.alice.client.request(method, path, body)

    WRITES[operation] = (status, prepare)


confirmed("auth_me_edit", 200, "PATCH /v1/auth/me", {"email": "new@example.org"})
confirmed("auth_me_export_create", 202, "POST /v1/auth/me/export")
confirmed("auth_passkeys_options", 200, "POST /v1/auth/passkeys/options")
confirmed("auth_totp_create", 201, "POST /v1/auth/totp")
confirmed("auth_confirm_code", 202, "POST /v1/auth/confirm/code")


@writes("auth_totp_confirm", 200)
def _confirm_totp(setup: Setup) -> Write:
    setup.alice.confirm()
    code = totp.code(setup.alice.client.post("/v1/auth/totp").json()["secret"])
    return lambda: setup.alice.client.post("/v1/auth/totp/confirm", {"code": code})


@writes("auth_totp_delete", 204)
def _remove_totp(setup: Setup) -> Write:
    secret, _ = totp.set_up(setup.alice)
    code = totp.code(secret)
    return lambda: setup.alice.client.delete("/v1/auth/totp", {"code": code})


@writes("auth_passkeys_create", 201)
def _add_passkey(setup: Setup) -> Write:
    setup.alice.confirm()
    options = setup.alice.client.post("/v1/auth/passkeys/options").json()["publicKey"]
    body = {"name": "laptop", "credential": setup.device.create(options)}
    return lambda: setup.alice.client.post("/v1/auth/passkeys", body)


@writes("auth_passkeys_delete", 204)
def _remove_passkey(setup: Setup) -> Write:
    made = _add_passkey(setup)().json()["id"]
    return lambda: setup.alice.client.delete(f"/v1/auth/passkeys/{made}")


@writes("auth_login_passkey", 200)
def _log_in_with_passkey(setup: Setup) -> Write:
    assert _add_passkey(setup)().status_code == 201
    options = JsonClient().post("/v1/auth/login/passkey/options").json()["publicKey"]
    body = {"credential": setup.device.get(options)}
    return lambda: JsonClient().post("/v1/auth/login/passkey", body)


def _mailed_key(subject: str) -> str:
    auth.send_due_mails()
    (message,) = [message for message in mail.outbox if message.subject == subject]
    return str(message.body).rpartition("Your key: ")[2].split()[0]


@writes("auth_sessions_delete_others", 204)
def _end_other_sessions(setup: Setup) -> Write:
    assert totp.log_in().status_code == 200
    return lambda: setup.alice.client.delete("/v1/auth/sessions")


@writes("auth_password_reset", 204)
def _reset_password(setup: Setup) -> Write:
    JsonClient().post("/v1/auth/password/forgot", {"email": "alice@example.org"})
    body = {"key": _mailed_key("Set a new password"), "password": "another horse 77"}
    return lambda: JsonClient().post("/v1/auth/password/reset", body)


@writes("auth_verify_email", 204)
def _verify_email(setup: Setup) -> Write:
    auth.send_due_mails()
    (message,) = [message for message in mail.outbox if message.to == ["alice@example.org"]]
    key = str(message.body).rpartition("Your key: ")[2].split()[0]
    return lambda: JsonClient().post("/v1/auth/verify-email", {"key": key})


def _request_to_follow(setup: Setup) -> None:
    assert setup.alice.client.patch("/v1/profiles/me", {"is_private": True}).status_code == 200
    assert setup.bob.client.put(f"/v1/profiles/{setup.alice.id}/follow").json()["requested"] is True


@writes("follow_requests_accept_create", 200)
def _accept_request(setup: Setup) -> Write:
    _request_to_follow(setup)
    return lambda: setup.alice.client.post(f"/v1/follow-requests/{setup.bob.id}/accept")


@writes("follow_requests_reject_create", 200)
def _reject_request(setup: Setup) -> Write:
    _request_to_follow(setup)
    return lambda: setup.alice.client.post(f"/v1/follow-requests/{setup.bob.id}/reject")


@writes("media_create", 202)
def _upload(setup: Setup) -> Write:
    content = picture()
    return lambda: send(setup.alice, content)


@writes("media_edit", 200)
def _describe(setup: Setup) -> Write:
    media_id = _upload(setup)().json()["id"]
    return lambda: setup.alice.client.patch(f"/v1/media/{media_id}", {"description": "a square"})


@writes("media_delete", 204)
def _delete_media(setup: Setup) -> Write:
    media_id = _upload(setup)().json()["id"]
    return lambda: setup.alice.client.delete(f"/v1/media/{media_id}")


def _presigned(setup: Setup) -> tuple[str, Write]:
    content = picture()
    body = {"content_type": "image/png", "size": len(content)}
    target = setup.alice.client.post("/v1/media/uploads", body).json()
    path = target["url"].removeprefix("http://127.0.0.1:8000")
    return target["id"], lambda: setup.alice.client.send_raw("PUT", path, content, "image/png")


@writes("media_content_set", 204)
def _send_content(setup: Setup) -> Write:
    return _presigned(setup)[1]


@writes("media_complete", 202)
def _complete_upload(setup: Setup) -> Write:
    media_id, put = _presigned(setup)
    assert put().status_code == 204
    return lambda: setup.alice.client.post(f"/v1/media/{media_id}/complete")


@writes("notifications_unsubscribe", 204)
def _unsubscribe(setup: Setup) -> Write:
    token = unsubscribe_token(user_id=int(setup.alice.id), kind="comment")
    return lambda: JsonClient().post(f"/v1/notifications/unsubscribe?token={token}")


@writes("push_subscriptions_delete", 204)
def _remove_device(setup: Setup) -> Write:
    made = setup.alice.client.post("/v1/push-subscriptions", {"provider": "fcm", "token": "f" * 64}).json()["id"]
    return lambda: setup.alice.client.delete(f"/v1/push-subscriptions/{made}")


@writes("appeals_create", 201)
def _appeal(setup: Setup) -> Write:
    decision = moderation.Decision(reason="be kind")
    kind, user_id = Action.Kind.WARN_USER, int(setup.alice.id)
    action = moderation.sanction_user(kind, moderator_id=900, user_id=user_id, decision=decision)
    body = {"action_id": str(action.id), "text": "please look again"}
    return lambda: setup.alice.client.post("/v1/appeals", body)


@pytest.fixture
def setup(register: Callable[..., Person], drain: Callable[[], int], settings: Any, tmp_path: Path) -> Setup:
    files = {**settings.STORAGES["media"], "OPTIONS": {"location": tmp_path / "store", "allow_overwrite": True}}
    settings.STORAGES = {**settings.STORAGES, "media": files}
    settings.FCM_CREDENTIALS = {"project_id": "p", "client_email": "e", "private_key": "k", "token_uri": "t"}
    alice, bob = register("alice"), register("bob")
    post = alice.client.post("/v1/posts", {"content": "first"}).json()["id"]
    comment = alice.client.post(f"/v1/posts/{post}/comments", {"content": "second"}).json()["id"]
    for path in (f"/v1/posts/{post}", f"/v1/comments/{comment}"):
        bob.client.put(f"{path}/reaction", LIKE)
    drain()
    ids = {
        "post": post,
        "comment": comment,
        "notification": alice.client.get("/v1/notifications").json()["results"][0]["id"],
        "session": alice.client.get("/v1/auth/sessions").json()["results"][0]["id"],
        "refresh": alice.refresh,
        "bob": bob.id,
    }
    return Setup(alice, bob, ids, drain)


@pytest.mark.parametrize("operation", WRITES)
def test_an_operation_survives_a_deadlock(setup: Setup, operation: str) -> None:
    status, prepare = WRITES[operation]
    write = prepare(setup)
    with a_deadlock_everywhere() as deadlocks:
        answer = write()
    hit = {context for context, deadlock in deadlocks.items() if deadlock.hits}
    assert answer.status_code == status, (hit, answer.content)
    assert bool(hit) == (operation not in WITHOUT_ROWS)


def test_every_operation_that_writes_is_tested() -> None:
    all_writes = {operation.spec["operationId"] for operation in operations() if operation.method != "GET"}
    assert set(WRITES) | WRITES_NOTHING | TESTED_ELSEWHERE == all_writes
