"""What reactions answers to the other contexts."""

from functools import partial

from apps.reactions import actions, queries
from socialapp.bus.verification import in_stages
from socialapp.contracts.projections import Checked, Drift
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


class ReactionsProjections:
    """The `Projections` contract: counts of reactions."""

    def verify(self, *, repair: bool, after: str, limit: int) -> Checked:
        """See `Projections.verify`."""
        stages = {name: partial(_check_targets, name, repair=repair) for name in queries.TARGET_TYPES}
        return in_stages(stages, after, limit)


def _check_targets(target_type: str, after: int, limit: int, *, repair: bool) -> tuple[Checked, int | None]:
    ids = queries.targets_in_order(target_type=target_type, after=after, limit=limit)
    faults = actions.check_targets(target_type=target_type, target_ids=ids, repair=repair)
    drifts = [
        Drift(
            projection=f"{fault.reaction_type} on {fault.target_type}",
            id=fault.target_id,
            held=str(fault.counted),
            actual=str(fault.actual),
        )
        for fault in faults
    ]
    checked = Checked(compared=len(ids), under_way=0, drifts=drifts, next=None)
    return checked, ids[-1] if len(ids) == limit else None
