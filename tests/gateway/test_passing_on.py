"""Forwarding: what the gateway adds to, removes from and keeps of requests and responses."""

import json

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.gateway.nginx import Gateway
from tests.scenarios.product import eventually


def seen(answer: httpx.Response) -> dict[str, str]:
    """The headers that reached the application."""
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["headers"])


def test_the_gateway_replaces_headers_that_only_a_proxy_may_set(http: httpx.Client) -> None:
    lies = {
        "X-Forwarded-For": "1.2.3.4",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Port": "1",
        "X-Real-IP": "1.2.3.4",
        "Forwarded": "for=1.2.3.4",
        "Proxy": "evil.example",
        "X-Original-URL": "/internal/x",
        "X-Rewrite-URL": "/internal/x",
        "X-HTTP-Method-Override": "DELETE",
        "X_Forwarded_For": "1.2.3.4",
        "Upgrade": "h2c",
        "Connection": "Upgrade, HTTP2-Settings",
    }
    headers = seen(http.get("/v1/feed", headers=lies))
    assert (headers["x-forwarded-for"], headers["x-forwarded-proto"]) == ("127.0.0.1", "http")
    assert not set(headers) & {name.lower() for name in lies} - {"x-forwarded-for", "x-forwarded-proto"}


def test_headers_of_a_trusted_load_balancer_are_used(make_gateway: object) -> None:
    assert callable(make_gateway)
    gateway = make_gateway(GATEWAY_TRUSTED="127.0.0.0/8", PUBLIC_URL="https://social.example")
    answer = httpx.get(f"{gateway.url}/v1/feed", headers={"X-Forwarded-For": "1.2.3.4, 5.6.7.8"}, timeout=30)
    assert seen(answer)["x-forwarded-for"] == "5.6.7.8", "the last untrusted hop"
    assert seen(answer)["x-forwarded-proto"] == "https"
    own = httpx.get(f"{gateway.url}/metrics", timeout=30)
    assert own.headers["Strict-Transport-Security"].startswith("max-age=31536000")


def test_host_path_query_and_token_are_forwarded_unchanged(http: httpx.Client, gateway: Gateway) -> None:
    answer = http.get("/v1/hashtags/gr%C3%BC%C3%9Fe%2Fx/posts?limit=3&after=%2B")
    assert answer.json()["path"] == "/v1/hashtags/gr%C3%BC%C3%9Fe%2Fx/posts"
    assert seen(answer)["host"] == f"127.0.0.1:{gateway.port}"
    assert http.post("/v1/posts", content=b"x" * 1000).json()["received"] == 1000


def test_a_request_id_is_kept_or_generated(http: httpx.Client, gateway: Gateway) -> None:
    given = http.get("/v1/feed", headers={"X-Request-ID": "my-id.1"})
    assert (seen(given)["x-request-id"], given.headers.get_list("X-Request-ID")) == ("my-id.1", ["my-id.1"])
    for bad in ("", "a b", "x" * 65, "<script>"):
        made = http.get("/v1/feed", headers={"X-Request-ID": bad})
        assert len(made.headers["X-Request-ID"]) == 32
        assert made.headers["X-Request-ID"] == seen(made)["x-request-id"]
    refused = http.get("/metrics", headers={"X-Request-ID": "my-id.2"})
    assert refused.headers["X-Request-ID"] == "my-id.2"
    eventually(lambda: "my-id.2" in gateway.log())
    lines = [json.loads(line) for line in gateway.log().splitlines()]
    logged = next(line for line in lines if line["request_id"] == "my-id.1")
    assert (logged["path"], logged["status"], logged["context"]) == ("/v1/feed", 200, "posts")


def test_keys_in_links_are_not_logged(http: httpx.Client, gateway: Gateway) -> None:
    http.get("/v1/auth/exports/1/archive?key=verysecret")
    eventually(lambda: "/v1/auth/exports/1/archive" in gateway.log())
    assert "verysecret" not in gateway.log()


def test_large_responses_are_compressed_except_those_with_secrets(http: httpx.Client) -> None:
    assert http.get("/v1/feed?size=5000").headers.get("Content-Encoding") == "gzip"
    assert http.get("/v1/feed?size=5000").headers["Vary"] == "Accept-Encoding"
    assert "Content-Encoding" not in http.get("/v1/feed?size=10").headers
    assert "Content-Encoding" not in http.get("/v1/auth/me?size=5000").headers


def test_the_gateway_sends_files_for_the_application(http: httpx.Client) -> None:
    answer = http.get("/media/a.svg?accel=/_media/a.svg")
    assert (answer.status_code, answer.text) == (200, "<svg/>")
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox", "the file may contain a script"
    assert "X-Accel-Redirect" not in answer.headers
    assert http.get("/media/a.svg?accel=/_media/../nginx.conf").status_code == 404
    for missing in ("/_media/b.svg", "/_media/"):
        answer = http.get(f"/media/b.svg?accel={missing}")
        assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json"), missing
        assert answer.headers["Cache-Control"] == "no-store", "a file that was lost may come back"
    beyond = http.get("/media/a.svg?accel=/_media/a.svg", headers={"Range": "bytes=999-"})
    assert (beyond.status_code, beyond.json()["code"]) == (416, "range_not_satisfiable")
    ignored = http.get("/media/a.svg?accel=/_media/a.svg", headers={"Range": "pictures=0-1"})
    assert (ignored.status_code, ignored.text) == (200, "<svg/>"), "RFC 9110, 14.2"


def test_only_the_socket_path_is_upgraded(gateway: Gateway) -> None:
    """The stub responds with 200 to the handshake; the test checks which server got it, with which headers."""
    with pytest.raises(InvalidStatus) as refused:
        connect(f"{gateway.url.replace('http', 'ws', 1)}/ws/notifications/", subprotocols=["bearer", "x"])  # type: ignore[list-item]
    received = json.loads(refused.value.response.body)
    assert received["server"] == "sockets"
    assert (received["headers"]["upgrade"], received["headers"]["connection"]) == ("websocket", "upgrade")
    assert received["headers"]["sec-websocket-protocol"] == "bearer, x"


def test_the_gateway_does_not_reveal_its_version(http: httpx.Client) -> None:
    assert http.get("/v1/feed").headers["Server"] == "nginx"
