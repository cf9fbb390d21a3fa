"""Every path of every context reaches that context, and what is for machines inside reaches nobody."""

import re
import socket
from importlib import import_module

import httpx
import pytest

from socialapp.contexts import CONTEXTS
from tests.gateway.nginx import Gateway

_PLACES = {"id": "117664673366887552", "str": "x", "slug": "google", "path": "a/b.webp"}


def paths_of(context: str) -> list[str]:
    """All paths in a context's urls.py, with something put in for their variables."""
    import_module("socialapp.urls")  # registers the converters
    module = import_module(f"apps.{context}.urls")
    routes = [f"/v1/{pattern.pattern}" for pattern in module.urlpatterns]
    routes += [f"/{pattern.pattern}" for pattern in getattr(module, "root_urlpatterns", [])]
    return [re.sub(r"<(\w+):\w+>", lambda found: _PLACES[found.group(1)], route) for route in routes]


@pytest.mark.parametrize("context", CONTEXTS)
def test_every_path_of_a_context_reaches_it(http: httpx.Client, context: str) -> None:
    paths = paths_of(context)
    assert paths
    for path in paths:
        for form in (path, path + "/", path + "?limit=3"):
            assert http.get(form).json()["server"] == context, form


@pytest.mark.parametrize(
    "path", ["/", "/admin/", "/static/x.css", "/v1/schema", "/v1/docs", "/health/ready", "/v1/new"]
)
def test_what_no_context_owns_is_with_auth(http: httpx.Client, path: str) -> None:
    assert http.get(path).json()["server"] == "auth"


@pytest.mark.parametrize(
    "path",
    [
        "/metrics",
        "/metrics/",
        "/internal",
        "/internal/users/Users/profiles",
        "//internal/users/Users/profiles",
        "/%69nternal/users/Users/profiles",
        "/v1/../internal/users/Users/profiles",
        "/v1/%2e%2e/internal/users/Users/profiles",
        "/v1/..%2finternal/users/Users/profiles",
        "/./metrics",
        "/_media/a.svg",
        "/__problem/429",
    ],
)
def test_what_is_for_machines_is_not_there(gateway: Gateway, path: str) -> None:
    """Sent as it stands: a client library would tidy the path up."""
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=30) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    head, _, body = answer.partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 404"), head
    assert "application/problem+json" in head
    assert '"code": "not_found"' in body


def test_the_gateway_tells_that_it_lives(http: httpx.Client) -> None:
    assert http.get("/health/gateway").json() == {"status": "live"}
