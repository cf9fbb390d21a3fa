"""What moderation answers to the other contexts: how its cases compare with their reports."""

from functools import partial

from apps.moderation import actions
from socialapp.contracts.drift import DriftPage
from socialapp.lifecycle.drift import run_stages


class ModerationProjections:
    """The `DriftChecks` contract: counts of reports."""

    def verify(self, *, repair: bool, after: str, limit: int) -> DriftPage:
        """See `DriftChecks.verify`."""
        return run_stages({"reports_counts": partial(actions.check_reports_counts, repair=repair)}, after, limit)
