"""CORS: front ends on allowed origins may call the API from a browser, others may not."""

from typing import Any

import pytest

from tests.conftest import ALL_CONTEXTS, JsonClient

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

OURS = "https://front.example"


@pytest.fixture(autouse=True)
def _one_front_end(settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = [OURS]


@pytest.mark.parametrize("path", ["/v1/feed", "/v1/auth/me", "/v1/posts/5", "/.well-known/jwks.json"])
def test_a_preflight_response_lists_the_allowed_methods_and_headers(anonymous: JsonClient, path: str) -> None:
    answer = anonymous.request("OPTIONS", path, Origin=OURS, Access_Control_Request_Method="PATCH")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == OURS
    assert "PATCH" in answer.headers["Access-Control-Allow-Methods"]
    for name in ("Authorization", "Content-Type", "If-Match", "Idempotency-Key"):
        assert name in answer.headers["Access-Control-Allow-Headers"]
    assert "origin" in answer.headers["Vary"].lower()


@pytest.mark.parametrize(("path", "status"), [("/v1/hashtags/trending", 200), ("/v1/feed", 401), ("/v1/nothing", 404)])
def test_an_allowed_origin_may_read_responses_and_problems(anonymous: JsonClient, path: str, status: int) -> None:
    answer = anonymous.get(path, Origin=OURS)
    assert answer.status_code == status
    assert answer.headers["Access-Control-Allow-Origin"] == OURS
    for name in ("ETag", "RateLimit", "Retry-After", "X-Request-ID"):
        assert name in answer.headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Credentials" not in answer.headers, "no cookies: tokens are sent by the page itself"


@pytest.mark.parametrize("origin", ["https://evil.example", "https://front.example.evil.example", "null", ""])
def test_another_origin_may_read_nothing(anonymous: JsonClient, origin: str) -> None:
    asked = anonymous.request("OPTIONS", "/v1/feed", Origin=origin, Access_Control_Request_Method="GET")
    read = anonymous.get("/v1/hashtags/trending", Origin=origin)
    for answer in (asked, read):
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert "origin" in answer.headers["Vary"].lower()


@pytest.mark.parametrize("path", ["/", "/admin/login/", "/health/live"])
def test_outside_the_api_only_the_same_origin_is_allowed(anonymous: JsonClient, path: str) -> None:
    answer = anonymous.get(path, Origin=OURS)
    assert answer.status_code == 200
    assert "Access-Control-Allow-Origin" not in answer.headers
