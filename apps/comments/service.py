"""What comments answers to the other contexts."""

from apps.comments import queries
from socialapp.contracts.comments import CommentCount, CommentDocument, CommentRef


class CommentsService:
    """The `Comments` contract."""

    def counts(self, *, post_ids: list[int]) -> list[CommentCount]:
        """See `Comments.counts`."""
        return queries.counts(post_ids=post_ids)

    def visible(self, *, viewer_id: int | None, comment_ids: list[int]) -> list[CommentRef]:
        """See `Comments.visible`."""
        return queries.visible_refs(viewer_id=viewer_id, comment_ids=comment_ids)

    def documents(self, *, comment_ids: list[int]) -> list[CommentDocument]:
        """See `Comments.documents`."""
        return queries.documents(comment_ids=comment_ids)
