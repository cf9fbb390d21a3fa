"""The Django app of the comments context."""

from django.apps import AppConfig

from socialapp.contracts.bulk import BulkTransfer, PopulationTables
from socialapp.contracts.comments import Comments
from socialapp.contracts.drift import DriftChecks
from socialapp.rpc.calls import serve


class CommentsConfig(AppConfig):
    """Registers the services that comments provides to the other contexts."""

    name = "apps.comments"
    label = "comments"
    verbose_name = "Comments"

    def ready(self) -> None:
        """Serves the contracts."""
        from apps.comments.service import POPULATION, CommentsBulkTransfer, CommentsDriftChecks, CommentsService

        serve(Comments, implementation=CommentsService())
        serve(BulkTransfer, implementation=CommentsBulkTransfer(), context="comments")
        serve(DriftChecks, implementation=CommentsDriftChecks(), context="comments")
        serve(PopulationTables, implementation=POPULATION, context="comments")
