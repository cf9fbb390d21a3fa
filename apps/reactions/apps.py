"""The Django app of the reactions context."""

from django.apps import AppConfig


class ReactionsConfig(AppConfig):
    """Registers what reactions serves to the other contexts."""

    name = "apps.reactions"
    label = "reactions"
    verbose_name = "Reactions"

    def ready(self) -> None:
        """Answers calls to the contracts."""
        from apps.reactions.service import ReactionRecords, ReactionsProjections, ReactionsService
        from socialapp.calls import serve
        from socialapp.contracts.projections import Projections
        from socialapp.contracts.reactions import Reactions
        from socialapp.contracts.records import Records

        serve(Reactions, ReactionsService())
        serve(Records, ReactionRecords(), context="reactions")
        serve(Projections, ReactionsProjections(), context="reactions")
