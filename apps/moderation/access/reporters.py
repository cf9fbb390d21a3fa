"""How much the reports of a person count."""

from dataclasses import dataclass

from apps.moderation.access.names import usernames
from apps.moderation.models import Outcome
from apps.moderation.queries import outcomes_of, reporters_by_dismissals

_LEAST_DECIDED = 4  # so many reports of a person must have been decided before their record counts
_DISTRUSTED_SHARE = 0.75
_DISTRUSTED_WEIGHT = 0.2


def reporter_weight(reporter_id: int) -> float:
    """How much a report of this person counts: less for one whose reports are mostly found to be baseless."""
    outcomes = outcomes_of(reporter_id)
    return weight_of(dismissed=outcomes.count(Outcome.DISMISSED), decided=len(outcomes))


def weight_of(*, dismissed: int, decided: int) -> float:
    """How much a report counts when so many of so many decided ones of the same person were dismissed."""
    is_known = decided >= _LEAST_DECIDED
    return _DISTRUSTED_WEIGHT if is_known and dismissed / decided >= _DISTRUSTED_SHARE else 1.0


@dataclass(frozen=True, slots=True)
class Reporter:
    """Somebody who reports without ground: how often, and how much a report of theirs counts. Of what is not said."""

    id: int
    name: str
    filed: int
    decided: int
    dismissed: int
    weight: float

    @property
    def share(self) -> int:
        """How many of a hundred decided reports were dismissed."""
        return round(100 * self.dismissed / max(1, self.decided))


def groundless_reporters() -> list[Reporter]:
    """Those whose reports were dismissed again and again, most first. A query and a call."""
    records = reporters_by_dismissals()
    names = usernames(record.reporter_id for record in records)
    return [
        Reporter(
            id=record.reporter_id,
            name=names.get(record.reporter_id, ""),
            filed=record.filed,
            decided=record.decided,
            dismissed=record.dismissed,
            weight=weight_of(dismissed=record.dismissed, decided=record.decided),
        )
        for record in records
    ]
