"""The Django app of what REST views share: its idempotency table exists in every context's database."""

from django.apps import AppConfig
from django.conf import settings
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, reset_queries
from django.db.backends.signals import connection_created

from socialapp.contracts.description import Description
from socialapp.core.contexts import served
from socialapp.core.db import close_old_opened, remember_opened
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
    """Has old connections looked for after a request only, not before it too, and logged queries in DEBUG.

    Each look of Django's goes over the connections of all contexts, and takes a twentieth of a short request: ours goes
    over those that there are.
    """
    request_started.disconnect(close_old_connections)
    request_finished.disconnect(close_old_connections)
    connection_created.connect(remember_opened)
    request_finished.connect(close_old_opened)
    if not settings.DEBUG:
        request_started.disconnect(reset_queries)
