"""The event bus in the admin site: the state of every context's events, dead letters, and a button to replay them."""

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern

from socialapp.core.contexts import served
from socialapp.http.admin import ContextModelAdmin
from socialapp.lifecycle.runs import last_runs
from socialapp.messaging.models import FailedDelivery
from socialapp.messaging.operations import dead_letters, replay, status


@admin.register(FailedDelivery)
class BusAdmin(ContextModelAdmin[FailedDelivery]):
    """One page over all contexts: their tables are in different databases, so Django's change list cannot show them
    all."""

    def get_urls(self) -> list[URLPattern]:
        """Only that page's URL: Django's pages for single rows do not know which database to use."""
        return [pattern for pattern in super().get_urls() if str(pattern.name).endswith("_changelist")]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
        """Shows the state of the bus; POST replays the chosen event, or all of a context."""
        if not self.has_view_permission(request):
            return HttpResponse(status=403)
        if request.method == "POST":
            return self._replay(request)
        names = [context.name for context in served()]
        page = {
            **self.admin_site.each_context(request),
            "title": "Event bus",
            "contexts": [status(name) for name in names],
            "runs": last_runs(),
            "letters": [letter for name in names for letter in dead_letters(name)],
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/bus/dead_letters.html", page)

    def _replay(self, request: HttpRequest) -> HttpResponse:
        context, event = request.POST.get("context", ""), request.POST.get("event", "")
        if context not in {known.name for known in served()} or not (event == "" or event.isdecimal()):
            messages.error(request, "There is no such delivery.")
        else:
            count = replay(context, event_id=int(event) if event else None)
            messages.success(request, f"{count} deliveries of {context} are due again.")
        return HttpResponseRedirect(request.path)
