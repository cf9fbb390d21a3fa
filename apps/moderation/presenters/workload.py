"""The moderator's part of the admin site's front page."""

from django.utils import timezone

from apps.moderation.access import show_names
from apps.moderation.queries import decisions_since, last_decisions, reports_since, waiting_for
from socialapp.contracts.moderation import DayOfModeration, DecisionLine, Workload
from socialapp.core.errors import Invalid
from socialapp.core.periods import SPANS, period_starts


def workload_of(moderator_id: int, *, span: str) -> Workload:
    """Open work, the last decisions, and the figures of a span (Invalid if unknown). Five queries and one call."""
    if span not in SPANS:
        raise Invalid.of("span", "unknown", f"A span must be one of {', '.join(SPANS)}.")
    waiting, last = waiting_for(moderator_id), last_decisions()
    show_names(last)
    starts = period_starts(span, now=timezone.now())
    counted = zip(starts, reports_since(starts), decisions_since(starts), strict=True)
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
            DayOfModeration(date=start.isoformat(), reports=reports, decisions=decisions)
            for start, reports, decisions in counted
        ],
    )
