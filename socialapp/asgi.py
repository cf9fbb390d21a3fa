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

from socialapp.contexts import served


def _socket_routes() -> list[URLPattern]:
    """The `websocket_urlpatterns` that served contexts define in their sockets.py."""
    routes: list[URLPattern] = []
    for context in served():
        if find_spec(f"{context.app}.sockets"):
            routes.extend(import_module(f"{context.app}.sockets").websocket_urlpatterns)
    return [*routes, re_path("", _no_such_socket)]  # type: ignore[arg-type]


async def _no_such_socket(scope: Any, receive: Any, send: Any) -> None:
    """Refuses the handshake (403) on paths that no context has."""
    await receive()
    await send({"type": "websocket.close"})


_sockets = URLRouter(_socket_routes())  # type: ignore[no-untyped-call]
application = ProtocolTypeRouter({"websocket": _sockets})  # type: ignore[no-untyped-call]
