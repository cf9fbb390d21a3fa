"""The Django app of what REST views share: its idempotency table exists in every context's database."""

from django.apps import AppConfig

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
            serve(Description, ContextDescription(), context=context.name)
