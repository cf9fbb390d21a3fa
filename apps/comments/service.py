"""What comments answers to the other contexts."""

from apps.comments import actions, queries
from socialapp.contracts.comments import CommentCount, CommentDocument, CommentRef
from socialapp.contracts.projections import Checked, Drift
from socialapp.contracts.records import Dumped, Record, Rejected


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

    def withdrawn(self, *, comment_ids: list[int]) -> list[CommentDocument]:
        """See `Comments.withdrawn`."""
        return queries.withdrawn(comment_ids=comment_ids)


class CommentRecords:
    """The `Records` contract, for the kind "comment"."""

    def load(self, *, kind: str, records: list[Record]) -> list[Rejected]:
        """See `Records.load`."""
        loadable, rejected = queries.loadable_comments(records)
        return [*rejected, *actions.load_comments(comments=loadable)]

    def dump(self, *, kind: str, after: str, limit: int) -> Dumped:
        """See `Records.dump`."""
        return queries.dumped_comments(after=after, limit=limit)

    def parts(self, *, kind: str, ids: list[int]) -> list[Record]:
        """Nobody else dumps comments."""
        return []


class CommentsProjections:
    """The `Projections` contract: counts of comments and replies."""

    def verify(self, *, repair: bool, after: str, limit: int) -> Checked:
        """See `Projections.verify`."""
        post_ids = queries.posts_in_order(after=int(after or 0), limit=limit)
        faults = actions.check_posts(post_ids=post_ids, repair=repair)
        return Checked(
            compared=len(post_ids),
            under_way=0,
            drifts=[
                Drift(projection=fault.what, id=fault.id, held=str(fault.counted), actual=str(fault.actual))
                for fault in faults
            ],
            next=str(post_ids[-1]) if len(post_ids) == limit else None,
        )
