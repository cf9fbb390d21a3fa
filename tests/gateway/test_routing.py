"""Every path of a context is routed to that context, and internal paths are not reachable."""

import re
from importlib import import_module

import httpx
import pytest

from socialapp.core.contexts import CONTEXTS
from tests.gateway.nginx import Gateway

_PLACES = {"id": "117664673366887552", "str": "x", "slug": "google", "path": "a/b.webp"}


def paths_of(context: str) -> list[str]:
    """All paths in a context's urls.py, with example values for their parameters."""
    import_module("socialapp.urls")  # registers the converters
    module = import_module(f"apps.{context}.urls")
    routes = [f"/v1/{pattern.pattern}" for pattern in module.urlpatterns]
    at_root = [f"/{pattern.pattern}" for pattern in getattr(module, "root_urlpatterns", [])]
    routes += [route for route in at_root if not route.startswith("/internal/")]
    return [re.sub(r"<(\w+):\w+>", lambda found: _PLACES[found.group(1)], route) for route in routes]


@pytest.mark.parametrize("context", CONTEXTS)
def test_every_path_of_a_context_is_routed_to_it(http: httpx.Client, context: str) -> None:
    paths = paths_of(context)
    assert paths
    for path in paths:
        for form in (path, path + "/", path + "?limit=3", path + "?after=/../x#"):
            assert http.get(form).json()["server"] == context, form


@pytest.mark.parametrize(
    "path", ["/", "/admin/", "/static/x.css", "/v1/schema", "/v1/docs", "/health/ready", "/v1/new"]
)
def test_other_paths_are_routed_to_auth(http: httpx.Client, path: str) -> None:
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
        "/Internal/users/Users/profiles",
        "/METRICS",
        "/metrics.",
        "/metrics%20",
        "/metrics;x",
        "/metrics#x",
        "/metrics?x",
        "/internal%2fusers/Users/profiles",
        "/internal/../v1/feed",
        "/internal/%2E%2e/v1/feed",
        "/internal/..%2fv1/feed",
        "/internal/users/Users/../../../ws/notifications/",
        "/metrics/..",
        "/v1/feed#/../../metrics",
        "/v1/feed/%2e?x",
        "http://x/internal/users/Users/profiles",
        "http://x//metrics",
        "HTTP://x/metrics",
        "/_media/a.svg",
        "/__problem/429",
    ],
)
def test_internal_paths_are_not_reachable(gateway: Gateway, path: str) -> None:
    """In any spelling and with any Host header."""
    for host in ("x", "127.0.0.1:8001", "web", "localhost"):
        answer = gateway.exchange(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        head, _, body = answer.partition("\r\n\r\n")
        assert head.startswith("HTTP/1.1 404"), head
        assert "application/problem+json" in head
        assert '"code": "not_found"' in body


def test_the_gateway_has_a_health_check(http: httpx.Client) -> None:
    assert http.get("/health/gateway").json() == {"status": "live"}
