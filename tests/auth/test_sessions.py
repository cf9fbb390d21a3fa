"""Logging in and out, sessions, refresh tokens and expiry."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from apps.auth import actions, queries
from apps.auth.models import Session
from socialapp.contracts.revocations import Revocations
from socialapp.http.tokens import principal_of
from socialapp.rpc.calls import client
from tests.conftest import ALL_CONTEXTS, JsonClient, Person
from tests.events import published_by

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

PASSWORD = "correct horse battery"


def log_in(login: str = "alice", password: Any = PASSWORD, **more: Any) -> Any:
    return JsonClient().post("/v1/auth/login", {"login": login, "password": password, **more})


def refresh(token: Any) -> Any:
    return JsonClient().post("/v1/auth/refresh", {"refresh": token})


def grace_is_over() -> None:
    Session.objects.exclude(rotated_at=None).update(rotated_at=timezone.now() - timedelta(seconds=11))


def session_of(access: Any) -> Any:
    return principal_of(access)[0].session


@pytest.mark.parametrize("login", ["alice", "ALICE", "alice@example.org", " Alice@Example.ORG "])
def test_log_in_with_username_or_address_ignores_case(register: Callable[..., Person], login: str) -> None:
    alice = register("alice")
    answer = log_in(login)
    assert answer.status_code == 200
    assert answer.json()["user"]["id"] == alice.id
    assert JsonClient(answer.json()["access"]).get("/v1/auth/me").status_code == 200


def test_a_wrong_password_and_an_unknown_name_get_the_same_response(register: Callable[..., Person]) -> None:
    register("alice")
    answers = [log_in(password="wrong horse battery"), log_in("nobody.here"), log_in("nobody@example.org")]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1
    assert answers[0].json()["code"] == "invalid_credentials"
    assert Session.objects.count() == 1, "only the session of the registration exists"


@pytest.mark.real_passwords
def test_a_wrong_password_and_an_unknown_name_take_the_same_time(register: Callable[..., Person]) -> None:
    register("alice")

    def fastest(login: Any) -> Any:
        def once() -> Any:
            started = time.process_time()  # CPU time, independent of the machine's load
            log_in(login, "wrong horse battery")
            return time.process_time() - started

        return min(once() for _ in range(3))

    known, unknown = fastest("alice"), fastest("nobody.here")
    assert 0.5 < known / unknown < 2, "one of the two does not compute a hash"


def test_a_refresh_token_is_valid_once_and_its_reuse_ends_the_session(register: Callable[..., Person]) -> None:
    alice = register("alice")
    renewed = refresh(alice.refresh)
    assert renewed.status_code == 200
    assert set(renewed.json()) == {"access", "refresh"}
    assert session_of(renewed.json()["access"]) == session_of(alice.access)
    assert JsonClient(renewed.json()["access"]).get("/v1/auth/me").status_code == 200

    grace_is_over()
    reused = refresh(alice.refresh)
    assert (reused.status_code, reused.json()["code"]) == (401, "refresh_reused")
    newest = refresh(renewed.json()["refresh"])
    assert (newest.status_code, newest.json()["code"]) == (401, "refresh_invalid")
    assert session_of(alice.access) in client(Revocations).recent().sessions


def test_reuse_of_any_earlier_refresh_token_ends_the_session(register: Callable[..., Person]) -> None:
    tokens = [register("alice").refresh]
    for _ in range(3):
        tokens.append(refresh(tokens[-1]).json()["refresh"])
    assert refresh(tokens[0]).json()["code"] == "refresh_reused"
    assert refresh(tokens[-1]).json()["code"] == "refresh_invalid"


def test_reuse_ends_no_other_session(register: Callable[..., Person]) -> None:
    alice = register("alice")
    other = log_in().json()
    refresh(alice.refresh)
    grace_is_over()
    assert refresh(alice.refresh).json()["code"] == "refresh_reused"
    assert refresh(other["refresh"]).status_code == 200


@pytest.mark.parametrize("token", ["x", "1.abc~def", "~", ".", "é", "9" * 150])
def test_invented_refresh_tokens_are_rejected_and_end_no_session(register: Callable[..., Person], token: Any) -> None:
    alice = register("alice")
    answer = refresh(token)
    assert (answer.status_code, answer.json()["code"]) == (401, "refresh_invalid")
    tampered = refresh(alice.refresh[:-1] + ("A" if alice.refresh[-1] != "A" else "B"))
    assert tampered.json()["code"] == "refresh_invalid"
    assert refresh(alice.access).json()["code"] == "refresh_invalid", "an access token is not a refresh token"
    assert refresh(alice.refresh).status_code == 200


def test_a_refresh_token_is_not_an_access_token(register: Callable[..., Person]) -> None:
    alice = register("alice")
    answer = JsonClient(alice.refresh).get("/v1/auth/me")
    assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid")


def test_an_expired_session_cannot_be_refreshed(register: Callable[..., Person]) -> None:
    alice = register("alice")
    Session.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert refresh(alice.refresh).json()["code"] == "refresh_invalid"
    assert alice.client.get("/v1/auth/sessions").json()["results"] == []


def test_logging_out_ends_the_session_and_is_idempotent(
    register: Callable[..., Person], django_capture_on_commit_callbacks: Any
) -> None:
    alice = register("alice")
    with django_capture_on_commit_callbacks(using="auth", execute=True):
        assert JsonClient().post("/v1/auth/logout", {"refresh": alice.refresh}).status_code == 204
    assert JsonClient().post("/v1/auth/logout", {"refresh": alice.refresh}).status_code == 204
    assert refresh(alice.refresh).json()["code"] == "refresh_invalid"
    refused = alice.client.get("/v1/auth/me")
    assert (refused.status_code, refused.json()["code"]) == (401, "token_revoked")


def test_a_revoked_access_token_is_rejected_even_if_redis_is_stale(
    register: Callable[..., Person], django_capture_on_commit_callbacks: Any
) -> None:
    alice = register("alice")
    assert alice.client.get("/v1/auth/me").status_code == 200, "Redis has a complete list of revocations without alice"
    with django_capture_on_commit_callbacks(using="auth", execute=True):
        JsonClient().post("/v1/auth/logout", {"refresh": alice.refresh})
    assert alice.client.get("/v1/auth/me").json()["code"] == "token_revoked"


def test_sessions_are_listed_with_their_devices_and_can_be_ended(register: Callable[..., Person]) -> None:
    alice, bob = register("alice"), register("bob")
    phone = JsonClient().post("/v1/auth/login", {"login": "alice", "password": PASSWORD}, User_Agent="Phone/1").json()
    listed = alice.client.get("/v1/auth/sessions").json()["results"]
    assert [session["user_agent"] for session in listed] == ["Phone/1", ""]
    assert [session["current"] for session in listed] == [False, True]
    assert set(listed[0]) == {"id", "current", "user_agent", "address", "created_at", "last_used_at", "kind", "device"}
    assert listed[0]["address"] == "127.0.0.0/24"

    target = f"/v1/auth/sessions/{listed[0]['id']}"
    assert bob.client.delete(target).status_code == 404, "the session is not bob's, so he gets 404"
    assert refresh(phone["refresh"]).status_code == 200
    assert alice.client.delete(target).status_code == 204
    assert alice.client.delete(target).status_code == 404
    assert [session["id"] for session in alice.client.get("/v1/auth/sessions").json()["results"]] == [listed[1]["id"]]


def test_session_pages_neither_skip_nor_repeat(register: Callable[..., Person], django_assert_num_queries: Any) -> None:
    alice = register("alice")
    for _ in range(4):
        log_in()
    path, seen = "/v1/auth/sessions?limit=2", []
    while path:
        page = alice.client.get(path).json()
        seen += [session["id"] for session in page["results"]]
        log_in()
        path = page["next"]
    assert len(seen) == len(set(seen)) == 5
    with django_assert_num_queries(1, using="auth"):
        alice.client.get("/v1/auth/sessions?limit=100")


def test_the_number_of_sessions_is_limited(register: Callable[..., Person], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.auth.actions.sessions.MAX_SESSIONS", 3)
    alice = register("alice")
    for _ in range(3):
        assert log_in().status_code == 200
    assert refresh(alice.refresh).json()["code"] == "refresh_invalid", "the oldest session is ended"
    assert Session.objects.filter(ended_at=None).count() == 3


def test_only_old_sessions_are_deleted(register: Callable[..., Person]) -> None:
    alice, bob, carol = register("alice"), register("bob"), register("carol")
    long_ago = timezone.now() - timedelta(days=2)
    Session.objects.filter(user_id=alice.id).update(ended_at=long_ago)
    Session.objects.filter(user_id=bob.id).update(expires_at=long_ago)
    Session.objects.filter(user_id=carol.id).update(ended_at=timezone.now())
    assert actions.delete_old_sessions() == 2
    assert list(Session.objects.values_list("user_id", flat=True)) == [int(carol.id)]
    [ended] = [envelope.data for envelope in published_by("auth", "auth.sessions_ended")]
    assert ended == {"user_id": int(bob.id), "session_ids": [session_of(bob.access)]}, "the one that had only expired"


def test_revocations_are_listed_for_as_long_as_an_access_token_is_valid(register: Callable[..., Person]) -> None:
    alice = register("alice")
    JsonClient().post("/v1/auth/logout", {"refresh": alice.refresh})
    assert queries.recently_revoked().sessions == [session_of(alice.access)]
    Session.objects.update(ended_at=timezone.now() - timedelta(seconds=700))
    assert client(Revocations).recent().sessions == []


@pytest.mark.skipif(settings.EMBEDDED, reason="in-memory SQLite has no concurrent writers")
@pytest.mark.django_db(databases=ALL_CONTEXTS, transaction=True)
def test_concurrent_refreshes_get_the_same_new_token() -> None:
    import threading

    from django.db import connections

    body = {"email": "alice@example.org", "password": PASSWORD, "username": "alice"}
    token = JsonClient().post("/v1/auth/register", body).json()["refresh"]
    answers, barrier = [], threading.Barrier(2)

    def try_it() -> None:
        barrier.wait()
        answers.append(refresh(token))
        connections.close_all()

    threads = [threading.Thread(target=try_it) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [200, 200]
    (successor,) = {answer.json()["refresh"] for answer in answers}
    assert refresh(successor).status_code == 200


def test_a_used_refresh_token_returns_its_successor_for_ten_seconds(register: Callable[..., Person]) -> None:
    """Several tabs of a browser may refresh concurrently. Source: RFC 9700, section 4.14.2."""
    alice = register("alice")
    first, second = refresh(alice.refresh), refresh(alice.refresh)
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json()["refresh"] == second.json()["refresh"]
    renewed = refresh(first.json()["refresh"])
    assert renewed.status_code == 200
    assert refresh(alice.refresh).json()["code"] == "refresh_reused", (
        "reuse of a token before the last is treated as theft"
    )
    assert refresh(renewed.json()["refresh"]).json()["code"] == "refresh_invalid"


def test_the_owner_is_notified_of_a_reused_refresh_token(register: Callable[..., Person]) -> None:
    from django.core import mail

    alice = register("alice")
    refresh(alice.refresh)
    grace_is_over()
    refresh(alice.refresh)
    actions.send_due_mails()
    assert [message.to for message in mail.outbox if message.subject == "One of your sessions was ended"] == [
        ["alice@example.org"]
    ]


def test_a_session_expires_even_if_in_use(register: Callable[..., Person], settings: Any) -> None:
    alice = register("alice")
    settings.SESSION_DAYS = 5
    Session.objects.update(created_at=timezone.now() - timedelta(days=4))
    renewed = refresh(alice.refresh).json()["refresh"]
    assert Session.objects.get().expires_at < timezone.now() + timedelta(days=1, seconds=1)
    Session.objects.update(created_at=timezone.now() - timedelta(days=6), expires_at=timezone.now())
    assert refresh(renewed).json()["code"] == "refresh_invalid"


def test_all_other_sessions_end_at_once(register: Callable[..., Person]) -> None:
    alice = register("alice")
    other = log_in().json()
    assert alice.client.delete("/v1/auth/sessions").status_code == 204
    assert refresh(other["refresh"]).json()["code"] == "refresh_invalid"
    assert refresh(alice.refresh).status_code == 200
