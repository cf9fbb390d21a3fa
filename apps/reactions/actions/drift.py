"""Detects and repairs drift of the counts of reactions, while people react."""

from collections.abc import Sequence

from apps.reactions import queries
from apps.reactions.actions.counts import COUNTS
from socialapp.contracts.drift import Drift
from socialapp.core.db import transactional
from socialapp.lifecycle.drift import Compared, next_after


def check_counts(*, target_type: str, after: int, limit: int, repair: bool) -> Compared:
    """Checks the counts of the next targets of one type."""
    ids = queries.targets_in_order(target_type=target_type, after=after, limit=limit)
    drifts = check_targets(target_type=target_type, target_ids=ids, repair=repair)
    return Compared(compared=len(ids), drifts=drifts, next_id=next_after(ids, limit=limit))


def check_targets(*, target_type: str, target_ids: Sequence[int], repair: bool) -> list[Drift]:
    """The wrong counts of these targets; corrected if `repair`."""
    found = [
        _recheck(target_type, target_id, reaction_type, repair)
        for target_id, reaction_type in queries.suspect_counts(target_type=target_type, target_ids=target_ids)
    ]
    return [drift for drift in found if drift is not None]


@transactional("reactions")
def _recheck(target_type: str, target_id: int, reaction_type: str, repair: bool) -> Drift | None:
    """Compares one count with its rows, under locks; corrects it if `repair`."""
    rows = queries.reactions_to(target_type=target_type, target_id=target_id).filter(reaction_type=reaction_type)
    wrong = COUNTS.recheck((target_type, target_id, reaction_type), actual=rows.count, repair=repair)
    if wrong is None:
        return None
    held, actual = wrong
    name = f"{reaction_type} on {target_type}"
    return Drift(projection=name, id=target_id, held=str(held), actual=str(actual))
