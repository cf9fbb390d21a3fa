"""The Django app of the comments context."""

from django.apps import AppConfig


class CommentsConfig(AppConfig):
    """Registers the services that comments provides to the other contexts."""

    name = "apps.comments"
    label = "comments"
    verbose_name = "Comments"

    def ready(self) -> None:
        """Serves the contracts."""
        from apps.comments.service import POPULATION, CommentRecords, CommentsProjections, CommentsService
        from socialapp.contracts.bulk import BulkTransfer, PopulationTables
        from socialapp.contracts.comments import Comments
        from socialapp.contracts.drift import DriftChecks
        from socialapp.rpc.calls import serve

        serve(Comments, implementation=CommentsService())
        serve(BulkTransfer, implementation=CommentRecords(), context="comments")
        serve(DriftChecks, implementation=CommentsProjections(), context="comments")
        serve(PopulationTables, implementation=POPULATION, context="comments")
