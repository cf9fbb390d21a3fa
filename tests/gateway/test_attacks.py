"""Attacks: request smuggling, spoofed headers, slow clients."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.gateway.conftest import problem, token
from tests.gateway.nginx import Gateway
from tests.gateway.stub import Stub

_HEAD = "POST /v1/posts HTTP/1.1\r\nHost: x\r\n"
_HIDDEN = "GET /v1/hidden HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize(
    "rest",
    [
        f"Content-Length: 3\r\nContent-Length: {3 + len(_HIDDEN)}\r\n\r\nabc{_HIDDEN}",
        f"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc{_HIDDEN}",
        f"Content-Length: 3, 3\r\n\r\nabc{_HIDDEN}",
        f"Content-Length: +3\r\n\r\nabc{_HIDDEN}",
        f"Content-Length: -1\r\n\r\nabc{_HIDDEN}",
        f"Content-Length: 0x3\r\n\r\nabc{_HIDDEN}",
        f"Content-Length : 3\r\n\r\nabc{_HIDDEN}",
        f"Content-Length: {5 + len(_HIDDEN)}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{_HIDDEN}",
        f"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n{_HIDDEN}",
        f"Content-Length: 5\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n{_HIDDEN}",
        f"Content-Length: 5\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{_HIDDEN}",
        f"Content-Length: 5\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n{_HIDDEN}",
        f"Content-Length: 5\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n{_HIDDEN}",
        f"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n{_HIDDEN}",
        f"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n{_HIDDEN}",
        f"Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n{_HIDDEN}",
        f"Transfer-Encoding: chunked\r\n\r\n{'F' * 17}\r\nabc\r\n0\r\n\r\n{_HIDDEN}",
        f"X-Folded: a\r\n b\r\n\r\n{_HIDDEN}",
        f"X-Split: a\rX-Forwarded-For: 1.2.3.4\r\n\r\n{_HIDDEN}",
        f"X-Nul: a\0b\r\n\r\n{_HIDDEN}",
    ],
)
def test_an_ambiguous_request_is_rejected(gateway: Gateway, stubs: dict[str, Stub], rest: str) -> None:
    before = list(stubs["posts"].seen)
    answer = gateway.exchange((_HEAD + rest).encode())
    assert answer.startswith("HTTP/1.1 400"), answer
    assert answer.count("HTTP/1.1 ") == 1, "the smuggled request gets no response"
    assert "application/problem+json" in answer
    assert stubs["posts"].seen == before


def test_the_body_of_a_get_is_not_parsed_as_a_request(gateway: Gateway, stubs: dict[str, Stub]) -> None:
    head = f"GET /v1/feed HTTP/1.1\r\nHost: x\r\nContent-Length: {len(_HIDDEN)}\r\nConnection: close\r\n\r\n"
    assert f'"received": {len(_HIDDEN)}' in gateway.exchange((head + _HIDDEN).encode())
    assert "GET /v1/hidden HTTP/1.1" not in stubs["posts"].seen


def test_every_pipelined_request_is_checked(gateway: Gateway) -> None:
    first = "GET /v1/feed HTTP/1.1\r\nHost: x\r\n"
    last = "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    for more in ("", "Upgrade: websocket\r\nConnection: upgrade\r\n", "Upgrade: h2c\r\nConnection: upgrade\r\n"):
        answer = gateway.exchange(f"{first}{more}\r\n{last}".encode())
        found = [line.split()[1] for line in answer.replace("}HTTP", "}\r\nHTTP").splitlines() if line[:5] == "HTTP/"]
        assert found == ["200", "404"], answer


def test_unknown_http_versions_get_400(gateway: Gateway) -> None:
    answer = gateway.exchange(b"GET /v1/feed HTTP/3.0\r\nHost: x\r\n\r\n")
    assert answer.startswith("HTTP/1.1 400"), "no client input may cause a 5xx"
    assert '"code": "malformed"' in answer


@pytest.mark.parametrize("name", ["Authorization", "authorization"])
def test_a_request_with_two_tokens_is_rejected(gateway: Gateway, stubs: dict[str, Stub], name: str) -> None:
    before = list(stubs["posts"].seen)
    pair = f"Authorization: Bearer {token()}\r\n{name}: Bearer {token(sub='2')}\r\n"
    answer = gateway.exchange(f"GET /v1/feed HTTP/1.1\r\nHost: x\r\n{pair}Connection: close\r\n\r\n".encode())
    assert answer.split()[1] in ("400", "401"), answer
    assert stubs["posts"].seen == before


def test_repeated_spoofed_headers_are_replaced(gateway: Gateway) -> None:
    lies = (
        "X-Forwarded-For: 1.1.1.1\r\nx-forwarded-for: 2.2.2.2\r\nX-FORWARDED-PROTO: https\r\n"
        "X-Request-ID: <script>\r\nX-Request-ID: <script>\r\nX-Real-IP: 1.1.1.1\r\nX-Real-Ip: 1.1.1.1\r\n"
    )
    answer = gateway.exchange(f"GET /v1/feed HTTP/1.1\r\nHost: x\r\n{lies}Connection: close\r\n\r\n".encode())
    assert '"x-forwarded-for": "127.0.0.1"' in answer
    assert '"x-forwarded-proto": "http"' in answer
    assert "1.1.1.1" not in answer
    assert "script" not in answer


def test_slow_requests_are_aborted(gateway: Gateway, stubs: dict[str, Stub]) -> None:
    """Headers that never end and bodies that never arrive, concurrently."""
    before = list(stubs["posts"].seen)
    unfinished = [b"GET /v1/feed HTTP/1.1\r\nHost: x\r\nX-Slow: ", _HEAD.encode() + b"Content-Length: 10\r\n\r\nabc"]
    with ThreadPoolExecutor(len(unfinished)) as pool:
        answers = list(pool.map(gateway.exchange, unfinished))
    assert not any("200 OK" in answer for answer in answers)
    assert stubs["posts"].seen == before


def test_rate_limits_apply_to_sockets_too(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(GATEWAY_RATE_TOKEN="1000", GATEWAY_RATE_ADDRESS="1")
    started = time.monotonic()
    answers = [httpx.get(f"{gateway.url}/ws/notifications/", timeout=30) for _ in range(20)]
    passed = time.monotonic() - started
    refused = [answer for answer in answers if answer.status_code == 429]
    assert 16 - passed <= len(refused) <= 17, "one request, a burst of two, and one more per second"
    assert problem(refused[0]) == (429, "rate_limited")
