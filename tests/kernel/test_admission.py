"""Admission: revoked tokens are refused and rate limits hold, with Redis, without it, and after it lost its data."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import RequestFactory

from apps.auth import actions
from socialapp.core.cache import redis_client
from socialapp.http.admission import REVOKED_KEY, client_address
from socialapp.http.tokens import principal_of
from tests.conftest import ALL_CONTEXTS, JsonClient, Person
from tests.scenarios.product import eventually

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

PASSWORD = "correct horse battery"
# So long that no window ends in the middle of a test.
WINDOW = 100_000_000


@pytest.fixture
def limits(settings: Any) -> Any:
    """Turns rate limits on, with low values."""
    settings.RATE_LIMITS = True
    quotas = {"read": 3, "write": 2, "search": 3, "login": 3, "register": 2}
    settings.RATES = {name: (quota, WINDOW) for name, quota in quotas.items()}
    return settings


def log_in(login: str = "alice", password: Any = PASSWORD, **headers: Any) -> Any:
    return JsonClient().post("/v1/auth/login", {"login": login, "password": password}, **headers)


def register_body(number: Any) -> dict[str, Any]:
    return {"email": f"p{number}@example.org", "password": PASSWORD, "username": f"person{number}"}


def end_sessions(person: Person) -> None:
    actions.end_sessions_of(user_id=int(person.id))


def test_a_revoked_session_is_found_in_the_database_when_redis_is_empty(register: Callable[..., Person]) -> None:
    alice = register("alice")
    end_sessions(alice)
    assert redis_client().keys(f"*{REVOKED_KEY}*") == []
    refused = alice.client.get("/v1/auth/me")
    assert (refused.status_code, refused.json()["code"]) == (401, "token_revoked")


def test_revocations_are_cached_in_redis_to_spare_the_database(
    register: Callable[..., Person], django_assert_num_queries: Any
) -> None:
    alice = register("alice")
    assert alice.client.get("/v1/auth/sessions").status_code == 200
    with django_assert_num_queries(1, using="auth"):
        alice.client.get("/v1/auth/sessions")


def test_revocation_survives_the_loss_of_redis(
    register: Callable[..., Person], django_capture_on_commit_callbacks: Any
) -> None:
    alice = register("alice")
    alice.client.get("/v1/auth/me")
    with django_capture_on_commit_callbacks(using="auth", execute=True):
        end_sessions(alice)
    assert alice.client.get("/v1/auth/me").status_code == 401
    redis_client().flushdb()
    assert alice.client.get("/v1/auth/me").status_code == 401


def test_cached_revocations_expire_so_that_a_lost_message_does_not_matter(register: Callable[..., Person]) -> None:
    alice = register("alice")
    alice.client.get("/v1/auth/me")
    end_sessions(alice)
    key = redis_client().keys(f"*{REVOKED_KEY}")[0]
    assert 0 < redis_client().ttl(key) <= 60
    assert alice.client.get("/v1/auth/me").status_code == 200, (
        "the message was lost, and the set in Redis passes for complete"
    )
    redis_client().delete(key)
    assert alice.client.get("/v1/auth/me").status_code == 401


def test_a_session_that_ended_while_redis_was_unreachable_is_refused_once_it_is_back(
    register: Callable[..., Person], redis_down: Any, django_capture_on_commit_callbacks: Any
) -> None:
    alice = register("alice")
    alice.client.get("/v1/auth/me")
    redis_down(True)
    with django_capture_on_commit_callbacks(using="auth", execute=True):
        end_sessions(alice)
    redis_down(False)
    assert redis_client().exists(f"{settings.REDIS_PREFIX}{REVOKED_KEY}"), "it says that it is complete"
    eventually(lambda: alice.client.get("/v1/auth/me").status_code == 401)


def test_what_redis_kept_is_not_trusted_after_it_was_unreachable(
    register: Callable[..., Person], redis_down: Any
) -> None:
    """Here nobody tells Redis what was revoked, as if that process had ended before Redis was back."""
    alice, bob = register("alice"), register("bob")
    alice.client.get("/v1/auth/me")
    redis_down(True)
    end_sessions(alice)
    assert bob.client.get("/v1/auth/me").status_code == 200
    redis_down(False)
    assert redis_client().sismember(f"{settings.REDIS_PREFIX}{REVOKED_KEY}", "complete")
    assert alice.client.get("/v1/auth/me").status_code == 401


def test_only_the_revoked_session_is_refused(register: Callable[..., Person]) -> None:
    alice = register("alice")
    other = log_in().json()["access"]
    actions.end_session(user_id=int(alice.id), session_id=principal_of(alice.access)[0].session)
    assert alice.client.get("/v1/auth/me").status_code == 401
    assert JsonClient(other).get("/v1/auth/me").status_code == 200


def test_without_redis_requests_succeed_and_revocation_still_holds(
    register: Callable[..., Person], redis_down: Any
) -> None:
    alice, bob = register("alice"), register("bob")
    end_sessions(bob)
    redis_down(True)
    assert alice.client.get("/v1/auth/me").status_code == 200
    assert bob.client.get("/v1/auth/me").json()["code"] == "token_revoked"


def test_without_redis_log_in_limits_fail_closed_and_others_fail_open(
    register: Callable[..., Person], redis_down: Any, limits: Any
) -> None:
    alice = register("alice")
    redis_down(True)
    refused = log_in()
    assert (refused.status_code, refused.json()["code"]) == (503, "limits_unavailable")
    assert JsonClient().post("/v1/auth/register", register_body(1)).status_code == 503
    for _ in range(5):
        assert alice.client.get("/v1/auth/me").status_code == 200
    assert JsonClient().post("/v1/auth/refresh", {"refresh": alice.refresh}).status_code == 200


def test_rate_limits_are_in_every_response_and_then_refuse(register: Callable[..., Person], limits: Any) -> None:
    alice = register("alice")
    first = alice.client.get("/v1/auth/me")
    assert '"read";q=3;w=100000000' in first.headers["RateLimit-Policy"]
    assert '"read";r=2;t=' in first.headers["RateLimit"]
    alice.client.get("/v1/auth/me")
    alice.client.get("/v1/auth/me")
    refused = alice.client.get("/v1/auth/me")
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert 1 <= int(refused.headers["Retry-After"]) <= WINDOW
    assert '"read";r=0' in refused.headers["RateLimit"]
    assert alice.client.patch("/v1/auth/me", {}).status_code == 200, "writes are counted separately"


def test_guessing_one_accounts_password_is_limited_across_addresses(
    register: Callable[..., Person], limits: Any
) -> None:
    limits.TRUSTED_PROXIES = 1
    register("alice")
    for number in range(3):
        answer = log_in(password="wrong horse battery", X_Forwarded_For=f"10.0.0.{number}")
        assert answer.status_code == 401
    refused = log_in(login=" ALICE", X_Forwarded_For="10.0.0.9")
    assert refused.status_code == 429
    assert log_in(login="bob", X_Forwarded_For="10.0.0.9").status_code == 401, "other accounts are not limited"


def test_successful_log_ins_do_not_use_up_the_rate_limit(register: Callable[..., Person], limits: Any) -> None:
    limits.RATE_ADDRESS_FACTOR = 100
    register("alice")
    for _ in range(3):
        assert [log_in(password="wrong horse").status_code, log_in().status_code, log_in().status_code] == [
            401,
            200,
            200,
        ]
    assert [log_in(password="wrong horse").status_code for _ in range(4)] == [401, 401, 401, 429]
    assert log_in().status_code == 429, "after too many guesses the right password is refused too"


def test_guessing_from_one_address_is_limited_across_accounts(limits: Any) -> None:
    answers = [log_in(login=f"person{number}").status_code for number in range(13)]
    assert answers == [401] * 12 + [429]


def test_the_client_address_is_taken_from_the_trusted_proxy_only(limits: Any) -> None:
    limits.TRUSTED_PROXIES = 0
    answers = [log_in(f"p.{number}", X_Forwarded_For=f"10.0.0.{number}").status_code for number in range(13)]
    assert answers[-1] == 429, "a client cannot choose its own address"


@pytest.mark.parametrize(
    ("sent", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1:4711", "192.0.2.1"),
        ("2001:DB8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("::1", "::1"),
        ("", "unknown"),
        ("[", "unknown"),
        ("unknown", "unknown"),
        ("proxy:80", "unknown"),
        ("192.0.2.1:4711:1", "unknown"),
    ],
)
def test_the_client_address_has_no_port(settings: Any, sent: str, address: str) -> None:
    """Some load balancers add it; otherwise all clients behind them would be counted as one."""
    settings.TRUSTED_PROXIES = 1
    request = RequestFactory().get("/", REMOTE_ADDR="", HTTP_X_FORWARDED_FOR=sent)
    assert client_address(request) == address


def test_deleting_the_account_is_rate_limited_like_a_log_in(register: Callable[..., Person], limits: Any) -> None:
    alice = register("alice")
    answers = [alice.client.delete("/v1/auth/me", {"password": "wrong"}).status_code for _ in range(4)]
    assert answers == [403, 403, 403, 429]


def test_sign_ups_are_rate_limited(limits: Any) -> None:
    answers = [JsonClient().post("/v1/auth/register", register_body(number)).status_code for number in range(9)]
    assert answers == [201] * 8 + [429]


def test_disabled_rate_limits_have_no_headers(register: Callable[..., Person]) -> None:
    alice = register("alice")
    assert "RateLimit" not in alice.client.get("/v1/auth/me").headers
