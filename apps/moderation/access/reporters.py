"""How much the reports of a person count."""

from apps.moderation.models import Outcome
from apps.moderation.queries.cases import outcomes_of

_LEAST_DECIDED = 4  # so many reports of a person must have been decided before their record counts
_DISTRUSTED_SHARE = 0.75
_DISTRUSTED_WEIGHT = 0.2


def reporter_weight(reporter_id: int) -> float:
    """How much a report of this person counts: less for one whose reports are mostly found to be baseless."""
    outcomes = outcomes_of(reporter_id)
    if len(outcomes) < _LEAST_DECIDED:
        return 1.0
    dismissed = outcomes.count(Outcome.DISMISSED)
    return _DISTRUSTED_WEIGHT if dismissed / len(outcomes) >= _DISTRUSTED_SHARE else 1.0
