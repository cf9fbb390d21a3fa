"""The Django app of the event bus: its tables exist in every context's database."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules

from socialapp.contracts.messaging import Inbox, RequestTraces
from socialapp.core.contexts import served
from socialapp.rpc.calls import serve


class MessagingConfig(AppConfig):
    """Loads the handlers of the served contexts, and serves the contracts about events."""

    name = "socialapp.messaging"
    label = "bus"
    verbose_name = "Event bus"

    def ready(self) -> None:
        """Registers the handlers, the inboxes and the request traces of all served contexts."""
        from socialapp.messaging.inbox import ContextInbox
        from socialapp.messaging.request_trace import ContextRequestTraces

        autodiscover_modules("handlers")
        for context in served():
            serve(Inbox, implementation=ContextInbox(context.name), context=context.name)
            serve(RequestTraces, implementation=ContextRequestTraces(context.name), context=context.name)
