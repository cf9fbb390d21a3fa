"""What reactions answers to the other contexts."""

from apps.reactions import queries
from socialapp.contracts.reactions import ReactionSummary


class ReactionsService:
    """The `Reactions` contract."""

    def summaries(self, *, viewer_id: int | None, target_type: str, target_ids: list[int]) -> list[ReactionSummary]:
        """See `Reactions.summaries`."""
        return queries.summaries(viewer_id=viewer_id, target_type=target_type, target_ids=target_ids)
