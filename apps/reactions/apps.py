"""The Django app of the reactions context."""

from django.apps import AppConfig

from socialapp.contracts.bulk import BulkTransfer, PopulationTables
from socialapp.contracts.drift import DriftChecks
from socialapp.contracts.reactions import Reactions
from socialapp.rpc.calls import serve


class ReactionsConfig(AppConfig):
    """Registers the services that reactions provides to the other contexts."""

    name = "apps.reactions"
    label = "reactions"
    verbose_name = "Reactions"

    def ready(self) -> None:
        """Serves the contracts."""
        from apps.reactions.service import POPULATION, ReactionsBulkTransfer, ReactionsDriftChecks, ReactionsService

        serve(Reactions, implementation=ReactionsService())
        serve(BulkTransfer, implementation=ReactionsBulkTransfer(), context="reactions")
        serve(DriftChecks, implementation=ReactionsDriftChecks(), context="reactions")
        serve(PopulationTables, implementation=POPULATION, context="reactions")
