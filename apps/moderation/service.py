"""What moderation answers to the other contexts: how its cases compare with their reports."""

from functools import partial

from apps.moderation import actions
from socialapp.bus.verification import in_stages
from socialapp.contracts.projections import Checked


class ModerationProjections:
    """The `Projections` contract: counts of reports."""

    def verify(self, *, repair: bool, after: str, limit: int) -> Checked:
        """See `Projections.verify`."""
        return in_stages({"reports_counts": partial(actions.check_reports_counts, repair=repair)}, after, limit)
