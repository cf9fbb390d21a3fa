"""What search answers to the other contexts."""

from functools import partial

from apps.search import actions
from socialapp.bus.verification import in_stages
from socialapp.contracts.projections import Checked


class SearchProjections:
    """The `Projections` contract: the index of people and posts."""

    def verify(self, *, repair: bool, after: str, limit: int) -> Checked:
        """See `Projections.verify`."""
        stages = {kind: partial(actions.check_index, kind, repair=repair) for kind in ("user", "post")}
        return in_stages(stages, after, limit)
