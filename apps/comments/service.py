"""The services that comments provides to the other contexts."""

from functools import partial

from apps.comments import access, actions, presenters, queries
from socialapp.contracts.bulk import Record, RecordPage, Rejected
from socialapp.contracts.comments import CommentCount, CommentDocument, CommentRef, ThreadLine
from socialapp.contracts.drift import DriftPage
from socialapp.demo.filling import TableFiller
from socialapp.lifecycle.bulk import record_page
from socialapp.lifecycle.drift import run_comparisons


class CommentsService:
    """The `Comments` contract."""

    def counts(self, *, post_ids: list[int]) -> list[CommentCount]:
        """See `Comments.counts`."""
        return queries.counts(post_ids=post_ids)

    def visible(self, *, viewer_id: int | None, comment_ids: list[int]) -> list[CommentRef]:
        """See `Comments.visible`."""
        return access.visible_refs(viewer_id=viewer_id, comment_ids=comment_ids)

    def documents(self, *, comment_ids: list[int]) -> list[CommentDocument]:
        """See `Comments.documents`."""
        return queries.documents(comment_ids=comment_ids)

    def removed(self, *, comment_ids: list[int]) -> list[CommentDocument]:
        """See `Comments.removed`."""
        return queries.removed(comment_ids=comment_ids)

    def around(self, *, post_id: int, comment_id: int | None = None) -> list[ThreadLine]:
        """See `Comments.around`."""
        return queries.thread_around(post_id=post_id, comment_id=comment_id)


class CommentsBulkTransfer:
    """The `BulkTransfer` contract, for the kind "comment"."""

    def load(self, *, kind: str, records: list[Record]) -> list[Rejected]:
        """See `BulkTransfer.load`."""
        loadable, rejected = access.loadable_comments(records)
        return [*rejected, *actions.load_comments(comments=loadable)]

    def dump(self, *, kind: str, after: str, limit: int) -> RecordPage:
        """See `BulkTransfer.dump`."""
        rows = queries.comments_after(after=int(after or 0), limit=limit + 1)
        return record_page(rows, limit=limit, record=presenters.comment_record)

    def parts(self, *, kind: str, ids: list[int]) -> list[Record]:
        """Nothing: no other context dumps comments."""
        return []


class CommentsDriftChecks:
    """The `DriftChecks` contract: counts of comments and replies."""

    def verify(self, *, repair: bool, after: str, limit: int) -> DriftPage:
        """See `DriftChecks.verify`."""
        comparisons = {"counts": partial(actions.check_counts, repair=repair)}
        return run_comparisons(comparisons, after=after, limit=limit)


# The `PopulationTables` contract.
POPULATION = TableFiller(actions.POPULATION_TABLES)
