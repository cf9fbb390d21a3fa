"""Attacks on a real `./run` that no browser would send: each is refused once, and no request is ambiguous."""

import gzip
import re
import socket
from typing import Any

import httpx
import pytest

from tests.run.installation import Installation
from tests.security.people import join

HOST = "Host: localhost\r\n"
_HIDDEN = f"GET /v1/hidden HTTP/1.1\r\n{HOST}Connection: close\r\n\r\n"
_CHUNKED = "Transfer-Encoding: chunked\r\n"
_BOMB = gzip.compress(b'{"login":"' + b"a" * 50_000_000 + b'"}')


def exchange(installation: Installation, request: str) -> tuple[list[int], bytes]:
    """The statuses of all responses to these bytes on one connection, and everything received."""
    received = b""
    with socket.create_connection(("127.0.0.1", int(installation.environment["PORT"])), timeout=20) as asked:
        asked.sendall(request.encode("latin-1"))
        while part := asked.recv(65_536):
            received += part
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d+)", received)], received


@pytest.mark.parametrize(
    "rest",
    [
        f"Content-Length: 3\r\nContent-Length: {3 + len(_HIDDEN)}\r\n\r\nabc{_HIDDEN}",
        f"Content-Length: 3, 3\r\n\r\nabc{_HIDDEN}",
        f"Content-Length: +3\r\n\r\nabc{_HIDDEN}",
        f"Content-Length: -1\r\n\r\nabc{_HIDDEN}",
        f"Content-Length: 0x3\r\n\r\nabc{_HIDDEN}",
        f"Content-Length : 3\r\n\r\nabc{_HIDDEN}",
        f"Content-Length: 5\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{_HIDDEN}",
        f"Content-Length: 5\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n{_HIDDEN}",
        f"Content-Length: 5\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n{_HIDDEN}",
        f"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n{_HIDDEN}",
        f"{_CHUNKED}Transfer-Encoding: identity\r\n\r\n0\r\n\r\n{_HIDDEN}",
        f"{_CHUNKED}\r\n0x3\r\nabc\r\n0\r\n\r\n{_HIDDEN}",
        f"{_CHUNKED}\r\n{'F' * 17}\r\nabc\r\n0\r\n\r\n{_HIDDEN}",
        f"{_CHUNKED}\r\n3\nabc\n0\n\n{_HIDDEN}",
        f'{_CHUNKED}\r\n3;a="\nb\r\nabc\r\n0\r\n\r\n{_HIDDEN}',
        f"{_CHUNKED}\r\n3\r\nabcXX0\r\n\r\n{_HIDDEN}",
        f"X-Split: a\rX-Forwarded-For: 1.2.3.4\r\n\r\n{_HIDDEN}",
        f"X-Nul: a\0b\r\n\r\n{_HIDDEN}",
    ],
)
def test_an_ambiguous_request_is_refused(installation: Installation, rest: str) -> None:
    head = f"POST /v1/auth/login HTTP/1.1\r\n{HOST}Content-Type: application/json\r\n"
    statuses, received = exchange(installation, head + rest)
    assert statuses in ([400], [501]), received  # 501: an unknown transfer coding. Source: RFC 9112, section 6.1
    assert b"hidden" not in received


@pytest.mark.parametrize(
    "rest", [f"Content-Length: {5 + len(_HIDDEN)}\r\n{_CHUNKED}", f"{_CHUNKED}Content-Length: 5\r\n"]
)
def test_transfer_encoding_overrides_content_length(installation: Installation, rest: str) -> None:
    """Each server in the chain reads two requests, whichever header comes first."""
    head = f"POST /v1/auth/login HTTP/1.1\r\n{HOST}Content-Type: application/json\r\n"
    statuses, received = exchange(installation, f"{head}{rest}\r\n2\r\n{{}}\r\n0\r\n\r\n{_HIDDEN}")
    assert statuses == [422, 404], received


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "", "localhost, evil.example", "localhost@evil.example", "evil.example/localhost",
        "localhost\r\nHost: evil.example", "localhost:abc", "localhost.evil.example",
    ],
)  # fmt: skip
def test_a_host_header_must_be_one_known_name(installation: Installation, host: str) -> None:
    statuses, received = exchange(
        installation, f"GET /v1/instance HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    )
    assert statuses == [400]
    assert b"evil" not in received


def test_a_request_line_with_another_host_is_refused(installation: Installation) -> None:
    line = "GET http://evil.example/v1/instance HTTP/1.1\r\n"
    assert exchange(installation, f"{line}{HOST}Connection: close\r\n\r\n")[0] == [400]


@pytest.mark.parametrize(
    "path",
    [
        "/internal/users/Users/profiles", "//internal/x", "/%69nternal/x", "/internal%2fx", "/v1/../internal/x",
        "/v1/..%2finternal/x", "/v1/%2e%2e/internal/x", "/v1/..;/internal/x", "/ws/../internal/x",
        "/metrics", "/metrics/", "//metrics", "/METRICS", "/./metrics", "/metrics;x", "/metrics%00", "/metrics%2f",
        "/%6detrics", "/metrics/.", "/\\metrics", "/ws/%2e%2e/metrics", "/.well-known/../metrics",
        "/static/../manage.py", "/static/..%2f..%2fmanage.py", "/static/%2e%2e/%2e%2e/etc/passwd",
        "/media/../secrets.env", "/media/1/..%2f..%2fsecrets.env", "/_media/x", "/_media/../secrets.env",
    ],
)  # fmt: skip
def test_internal_paths_are_unreachable(installation: Installation, path: str) -> None:
    statuses, received = exchange(installation, f"GET {path} HTTP/1.1\r\n{HOST}Connection: close\r\n\r\n")
    assert statuses == [404], received


def test_proxy_headers_from_clients_are_ignored(installation: Installation) -> None:
    lies = {
        "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "gopher", "Forwarded": "host=evil.example",
        "X-Forwarded-Prefix": "/evil", "X-Original-URL": "/admin/", "X-Rewrite-URL": "/admin/",
        "X-Accel-Redirect": "/_media/x", "Accept-Language": "evil", "X-Request-ID": "evil<script>",
    }  # fmt: skip
    for path in ("/", "/v1/explore?limit=1", "/v1/instance", "/admin/login/"):
        honest, lying = (httpx.get(installation.url + path, headers=headers) for headers in ({}, lies))
        assert lying.status_code == honest.status_code == 200, path
        for poison in ("evil", "gopher"):
            assert poison not in lying.text + str(lying.headers.multi_items()), (path, poison)


@pytest.mark.parametrize("suffix", ["/x.css", "%2fx.css", ";x.css", "%0ax.css", "%3fx.css", "/.css", "%00.css"])
def test_cacheable_paths_return_nothing_personal(installation: Installation, suffix: str) -> None:
    person = join(installation)
    answer = httpx.get(f"{installation.url}/v1/auth/me{suffix}", headers=person.headers)
    assert answer.status_code == 404
    assert person.name not in answer.text


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
def test_method_override_headers_are_ignored(installation: Installation, header: str) -> None:
    person = join(installation)
    made = httpx.post(f"{installation.url}/v1/posts", json={"content": "kept"}, headers=person.headers).json()
    url = f"{installation.url}/v1/posts/{made['id']}"
    body = {"_method": "DELETE"}
    answer = httpx.post(f"{url}?_method=DELETE", json=body, headers={**person.headers, header: "DELETE"})
    assert answer.status_code == 405
    assert httpx.get(url).status_code == 200
    for method in ("TRACE", "TRACK", "CONNECT", "DEBUG", "PURGE"):
        request = f"{method} /v1/instance HTTP/1.1\r\n{HOST}X-Secret: echoed\r\nConnection: close\r\n\r\n"
        statuses, received = exchange(installation, request)
        assert statuses == [405]
        assert b"echoed" not in received


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "x-gzip", "gzip, gzip"])
def test_compressed_bodies_are_not_decompressed(installation: Installation, coding: str) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": coding}
    answer = httpx.post(f"{installation.url}/v1/auth/login", content=_BOMB, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_type")


@pytest.mark.parametrize("count", [101, 1000, 5000])
def test_many_headers_and_parameters_are_refused(installation: Installation, count: int) -> None:
    many = "".join(f"X-H{number}: a\r\n" for number in range(count))
    assert exchange(installation, f"GET /v1/instance HTTP/1.1\r\n{HOST}{many}Connection: close\r\n\r\n")[0] == [431]
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for path in ("/admin/login/", "/v1/auth/login"):
        answer = httpx.post(installation.url + path, content="a=1&" * count, headers=form)
        assert answer.status_code in (400, 403, 415), path


def test_cookies_do_not_authenticate(installation: Installation) -> None:
    """Except to get a new token, which other sites cannot do."""
    person = join(installation)
    stolen = {"access": person.access, "sessionid": person.access, "refresh": person.refresh}
    assert httpx.get(f"{installation.url}/v1/auth/me", cookies=stolen).status_code == 401
    body = {"login": person.name, "password": person.password, "cookie": True}
    answer = httpx.post(f"{installation.url}/v1/auth/login", json=body)
    assert "refresh" not in answer.json()
    for cookie in answer.headers.get_list("Set-Cookie"):
        assert {"HttpOnly", "SameSite=Strict", "Path=/v1/auth"} <= set(cookie.split("; ")), cookie
    for headers in (
        {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": f"{installation.url}.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
    ):  # fmt: skip
        refused = _refresh(installation, answer.cookies, headers)
        assert refused.status_code == 403, headers
        assert "access" not in refused.text
    assert _refresh(installation, answer.cookies, {"Origin": installation.url}).status_code == 200


def _refresh(installation: Installation, cookies: Any, headers: dict[str, str]) -> httpx.Response:
    return httpx.post(f"{installation.url}/v1/auth/refresh", json={}, cookies=cookies, headers=headers)
