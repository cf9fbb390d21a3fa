"""Idempotency-Key: one effect and one response per key, caller and request, for 24 hours, despite failures."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from apps.auth import queries
from socialapp.http.models import IdempotencyKey
from socialapp.http.tasks import prune_idempotency_keys
from socialapp.messaging.models import OutboxEvent
from tests.conftest import ALL_CONTEXTS, JsonClient, Person

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

PATH = "/v1/auth/register"


def body(username: str = "alice", **changes: Any) -> dict[str, Any]:
    email = f"{username}@example.org"
    return {"email": email, "password": "correct horse battery", "username": username, **changes}


def accounts() -> Any:
    return queries.existing_users().count()


def keys() -> Any:
    return IdempotencyKey.objects.using("auth")


def test_a_repeated_key_returns_the_same_response_byte_for_byte(anonymous: JsonClient) -> None:
    first = anonymous.post(PATH, body(), Idempotency_Key="k")
    again = anonymous.post(PATH, body(), Idempotency_Key="k")
    assert (again.status_code, again.content) == (201, first.content)
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert accounts() == 1
    assert OutboxEvent.objects.using("auth").count() == 1


def test_member_order_and_white_space_do_not_change_the_fingerprint_of_a_body(anonymous: JsonClient) -> None:
    first = anonymous.post(
        PATH, b'{"email":"a@example.org","username":"a.a","password":"correct horse"}', Idempotency_Key="k"
    )
    again = anonymous.post(
        PATH, b'{ "password":"correct horse", "username":"a.a", "email":"a@example.org" }', Idempotency_Key="k"
    )
    assert first.status_code == 201
    assert again.content == first.content


@pytest.mark.parametrize("change", [{"full_name": "A"}, {"password": "correct horse batterz"}])
def test_an_idempotency_key_with_another_body_is_refused(anonymous: JsonClient, change: dict[str, Any]) -> None:
    anonymous.post(PATH, body(), Idempotency_Key="k")
    answer = anonymous.post(PATH, body(**change), Idempotency_Key="k")
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert accounts() == 1


def test_an_idempotency_key_applies_to_one_path(register: Callable[..., Person]) -> None:
    alice = register("alice")
    alice.confirm()
    assert alice.client.post("/v1/auth/totp", {}, Idempotency_Key="k").status_code == 201
    answer = alice.client.post("/v1/posts", {"content": "hello"}, Idempotency_Key="k")
    assert answer.status_code == 201, "keys are stored in the database of the write: that of TOTP is another one"
    again = alice.client.post("/v1/auth/totp", {}, Idempotency_Key="k")
    assert again.headers["Idempotency-Replayed"] == "true"


def test_an_idempotency_key_belongs_to_its_caller(register: Callable[..., Person]) -> None:
    alice, bob = register("alice"), register("bob")
    alice.confirm()
    bob.confirm()
    one = alice.client.post("/v1/auth/totp", {}, Idempotency_Key="k").json()
    two = bob.client.post("/v1/auth/totp", {}, Idempotency_Key="k").json()
    assert one["secret"] != two["secret"]


def test_a_failed_request_stores_no_idempotency_key(anonymous: JsonClient) -> None:
    assert anonymous.post(PATH, body(password="short"), Idempotency_Key="k").status_code == 422
    assert keys().count() == 0
    assert anonymous.post(PATH, body(), Idempotency_Key="k").status_code == 201


def test_an_idempotency_key_expires(anonymous: JsonClient) -> None:
    anonymous.post(PATH, body(), Idempotency_Key="k")
    keys().update(created_at=timezone.now() - timedelta(hours=settings.IDEMPOTENCY_HOURS, seconds=1))
    answer = anonymous.post(PATH, body("bob"), Idempotency_Key="k")
    assert answer.status_code == 201
    assert answer.json()["user"]["username"] == "bob"


def test_only_expired_idempotency_keys_are_pruned(anonymous: JsonClient) -> None:
    anonymous.post(PATH, body(), Idempotency_Key="old")
    keys().update(created_at=timezone.now() - timedelta(hours=settings.IDEMPOTENCY_HOURS, seconds=1))
    anonymous.post(PATH, body("bob"), Idempotency_Key="new")
    prune_idempotency_keys()
    assert anonymous.post(PATH, body("bob"), Idempotency_Key="new").headers["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb"])
def test_invalid_idempotency_keys_are_malformed(anonymous: JsonClient, key: Any) -> None:
    answer = anonymous.post(PATH, body(), Idempotency_Key=key)
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_invalid")
    assert accounts() == 0


def test_the_table_reveals_neither_idempotency_keys_nor_tokens(anonymous: JsonClient) -> None:
    made = anonymous.post(PATH, body(), Idempotency_Key="my-secret-key").json()
    row = keys().get()
    stored = f"{row.digest} {row.fingerprint} {row.answer}"
    for secret in ("my-secret-key", made["access"], made["refresh"], "alice"):
        assert secret not in stored


def test_without_an_idempotency_key_nothing_is_stored(anonymous: JsonClient) -> None:
    anonymous.post(PATH, body())
    assert keys().count() == 0


@pytest.mark.skipif(settings.EMBEDDED, reason="SQLite in memory does not allow two writers at once")
@pytest.mark.django_db(databases=ALL_CONTEXTS, transaction=True)
def test_of_parallel_requests_with_one_key_one_runs_and_all_get_its_response() -> None:
    import threading

    from django.db import connections

    answers, barrier = [], threading.Barrier(4)

    def send() -> None:
        barrier.wait()
        answers.append(JsonClient().post(PATH, body(), Idempotency_Key="k"))
        connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [201] * 4
    assert len({answer.content for answer in answers}) == 1
    assert accounts() == 1
    assert OutboxEvent.objects.using("auth").count() == 1
