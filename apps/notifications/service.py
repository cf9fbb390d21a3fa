"""What notifications answers to the other contexts."""

from functools import partial

from apps.notifications import actions
from socialapp.bus.verification import in_stages
from socialapp.contracts.projections import Checked


class NotificationsProjections:
    """The `Projections` contract: how many people joined notifications speak of, and that their posts exist."""

    def verify(self, *, repair: bool, after: str, limit: int) -> Checked:
        """See `Projections.verify`."""
        stages = {
            "actors": partial(actions.check_actors, repair=repair),
            "posts_told_of": partial(actions.check_posts, repair=repair),
        }
        return in_stages(stages, after, limit)
