"""Fixtures of the gateway tests: a gateway in front of one stub server per context, which echoes requests."""

import time
from collections.abc import Callable, Iterator
from functools import cache

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from socialapp.core.contexts import CONTEXTS
from socialapp.http.tokens import ALGORITHM
from tests.gateway.nginx import Gateway
from tests.gateway.stub import Stub

_FORM = {"type", "title", "status", "detail", "code", "errors"}


@pytest.fixture(autouse=True)
def _empty_redis() -> None:
    """Does nothing: the product behind the gateway keeps its queues in Redis."""


@pytest.fixture(scope="package")
def stubs() -> Iterator[dict[str, Stub]]:
    """A server per context, and one for the sockets."""
    started = {name: Stub(name) for name in (*CONTEXTS, "sockets")}
    yield started
    for stub in started.values():
        stub.stop()


@pytest.fixture(scope="package")
def make_gateway(stubs: dict[str, Stub], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Gateway]]:
    """Starts gateways in front of these servers with the given variables."""
    made: list[Gateway] = []

    def make(**variables: str) -> Gateway:
        upstreams = {f"{name.upper()}_UPSTREAM": stub.address for name, stub in stubs.items()}
        gateway = Gateway(tmp_path_factory.mktemp("gateway"), {**upstreams, "ALLOWED_HOSTS": "*", **variables})
        made.append(gateway)
        gateway.start()
        return gateway

    yield make
    for gateway in made:
        gateway.stop()


@pytest.fixture(scope="package")
def gateway(make_gateway: Callable[..., Gateway], tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    """The gateway, without rate limits."""
    media = tmp_path_factory.mktemp("media")
    (media / "a.svg").write_text("<svg/>")
    return make_gateway(RATE_LIMITS="off", GATEWAY_MEDIA_ROOT=str(media), GATEWAY_TIMEOUT="30s")


@pytest.fixture(scope="package")
def http(gateway: Gateway) -> Iterator[httpx.Client]:
    """A client of the gateway."""
    with httpx.Client(base_url=gateway.url, timeout=60) as client:
        yield client


@cache
def stranger() -> RSAPrivateKey:
    """A key that the product does not know."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def token(*, seconds: float = 600, **claims: object) -> str:
    """A token that looks valid without a check of its signature."""
    return jwt.encode({"sub": "1", "exp": int(time.time() + seconds), **claims}, stranger(), algorithm=ALGORITHM)


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a response that must be a problem."""
    assert answer.headers["Content-Type"] == "application/problem+json", answer.text
    body = answer.json()
    assert body.keys() == _FORM
    assert (body["status"], body["errors"]) == (answer.status_code, [])
    assert body["type"] == f"urn:socialapp:problem:{body['code']}"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Request-ID"]
    return answer.status_code, str(body["code"])
