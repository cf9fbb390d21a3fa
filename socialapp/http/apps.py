"""The Django app of what REST views share: its idempotency table exists in every context's database."""

from django.apps import AppConfig
from django.conf import settings
from django.core.signals import request_started
from django.db import close_old_connections, reset_queries

from socialapp.contracts.description import Description
from socialapp.core.contexts import served
from socialapp.rpc.calls import serve


class HttpConfig(AppConfig):
    """Idempotency keys live beside the writes that they protect."""

    name = "socialapp.http"
    label = "api"
    verbose_name = "API"

    def ready(self) -> None:
        """Serves the description of each served context's part of the API."""
        from socialapp.http.whole_schema import ContextDescription

        for context in served():
            serve(Description, implementation=ContextDescription(), context=context.name)
        _look_at_connections_once()


def _look_at_connections_once() -> None:
    """Has Django look for old connections after a request only, not before it too, and for logged queries in DEBUG.

    Each look goes over the connections of all contexts; together they take a tenth of a short request.
    """
    request_started.disconnect(close_old_connections)
    if not settings.DEBUG:
        request_started.disconnect(reset_queries)
