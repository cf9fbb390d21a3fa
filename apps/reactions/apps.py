"""The Django app of the reactions context."""

from django.apps import AppConfig


class ReactionsConfig(AppConfig):
    """Registers the services that reactions provides to the other contexts."""

    name = "apps.reactions"
    label = "reactions"
    verbose_name = "Reactions"

    def ready(self) -> None:
        """Serves the contracts."""
        from apps.reactions.service import POPULATION, ReactionRecords, ReactionsProjections, ReactionsService
        from socialapp.contracts.bulk import BulkTransfer, PopulationTables
        from socialapp.contracts.drift import DriftChecks
        from socialapp.contracts.reactions import Reactions
        from socialapp.rpc.calls import serve

        serve(Reactions, implementation=ReactionsService())
        serve(BulkTransfer, implementation=ReactionRecords(), context="reactions")
        serve(DriftChecks, implementation=ReactionsProjections(), context="reactions")
        serve(PopulationTables, implementation=POPULATION, context="reactions")
