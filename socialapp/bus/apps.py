"""The Django app of the bus: its tables exist in every context's database."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules

from socialapp.calls import serve
from socialapp.contexts import served
from socialapp.contracts.bus import Inbox, Journeys
from socialapp.contracts.description import Description
from socialapp.contracts.personal import PersonalData
from socialapp.contracts.residue import Residues


class BusConfig(AppConfig):
    """Loads the handlers of the served contexts, and serves the contracts that every context serves."""

    name = "socialapp.bus"
    label = "bus"
    verbose_name = "Event bus"

    def ready(self) -> None:
        """Registers every served context's handlers, and what every context answers."""
        import socialapp.checks  # noqa: F401  (registers them)
        from socialapp.api.whole_schema import ContextDescription
        from socialapp.bus.inbox import ContextInbox
        from socialapp.bus.journey import ContextJourneys
        from socialapp.celery import configure  # importing it makes it the app that shared tasks belong to
        from socialapp.personal import ContextPersonalData
        from socialapp.residue import ContextResidues

        autodiscover_modules("handlers")
        for context in served():
            serve(Description, ContextDescription(), context=context.name)
            serve(Inbox, ContextInbox(context.name), context=context.name)
            serve(Journeys, ContextJourneys(context.name), context=context.name)
            serve(PersonalData, ContextPersonalData(context.name), context=context.name)
            serve(Residues, ContextResidues(context.name), context=context.name)
        configure()
