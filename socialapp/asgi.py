"""The ASGI application of the `sockets` role: WebSockets only; REST is served over WSGI, five times cheaper."""

import os
from importlib import import_module
from importlib.util import find_spec
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "socialapp.settings")

import django

django.setup()

from channels.routing import ProtocolTypeRouter, URLRouter
from django.urls import URLPattern, re_path

from socialapp.core.contexts import served
from socialapp.core.json import to_json


def _socket_routes() -> list[URLPattern]:
    """The `websocket_urlpatterns` that served contexts define in their sockets.py."""
    routes: list[URLPattern] = []
    for context in served():
        if find_spec(f"{context.app}.sockets"):
            routes.extend(import_module(f"{context.app}.sockets").websocket_urlpatterns)
    return [*routes, re_path("", _no_such_socket)]  # type: ignore[arg-type]


async def _no_such_socket(scope: Any, receive: Any, send: Any) -> None:
    """Refuses the handshake (403) on unknown paths."""
    await receive()
    await send({"type": "websocket.close"})


async def _not_a_socket(scope: Any, receive: Any, send: Any) -> None:
    """Tells plain HTTP clients that these paths are WebSockets. Source: RFC 9110, 15.5.22."""
    body = {
        "type": "about:blank",
        "title": "Upgrade Required",
        "status": 426,
        "detail": "this path only accepts WebSockets",
        "code": "upgrade_required",
        "errors": [],
    }
    headers = [(b"content-type", b"application/problem+json"), (b"upgrade", b"websocket"), (b"connection", b"upgrade")]
    await send({"type": "http.response.start", "status": 426, "headers": headers})
    await send({"type": "http.response.body", "body": to_json(body)})


_sockets = URLRouter(_socket_routes())  # type: ignore[no-untyped-call]
application = ProtocolTypeRouter({"websocket": _sockets, "http": _not_a_socket})  # type: ignore[no-untyped-call]
