"""The Django app of the comments context."""

from django.apps import AppConfig


class CommentsConfig(AppConfig):
    """Registers what comments serves to the other contexts."""

    name = "apps.comments"
    label = "comments"
    verbose_name = "Comments"

    def ready(self) -> None:
        """Answers calls to the contracts."""
        from apps.comments.service import CommentRecords, CommentsProjections, CommentsService
        from socialapp.calls import serve
        from socialapp.contracts.comments import Comments
        from socialapp.contracts.projections import Projections
        from socialapp.contracts.records import Records

        serve(Comments, CommentsService())
        serve(Records, CommentRecords(), context="comments")
        serve(Projections, CommentsProjections(), context="comments")
