"""The services that reactions provides to the other contexts."""

from functools import partial

from apps.reactions import access, actions, presenters, queries
from socialapp.contracts.bulk import Record, RecordPage, Rejected
from socialapp.contracts.drift import DriftPage
from socialapp.contracts.reactions import OwnReactions, PostReactions, ReactionSummary
from socialapp.demo.filling import TableFiller
from socialapp.lifecycle.bulk import record_page
from socialapp.lifecycle.drift import run_comparisons


class ReactionsService:
    """The `Reactions` contract."""

    def summaries(self, *, viewer_id: int | None, target_type: str, target_ids: list[int]) -> list[ReactionSummary]:
        """See `Reactions.summaries`."""
        return queries.summaries(viewer_id=viewer_id, target_type=target_type, target_ids=target_ids)

    def own(self, *, user_id: int) -> OwnReactions:
        """See `Reactions.own`. One query."""
        return self.to_posts(post_ids=[], user_id=user_id).own or OwnReactions(floor=0, types={})

    def to_posts(self, *, post_ids: list[int], user_id: int | None) -> PostReactions:
        """See `Reactions.to_posts`. One query."""
        return queries.reactions_to_posts(post_ids=post_ids, user_id=user_id)


class ReactionsBulkTransfer:
    """The `BulkTransfer` contract, for the kind "reaction"."""

    def load(self, *, kind: str, records: list[Record]) -> list[Rejected]:
        """See `BulkTransfer.load`."""
        loadable, rejected = access.loadable_reactions(records)
        return [*rejected, *actions.load_reactions(reactions=loadable)]

    def dump(self, *, kind: str, after: str, limit: int) -> RecordPage:
        """See `BulkTransfer.dump`."""
        rows = queries.reactions_after(after=int(after or 0), limit=limit + 1)
        return record_page(rows, limit=limit, record=presenters.reaction_record)

    def parts(self, *, kind: str, ids: list[int]) -> list[Record]:
        """Nothing: no other context dumps reactions."""
        return []


class ReactionsDriftChecks:
    """The `DriftChecks` contract: counts of reactions."""

    def verify(self, *, repair: bool, after: str, limit: int) -> DriftPage:
        """See `DriftChecks.verify`."""
        comparisons = {
            name: partial(actions.check_counts, target_type=name, repair=repair) for name in queries.TARGET_TYPES
        }
        return run_comparisons(comparisons, after=after, limit=limit)


# The `PopulationTables` contract.
POPULATION = TableFiller(actions.POPULATION_TABLES)
