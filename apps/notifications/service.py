"""The services that notifications provides to the other contexts."""

from functools import partial

from apps.notifications import actions
from socialapp.contracts.drift import DriftPage
from socialapp.lifecycle.drift import run_comparisons


class NotificationsDriftChecks:
    """The `DriftChecks` contract: the number of actors of grouped notifications, and that their posts exist."""

    def verify(self, *, repair: bool, after: str, limit: int) -> DriftPage:
        """See `DriftChecks.verify`."""
        comparisons = {
            "actors": partial(actions.check_actors, repair=repair),
            "posts_told_of": partial(actions.check_posts, repair=repair),
        }
        return run_comparisons(comparisons, after=after, limit=limit)
