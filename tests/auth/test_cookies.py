"""The refresh token as a cookie, for same-origin pages only."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings

from tests.conftest import ALL_CONTEXTS, JsonClient, Person

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

PASSWORD = "correct horse battery"
OWN, FOREIGN = {"Origin": settings.ALLOWED_ORIGINS[0]}, {"Origin": "https://evil.example"}


def log_in(client: Any, **headers: Any) -> Any:
    body = {"login": "alice", "password": PASSWORD, "cookie": True}
    return client.post("/v1/auth/login", body, **headers)


def test_scripts_and_other_sites_cannot_read_the_cookie(register: Callable[..., Person]) -> None:
    register("alice")
    answer = log_in(JsonClient(), **OWN)
    assert answer.status_code == 200
    assert set(answer.json()) == {"user", "access"}
    cookie = answer.cookies["refresh"]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == ("/v1/auth", True, "Strict")
    assert answer.headers["Cache-Control"] == "no-store"


def test_refresh_and_log_out_work_with_the_cookie_alone(register: Callable[..., Person]) -> None:
    register("alice")
    browser = JsonClient()
    first = log_in(browser, **OWN).cookies["refresh"].value
    renewed = browser.post("/v1/auth/refresh", {}, **OWN)
    assert renewed.status_code == 200
    assert set(renewed.json()) == {"access"}
    assert renewed.cookies["refresh"].value != first
    ended = browser.post("/v1/auth/logout", {}, **OWN)
    assert ended.status_code == 204
    assert ended.cookies["refresh"].value == ""
    assert JsonClient(renewed.json()["access"]).get("/v1/auth/me").json()["code"] == "token_revoked"


def test_other_sites_cannot_use_the_cookie(register: Callable[..., Person]) -> None:
    register("alice")
    browser = JsonClient()
    assert log_in(JsonClient(), **FOREIGN).json()["code"] == "origin_not_allowed"
    log_in(browser, **OWN)
    for headers in (FOREIGN, {"Sec_Fetch_Site": "cross-site"}):
        for path in ("refresh", "logout"):
            refused = browser.post(f"/v1/auth/{path}", {}, **headers)
            assert (refused.status_code, refused.json()["code"]) == (403, "origin_not_allowed")
    assert browser.post("/v1/auth/refresh", {}, **OWN).status_code == 200


def test_registering_can_set_the_cookie_too(anonymous: JsonClient) -> None:
    body = {"email": "alice@example.org", "password": PASSWORD, "username": "alice", "cookie": True}
    first = anonymous.post("/v1/auth/register", body, Idempotency_Key="k", **OWN)
    assert set(first.json()) == {"user", "access"}
    again = anonymous.post("/v1/auth/register", body, Idempotency_Key="k", **OWN)
    assert again.json() == first.json()
    assert anonymous.post("/v1/auth/refresh", {}, **OWN).status_code == 200


def test_refresh_without_body_and_cookie_is_rejected() -> None:
    answer = JsonClient().post("/v1/auth/refresh", {})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "required")
