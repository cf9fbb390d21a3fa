"""The gateway's own responses: always a problem, with the right headers."""

import base64
import json
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack

import httpx
import pytest

from socialapp.http.tokens import ALGORITHM
from tests.gateway.conftest import problem, token
from tests.gateway.nginx import Gateway
from tests.gateway.stub import Stub
from tests.scenarios.product import eventually, free_port


def bearer(value: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {value}"}


def _signed_by_nobody(claims: object, algorithm: str = ALGORITHM) -> str:
    """A token with these claims and an invalid signature."""
    parts = ({"alg": algorithm, "typ": "JWT"}, claims)
    coded = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    return ".".join((*coded, "x" * 43))


FOREVER = 2**40


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer x",
        "Bearer a.b",
        "Bearer a.b.c.d",
        "Bearer a.b!.c",
        "Basic dTpw",
        f"Bearer {_signed_by_nobody([])}",
        f"Bearer {_signed_by_nobody(None)}",
        f"Bearer {_signed_by_nobody({'exp': 'never'})}",
        f"Bearer {_signed_by_nobody({})}",
        f"Bearer {_signed_by_nobody({'exp': FOREVER, 'nbf': FOREVER})}",
        f"Bearer {_signed_by_nobody({'exp': FOREVER}, 'none')}",
        f"Bearer {_signed_by_nobody({'exp': FOREVER}, 'HS256')}",
        f"Bearer {_signed_by_nobody({'exp': FOREVER}, 'rs256')}",
        f"Bearer {'a' * 5000}.b.c",
    ],
)
@pytest.mark.parametrize("path", ["/v1/feed", "/v1/auth/me", "/v1/media"])
def test_a_malformed_token_is_rejected(http: httpx.Client, path: str, header: str) -> None:
    answer = http.get(path, headers={"Authorization": header})
    assert problem(answer) == (401, "token_invalid")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="socialapp"'


def test_an_expired_token_is_rejected(http: httpx.Client) -> None:
    assert problem(http.get("/v1/feed", headers=bearer(token(seconds=-60)))) == (401, "token_expired")
    just_now = http.get("/v1/feed", headers=bearer(token(seconds=0)))
    assert just_now.status_code == 200, "clocks differ, so the application decides about borderline tokens"


def test_plausible_and_missing_tokens_are_forwarded(http: httpx.Client) -> None:
    given = token()
    assert http.get("/v1/feed", headers=bearer(given)).json()["headers"]["authorization"] == f"Bearer {given}"
    assert http.get("/v1/feed", headers={"Authorization": f"bearer  {given}"}).status_code == 200
    assert "authorization" not in http.get("/v1/posts/1").json()["headers"]
    assert http.get("/admin/", headers={"Authorization": "Basic dTpw"}).status_code == 200, (
        "other schemes are allowed outside of the API"
    )


def test_body_sizes_are_limited_with_a_higher_limit_for_media(http: httpx.Client) -> None:
    assert problem(http.post("/v1/posts", content=b"x" * 2_000_000)) == (413, "too_large")
    assert problem(http.post("/v1/posts", content=iter([b"x" * 65536] * 40))) == (413, "too_large")
    assert http.post("/v1/media", content=b"x" * 2_000_000).json()["received"] == 2_000_000
    assert http.put("/v1/media/1/content?part=2", content=b"x" * 2_000_000).json()["received"] == 2_000_000
    assert problem(http.post("/v1/media/1/complete", content=b"x" * 2_000_000)) == (413, "too_large")


def test_long_urls_and_headers_are_rejected(http: httpx.Client) -> None:
    assert problem(http.get("/v1/search?q=" + "x" * 20_000)) == (414, "uri_too_long")
    assert problem(http.get("/v1/feed", headers={"X-Long": "x" * 20_000})) == (431, "headers_too_large")


def test_malformed_requests_are_rejected(gateway: Gateway) -> None:
    for request in ("GET /v1/feed HTTP/1.1\r\n\r\n", "GET /v1/feed HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"):
        answer = gateway.exchange(request.encode())
        assert answer.startswith("HTTP/1.1 400"), request
        assert '"code": "malformed"' in answer


def test_unknown_methods_are_rejected(http: httpx.Client) -> None:
    assert problem(http.request("TRACE", "/v1/feed")) == (405, "method_not_allowed")


def test_a_context_that_is_down_or_slow_gets_a_problem(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(SEARCH_UPSTREAM=f"127.0.0.1:{free_port()}", GATEWAY_TIMEOUT="3s")
    away = httpx.get(f"{gateway.url}/v1/search?q=x", timeout=30)
    assert problem(away) == (503, "unavailable")
    assert away.headers["Retry-After"] == "2"
    slow = httpx.get(f"{gateway.url}/v1/feed?seconds=5", timeout=30)
    assert problem(slow) == (504, "timeout")
    assert slow.headers["Retry-After"] == "2"
    assert httpx.get(f"{gateway.url}/v1/feed", timeout=30).status_code == 200, "other contexts still work"


def test_a_write_is_not_retried_on_another_process(make_gateway: Callable[..., Gateway]) -> None:
    """One of two web processes fails in the middle of every request."""
    good, bad = Stub("good"), Stub("hang_up")
    try:
        gateway = make_gateway(POSTS_UPSTREAM=f"{good.address} {bad.address}")
        with httpx.Client(base_url=gateway.url, timeout=60) as client:
            assert [client.get("/v1/feed").status_code for _ in range(6)] == [200] * 6, (
                "reads are retried on the other process"
            )
            good.seen.clear()
            bad.seen.clear()
            answers = [client.post("/v1/posts", content=b"{}") for _ in range(6)]
    finally:
        good.stop()
        bad.stop()
    assert len(good.seen) + len(bad.seen) == 6, "each write is sent once"
    assert [answer.status_code for answer in answers].count(200) == len(good.seen) > 0
    assert {problem(answer) for answer in answers if answer.status_code != 200} == {(503, "unavailable")}


def test_responses_of_the_application_are_unchanged(http: httpx.Client) -> None:
    for status in (400, 401, 404, 413, 429, 500, 502, 503):
        answer = http.get(f"/v1/feed?status={status}")
        assert (answer.status_code, answer.json()["server"]) == (status, "posts")
        assert "Retry-After" not in answer.headers


def test_only_the_token_over_its_limit_is_rejected(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(GATEWAY_RATE_TOKEN="1", GATEWAY_RATE_ADDRESS="1000")
    with httpx.Client(base_url=gateway.url, timeout=30) as client:
        greedy, modest = bearer(token(sub="1")), bearer(token(sub="2"))
        started = time.monotonic()
        answers = [client.get("/v1/feed", headers=greedy) for _ in range(30)]
        passed = time.monotonic() - started
        refused = [answer for answer in answers if answer.status_code == 429]
        assert 26 - passed <= len(refused) <= 27, "one request, a burst of two, and one more per second"
        assert problem(refused[0]) == (429, "rate_limited")
        assert refused[0].headers["Retry-After"] == "1"
        assert refused[0].headers["RateLimit"] == '"gateway-token";r=0;t=1, "gateway-address";r=0;t=1'
        assert refused[0].headers["RateLimit-Policy"] == '"gateway-token";q=1;w=1, "gateway-address";q=1000;w=1'
        assert client.get("/v1/feed", headers=modest).status_code == 200
        assert client.get("/v1/feed").status_code == 200


def test_an_address_over_its_limit_is_rejected_with_any_token(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(GATEWAY_RATE_TOKEN="1000", GATEWAY_RATE_ADDRESS="1")
    with httpx.Client(base_url=gateway.url, timeout=30) as client:
        answers = [client.get("/v1/feed", headers=bearer(token(sub=str(n)))).status_code for n in range(30)]
        anonymous = [client.get("/v1/feed") for _ in range(30)]
    assert answers[0] == 200
    assert answers.count(429) >= 10
    refused = next(answer for answer in anonymous if answer.status_code == 429)
    assert problem(refused) == (429, "rate_limited")
    assert refused.headers["RateLimit"] == '"gateway-address";r=0;t=1', "requests without a token have no other limit"


def test_an_address_sends_few_uploads_at_once(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(GATEWAY_UPLOADS="2", GATEWAY_TRUSTED="127.0.0.0/8")

    def upload(address: str) -> httpx.Response:
        headers = {"X-Forwarded-For": address}
        return httpx.post(f"{gateway.url}/v1/media", content=b"x" * 100_000, headers=headers, timeout=30)

    head = "POST /v1/media HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 1.2.3.4\r\nContent-Length: 100000\r\n\r\n"
    with ExitStack() as stack:
        for _ in range(2):
            slow = stack.enter_context(socket.create_connection(("127.0.0.1", gateway.port), timeout=60))
            slow.sendall(head.encode() + b"x" * 50_000)
        eventually(lambda: upload("1.2.3.4").status_code == 429, seconds=30)
        assert problem(upload("1.2.3.4")) == (429, "rate_limited")
        assert upload("5.6.7.8").json()["received"] == 100_000
        reading = httpx.get(f"{gateway.url}/v1/media", headers={"X-Forwarded-For": "1.2.3.4"}, timeout=30)
        assert reading.status_code == 200
    eventually(lambda: upload("1.2.3.4").status_code == 200, seconds=30)


def test_an_ipv6_network_of_64_bits_counts_as_one_address(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(GATEWAY_RATE_TOKEN="1000", GATEWAY_RATE_ADDRESS="1", GATEWAY_TRUSTED="127.0.0.0/8")

    def asked(addresses: list[str]) -> list[int]:
        with httpx.Client(base_url=gateway.url, timeout=30) as client:
            return [client.get("/v1/feed", headers={"X-Forwarded-For": one}).status_code for one in addresses]

    started = time.monotonic()
    refused = asked([f"2001:db8:0:1:{n:x}::{n:x}" for n in range(1, 31)]).count(429)
    assert refused >= 26 - (time.monotonic() - started), "one request, a burst of two, and one more per second"
    assert asked([f"2001:db8:0:{n:x}::1" for n in range(2, 32)]) == [200] * 30, "each is a different network"
    assert asked([f"198.51.100.{n}" for n in range(1, 31)]) == [200] * 30, "each is a different IPv4 address"
    started = time.monotonic()
    refused = asked(["203.0.113.9", "::ffff:203.0.113.9"] * 10).count(429)
    assert refused >= 16 - (time.monotonic() - started), "both notations are the same address"


def test_unknown_hosts_are_rejected(make_gateway: Callable[..., Gateway], stubs: dict[str, Stub]) -> None:
    gateway = make_gateway(
        RATE_LIMITS="off", PUBLIC_URL="https://social.example:8443/x", ALLOWED_HOSTS="localhost, .cdn.example,[::1]"
    )

    def status(host: str, path: str = "/v1/feed") -> str:
        head = f"GET {path} HTTP/1.1\r\n{host}Connection: close\r\n\r\n"
        return gateway.exchange(head.encode()).partition("\r\n")[0]

    before = list(stubs["posts"].seen)
    for name in (
        "evil.example", "social.example.evil.example", "evil-social.example", "socialxexample", "xcdn.example",
        "127.0.0.1", "social.example:8443@evil.example", "social.example:", "::1", "",
    ):  # fmt: skip
        assert status(f"Host: {name}\r\n") == "HTTP/1.1 400 Bad Request", name
        assert status(f"Host: {name}\r\n", "/media/a.svg") == "HTTP/1.1 400 Bad Request", name
    assert status("") == "HTTP/1.1 400 Bad Request"
    assert stubs["posts"].seen == before
    for name in (
        "social.example",
        "SOCIAL.example:8443",
        "social.example.",
        "localhost",
        "a.cdn.example",
        "cdn.example",
        "[::1]:80",
    ):
        assert status(f"Host: {name}\r\n") == "HTTP/1.1 200 OK", name
    assert status("Host: 10.1.2.3\r\n", "/health/gateway") == "HTTP/1.1 200 OK", "health probes may use any host"
