"""What reactions answers to the other contexts."""

from apps.reactions import actions, queries
from socialapp.contracts.reactions import ReactionSummary
from socialapp.contracts.records import Dumped, Record, Rejected


class ReactionsService:
    """The `Reactions` contract."""

    def summaries(self, *, viewer_id: int | None, target_type: str, target_ids: list[int]) -> list[ReactionSummary]:
        """See `Reactions.summaries`."""
        return queries.summaries(viewer_id=viewer_id, target_type=target_type, target_ids=target_ids)


class ReactionRecords:
    """The `Records` contract, for the kind "reaction"."""

    def load(self, *, kind: str, records: list[Record]) -> list[Rejected]:
        """See `Records.load`."""
        loadable, rejected = queries.loadable_reactions(records)
        return [*rejected, *actions.load_reactions(reactions=loadable)]

    def dump(self, *, kind: str, after: str, limit: int) -> Dumped:
        """See `Records.dump`."""
        return queries.dumped_reactions(after=after, limit=limit)

    def parts(self, *, kind: str, ids: list[int]) -> list[Record]:
        """Nobody else dumps reactions."""
        return []
