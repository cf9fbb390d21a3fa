"""The weight of a person's reports."""

from dataclasses import dataclass

from apps.moderation.access.names import usernames
from apps.moderation.models import Outcome
from apps.moderation.queries import outcomes_of, reporters_by_dismissals

_LEAST_DECIDED = 4  # decided reports of a person before their record counts
_DISTRUSTED_SHARE = 0.75
_DISTRUSTED_WEIGHT = 0.2


def reporter_weight(reporter_id: int) -> float:
    """The weight of this person's reports: less if most of them were dismissed."""
    outcomes = outcomes_of(reporter_id)
    return weight_of(dismissed=outcomes.count(Outcome.DISMISSED), decided=len(outcomes))


def weight_of(*, dismissed: int, decided: int) -> float:
    """The weight of a report, given the person's numbers of dismissed and decided reports."""
    is_known = decided >= _LEAST_DECIDED
    return _DISTRUSTED_WEIGHT if is_known and dismissed / decided >= _DISTRUSTED_SHARE else 1.0


@dataclass(frozen=True, slots=True)
class Reporter:
    """A person with unfounded reports: how many, and the weight of their reports. Of which targets is not shown."""

    id: int
    name: str
    filed: int
    decided: int
    dismissed: int
    weight: float

    @property
    def share(self) -> int:
        """The percentage of decided reports that were dismissed."""
        return round(100 * self.dismissed / max(1, self.decided))


def groundless_reporters() -> list[Reporter]:
    """People whose reports were dismissed repeatedly, most first. One query and one call."""
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
