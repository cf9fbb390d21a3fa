"""Failures of calls between two services, and how the caller handles them."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from socialapp.contracts.users import ProfileSummary, Users
from socialapp.core.contexts import CONTEXTS
from socialapp.core.errors import NotFound, Unavailable
from socialapp.rpc import calls
from socialapp.rpc.calls import CALL_REFUSED, client

Answer = Callable[[BaseHTTPRequestHandler], tuple[int, object, dict[str, str]]]
_CARD = {"id": 1, "username": "ada", "full_name": "Ada", "profile_picture": ""}


class Other(ThreadingHTTPServer):
    """The other service: it returns what the test sets, and counts its calls."""

    daemon_threads = True

    def __init__(self) -> None:
        server = self
        self.asked = 0
        self.answer: Answer = lambda request: (200, [_CARD], {})

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                server.asked += 1
                status, body, headers = server.answer(self)
                content = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.do_GET()

            def log_message(self, *args: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)


@pytest.fixture
def other(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[Other]:
    """The users context, served by another service."""
    server = Other()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(calls, "serves", lambda name: False)
    settings.SERVICE_URLS = dict.fromkeys(CONTEXTS, f"http://127.0.0.1:{server.server_port}")
    settings.CALL_TIMEOUT = 20.0
    calls._client.cache_clear()
    calls._breaker.cache_clear()
    yield server
    server.shutdown()
    server.server_close()
    calls._client.cache_clear()
    calls._breaker.cache_clear()
    for http in calls._http.values():
        http.close()
    calls._http.clear()


def problem(status: int, code: str, **headers: str) -> Answer:
    """A problem as the other side would return it."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request: (status, {"detail": "so it is", "code": code, "errors": []}, named)


def profiles() -> list[ProfileSummary]:
    return client(Users).profiles(ids=[1])


def test_a_refused_service_token_is_unavailable_instead_of_401(other: Other) -> None:
    other.answer = problem(401, "token_invalid", **{CALL_REFUSED.replace("-", "_"): "yes"})
    with pytest.raises(Unavailable) as caught:
        profiles()
    assert (caught.value.code, caught.value.retry_after) == ("users_unavailable", 2)


def test_a_context_that_is_not_served_there_is_not_reported_as_not_found(other: Other) -> None:
    other.answer = problem(404, "not_found", **{CALL_REFUSED.replace("-", "_"): "yes"})
    with pytest.raises(Unavailable):
        profiles()
    other.answer = problem(404, "not_found")
    with pytest.raises(NotFound):
        profiles()


def test_a_call_that_the_other_release_does_not_know_does_not_open_the_breaker(other: Other) -> None:
    """The calls that it knows keep working."""
    other.answer = problem(404, "not_found", **{CALL_REFUSED.replace("-", "_"): "yes"})
    for _ in range(3):
        with pytest.raises(Unavailable):
            profiles()
    assert other.asked == 9, "reads are retried: another process may know the call already"
    other.answer = lambda request: (200, [_CARD], {})
    assert [card.username for card in profiles()] == ["ada"]


def test_an_outage_further_downstream_does_not_open_the_breaker(other: Other) -> None:
    other.answer = problem(503, "auth_unavailable", Retry_After="7")
    for _ in range(8):
        with pytest.raises(Unavailable) as caught:
            profiles()
        assert (caught.value.code, caught.value.retry_after) == ("auth_unavailable", 7)
    assert other.asked == 8, "one attempt each time, and the breaker stays closed"
    other.answer = lambda request: (200, [_CARD], {})
    assert [card.username for card in profiles()] == ["ada"]


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_failed_call_is_retried_and_then_unavailable(other: Other, status: int) -> None:
    answers: Iterator[tuple[int, Any, dict[str, str]]] = iter(
        [(status, b"<html>", {}), (status, b"", {}), (200, [_CARD], {})]
    )
    other.answer = lambda request: next(answers)
    assert [card.username for card in profiles()] == ["ada"]
    assert other.asked == 3
    other.answer = lambda request: (status, b"<html>", {})
    with pytest.raises(Unavailable):
        profiles()


def hang_up(request: BaseHTTPRequestHandler) -> tuple[int, object, dict[str, str]]:
    """The connection is cut instead of a response."""
    request.connection.shutdown(socket.SHUT_RDWR)
    raise ConnectionAbortedError


@pytest.mark.parametrize("answer", [lambda request: (500, b"", {}), hang_up], ids=["a fault", "a cut connection"])
def test_reads_are_retried_and_writes_are_not(other: Other, answer: Answer) -> None:
    other.answer = answer
    with pytest.raises(Unavailable):
        profiles()
    assert other.asked == 3
    with pytest.raises(Unavailable):
        client(Users).hide(user_id=1)
    assert other.asked == 4, "the write may have succeeded"


def test_a_response_in_small_pieces_is_bound_by_the_deadline_too(other: Other, settings: Any) -> None:
    gone_on = threading.Event()

    def trickle(request: BaseHTTPRequestHandler) -> tuple[int, object, dict[str, str]]:
        request.send_response(200)
        request.send_header("Content-Length", "1000")
        request.end_headers()
        for _ in range(1000):
            request.wfile.write(b" ")
            if gone_on.wait(0.1):
                break
        raise ConnectionAbortedError

    other.answer = trickle
    settings.CALL_TIMEOUT = 1.5  # enough for a busy machine to begin
    with pytest.raises(Unavailable):
        profiles()
    gone_on.set()
    assert other.asked == 1, "no time was left for a second attempt"


def test_the_deadline_of_a_nested_call_is_shorter_than_its_callers(other: Other) -> None:
    timeouts: list[float] = []

    def note(request: BaseHTTPRequestHandler) -> tuple[int, object, dict[str, str]]:
        timeouts.append(float(request.headers[calls.REQUEST_TIMEOUT]))
        return 200, [_CARD], {}

    other.answer = note
    profiles()
    with calls.deadline(8.0):
        profiles()
    with calls.deadline(1000.0):
        profiles()
    assert timeouts[1] <= 6 < timeouts[0] <= 20, "three quarters of the remaining time, or the whole deadline"
    assert 6 < timeouts[2] <= 20, "no longer than its own deadline"
    with calls.deadline(0.000_001), pytest.raises(Unavailable):
        profiles()
    assert len(timeouts) == 3, "there was no time left for the call"


def test_all_retries_together_keep_the_deadline(other: Other, settings: Any) -> None:
    timeouts: list[float] = []
    given_up = threading.Event()

    def fail_then_hang(request: BaseHTTPRequestHandler) -> tuple[int, object, dict[str, str]]:
        timeouts.append(float(request.headers[calls.REQUEST_TIMEOUT]))
        if len(timeouts) > 1:
            given_up.wait(60)
        return 500, b"", {}

    other.answer = fail_then_hang
    settings.CALL_TIMEOUT = 3.0
    with pytest.raises(Unavailable):
        profiles()
    given_up.set()
    first, second = timeouts
    assert second < first, "one attempt and the time left for a second, not two full attempts"


def test_calls_of_different_threads_do_not_block_each_other(other: Other, settings: Any) -> None:
    all_have_asked = threading.Barrier(8)

    def wait_for_the_others(request: BaseHTTPRequestHandler) -> tuple[int, object, dict[str, str]]:
        all_have_asked.wait(20)
        return 200, [_CARD], {}

    other.answer = wait_for_the_others
    settings.CALL_TIMEOUT = 25
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: profiles(), range(8)))
    assert len(answers) == 8


def test_after_failures_one_call_probes_the_breaker_and_others_wait_for_it(other: Other) -> None:
    other.answer = lambda request: (500, b"", {})
    for _ in range(3):
        with pytest.raises(Unavailable):
            profiles()
    asked = other.asked
    assert asked == 5, "three attempts, then two, then the breaker is open"
    other.answer = lambda request: (200, [_CARD], {})
    time.sleep(calls.OPEN_SECONDS + 0.1)
    assert profiles()
    assert profiles()
    assert other.asked == asked + 2
