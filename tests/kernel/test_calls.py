"""Typed calls between contexts have the same results and the same problems in process and over HTTP."""

import socket
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Protocol

import jwt
import pytest
from django.conf import settings
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler

from socialapp.contracts import registry
from socialapp.contracts.base import data, read, service, write
from socialapp.core.errors import Invalid, NotFound, Unavailable
from socialapp.rpc import calls
from socialapp.rpc.calls import client, serve, service_token, verify_service_token
from tests.scenarios.product import free_port


@data
class Weather:
    """A data class that the test service returns."""

    city: str
    degrees: float
    at: datetime
    stations: list[int]


@service("metrics")
class Forecasts(Protocol):
    """A contract that only these tests use."""

    @read
    def weather(self, *, city: str, station: int | None) -> Weather: ...

    @write
    def note(self, *, cities: list[str]) -> int: ...


class RealForecasts:
    """Its implementation."""

    def weather(self, *, city: str, station: int | None) -> Weather:
        if city == "atlantis":
            raise NotFound("it has sunk", code="sunken")
        if city == "crash":
            raise RuntimeError("a fault")
        return Weather(city=city, degrees=21.5, at=datetime(2026, 1, 2, tzinfo=UTC), stations=[1, 2**62])

    def note(self, *, cities: list[str]) -> int:
        if not cities:
            raise Invalid.of("cities", "required", "name a city")
        return len(cities)


class _QuietHandler(WSGIRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(params=["in process", "http"])
def forecasts(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Forecasts]:
    """A client of the contract over either transport."""
    import threading

    from django.test import override_settings

    from socialapp.wsgi import application

    monkeypatch.setitem(registry.CONTRACTS, "Forecasts", Forecasts)
    serve(Forecasts, implementation=RealForecasts())
    calls._client.cache_clear()
    calls._breaker.cache_clear()
    if request.param == "in process":
        yield client(Forecasts)
    else:
        server = ThreadedWSGIServer(("127.0.0.1", 0), _QuietHandler)
        server.set_app(application)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        monkeypatch.setattr(calls, "serves", lambda name: False)
        urls = {**settings.SERVICE_URLS, "metrics": f"http://127.0.0.1:{server.server_port}"}
        with override_settings(SERVICE_URLS=urls, CALL_TIMEOUT=20.0):
            yield client(Forecasts)
        server.shutdown()
        server.server_close()
    calls._client.cache_clear()


def test_results_are_the_same_data_classes(forecasts: Forecasts) -> None:
    answer = forecasts.weather(city="Zürich & Bern", station=None)
    assert answer == Weather(
        city="Zürich & Bern", degrees=21.5, at=datetime(2026, 1, 2, tzinfo=UTC), stations=[1, 2**62]
    )
    assert forecasts.note(cities=["a", "b"]) == 2


def test_problems_are_the_same_exceptions(forecasts: Forecasts) -> None:
    with pytest.raises(NotFound) as caught:
        forecasts.weather(city="atlantis", station=3)
    assert (caught.value.code, caught.value.detail) == ("sunken", "it has sunk")
    with pytest.raises(Invalid) as refused:
        forecasts.note(cities=[])
    assert [(error.field, error.code) for error in refused.value.errors] == [("cities", "required")]


def test_a_service_that_is_down_is_unavailable_and_the_circuit_breaker_opens(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.setattr(calls, "serves", lambda name: False)
    monkeypatch.setattr(calls, "OPEN_SECONDS", 600)
    calls._client.cache_clear()
    calls._breaker.cache_clear()
    port = free_port()
    settings.SERVICE_URLS = {**settings.SERVICE_URLS, "metrics": f"http://127.0.0.1:{port}"}
    for _ in range(4):
        with pytest.raises(Unavailable):
            client(Forecasts).weather(city="x", station=None)
    with socket.create_server(("127.0.0.1", port)) as server:
        with pytest.raises(Unavailable):
            client(Forecasts).weather(city="x", station=None)
        server.setblocking(False)
        with pytest.raises(BlockingIOError):  # no connection was made: the breaker is open
            server.accept()
    calls._client.cache_clear()
    calls._breaker.cache_clear()


def test_a_service_token_is_for_one_audience_only() -> None:
    token = service_token("posts")
    assert verify_service_token(token, audience="posts") == settings.SERVICE_NAME
    with pytest.raises(jwt.InvalidTokenError):
        verify_service_token(token, audience="users")


def token(*, key: str = "", algorithm: str = "HS256", seconds: int = 60, leaving_out: str = "", **claims: Any) -> str:
    """A service token for metrics, issued now and valid, except for the claims given."""
    now = int(time.time())
    made = {"iss": "posts", "aud": "internal:metrics", "iat": now, "exp": now + seconds, **claims}
    made.pop(leaving_out, None)
    return jwt.encode(made, key or (None if algorithm == "none" else settings.SERVICE_SECRET), algorithm=algorithm)  # type: ignore[arg-type]


def status_with(header: str) -> int:
    """The status of a call to metrics with this Authorization header."""
    from django.test import Client

    body = b'{"events": []}'
    answer = Client().post(
        "/internal/metrics/Inbox/missing", body, content_type="application/json", headers={"Authorization": header}
    )
    assert (answer.status_code == 401) == (calls.CALL_REFUSED in answer.headers)
    return answer.status_code


@pytest.mark.django_db(databases=["metrics"])
def test_a_valid_service_token_is_accepted() -> None:
    assert status_with(f"Bearer {token()}") == 200
    ahead = int(time.time()) + 5
    assert status_with(f"Bearer {token(iat=ahead, exp=ahead + 60)}") == 200, "clocks differ"


REFUSED: dict[str, Callable[[], str]] = {
    "nothing": lambda: "",
    "no token": lambda: "Bearer x",
    "of another service": lambda: f"Bearer {token(aud='internal:posts')}",
    "for everybody": lambda: f"Bearer {token(leaving_out='aud')}",
    "of nobody": lambda: f"Bearer {token(leaving_out='iss')}",
    "expired": lambda: f"Bearer {token(iat=int(time.time()) - 90, exp=int(time.time()) - 30)}",
    "good for ever": lambda: f"Bearer {token(leaving_out='exp')}",
    "good for an hour": lambda: f"Bearer {token(seconds=3600)}",
    "signed with another key": lambda: f"Bearer {token(key='k' * 40)}",
    "not signed": lambda: f"Bearer {token(algorithm='none')}",
    "signed by who made access tokens": lambda: (
        f"Bearer {token(algorithm='RS256', key=settings.JWT_PRIVATE_KEY.replace(chr(92) + 'n', chr(10)))}"
    ),
}


@pytest.mark.django_db(databases=["metrics"])
@pytest.mark.parametrize("kind", REFUSED)
def test_internal_paths_refuse_callers_without_a_service_token(kind: str) -> None:
    assert status_with(REFUSED[kind]()) == 401
