"""What reactions answers to the other contexts."""

from functools import partial

from apps.reactions import actions, queries
from socialapp.contracts.bulk import Record, RecordPage, Rejected
from socialapp.contracts.drift import Drift, DriftPage
from socialapp.contracts.reactions import ReactionSummary
from socialapp.lifecycle.drift import run_stages


class ReactionsService:
    """The `Reactions` contract."""

    def summaries(self, *, viewer_id: int | None, target_type: str, target_ids: list[int]) -> list[ReactionSummary]:
        """See `Reactions.summaries`."""
        return queries.summaries(viewer_id=viewer_id, target_type=target_type, target_ids=target_ids)


class ReactionRecords:
    """The `BulkTransfer` contract, for the kind "reaction"."""

    def load(self, *, kind: str, records: list[Record]) -> list[Rejected]:
        """See `BulkTransfer.load`."""
        loadable, rejected = queries.loadable_reactions(records)
        return [*rejected, *actions.load_reactions(reactions=loadable)]

    def dump(self, *, kind: str, after: str, limit: int) -> RecordPage:
        """See `BulkTransfer.dump`."""
        return queries.dumped_reactions(after=after, limit=limit)

    def parts(self, *, kind: str, ids: list[int]) -> list[Record]:
        """Nobody else dumps reactions."""
        return []


class ReactionsProjections:
    """The `DriftChecks` contract: counts of reactions."""

    def verify(self, *, repair: bool, after: str, limit: int) -> DriftPage:
        """See `DriftChecks.verify`."""
        stages = {name: partial(_check_targets, name, repair=repair) for name in queries.TARGET_TYPES}
        return run_stages(stages, after, limit)


def _check_targets(target_type: str, after: int, limit: int, *, repair: bool) -> tuple[DriftPage, int | None]:
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
    checked = DriftPage(compared=len(ids), in_flight=0, drifts=drifts, next=None)
    return checked, ids[-1] if len(ids) == limit else None
