"""What the admin site's front page shows a moderator."""

from datetime import timedelta

from django.utils import timezone

from apps.moderation.access.names import show_names
from apps.moderation.queries.figures import decisions_by_day, reports_by_day, waiting_for
from apps.moderation.queries.log import last_decisions
from socialapp.contracts.moderation import DayOfModeration, DecisionLine, Workload

_DAYS = 30


def workload(moderator_id: int) -> Workload:
    """What waits, what was decided last, and the figures of the last 30 days. Five queries and one call."""
    waiting, last = waiting_for(moderator_id), last_decisions()
    show_names(last)
    today = timezone.now().date()
    days = [today - timedelta(days=back) for back in range(_DAYS - 1, -1, -1)]
    reports, decisions = reports_by_day(first=days[0]), decisions_by_day(first=days[0])
    return Workload(
        open_cases=waiting.cases,
        mine=waiting.mine,
        oldest=waiting.oldest,
        open_appeals=waiting.appeals,
        decided_appeals=waiting.decided_appeals,
        accepted_appeals=waiting.accepted_appeals,
        last=[
            DecisionLine(
                kind=entry.get_kind_display(),
                moderator=entry.moderator_name,
                user=entry.user_name,
                reason=entry.reason,
                at=entry.created_at,
            )
            for entry in last
        ],
        days=[
            DayOfModeration(date=day.isoformat(), reports=reports.get(day, 0), decisions=decisions.get(day, 0))
            for day in days
        ],
    )
