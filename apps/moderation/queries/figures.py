"""Figures: what moderation did by month and by day, and what waits."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db.models import Count, Min, Q, QuerySet
from django.db.models.functions import TruncDate, TruncMonth
from django.utils import timezone

from apps.moderation.models import Action, Appeal, Case, Report
from apps.moderation.queries.log import APPEALABLE


@dataclass(slots=True)
class MonthFigures:
    """What moderation did in a month."""

    month: datetime
    reports: int = 0
    actions: dict[str, int] = field(default_factory=dict)
    automated: int = 0
    appeals: int = 0
    appeals_accepted: int = 0


def figures_by_month(*, months: int) -> list[MonthFigures]:
    """The figures of the last months, the present one first. Three queries."""
    first = timezone.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    starts = [first]
    while len(starts) < months:
        starts.append((starts[-1] - timedelta(days=1)).replace(day=1))
    found = {(start.year, start.month): MonthFigures(start) for start in starts}
    since = starts[-1]
    reports = Report.objects.filter(created_at__gte=since).annotate(month=TruncMonth("created_at"))
    for row in reports.values("month").annotate(n=Count("id")).order_by():
        found[row["month"].year, row["month"].month].reports = row["n"]
    decided = Action.objects.filter(created_at__gte=since, kind__in=APPEALABLE)
    by_kind = decided.annotate(month=TruncMonth("created_at")).values("month", "kind")
    for row in by_kind.annotate(n=Count("id"), by_rule=Count("id", filter=Q(moderator_id=None, is_redacted=False))):
        figures = found[row["month"].year, row["month"].month]
        figures.actions[row["kind"]] = row["n"]
        figures.automated += row["by_rule"]
    appeals = Appeal.objects.filter(created_at__gte=since).annotate(month=TruncMonth("created_at")).values("month")
    for row in appeals.annotate(n=Count("id"), won=Count("id", filter=Q(status=Appeal.Status.ACCEPTED))).order_by():
        figures = found[row["month"].year, row["month"].month]
        figures.appeals, figures.appeals_accepted = row["n"], row["won"]
    return list(found.values())


@dataclass(frozen=True, slots=True)
class Waiting:
    """Open cases, those of one moderator among them, since when the oldest waits, and appeals; decided in 90 days."""

    cases: int
    mine: int
    oldest: datetime | None
    appeals: int
    decided_appeals: int
    accepted_appeals: int


def waiting_for(moderator_id: int) -> Waiting:
    """What waits for a moderator. Two queries."""
    cases = Case.objects.filter(closed_at=None).aggregate(
        n=Count("id"), mine=Count("id", filter=Q(assigned_to_id=moderator_id)), oldest=Min("created_at")
    )
    recent = Q(decided_at__gte=timezone.now() - timedelta(days=90))
    appeals = Appeal.objects.aggregate(
        n=Count("id", filter=Q(status=Appeal.Status.OPEN)),
        decided=Count("id", filter=recent),
        accepted=Count("id", filter=recent & Q(status=Appeal.Status.ACCEPTED)),
    )
    return Waiting(cases["n"], cases["mine"], cases["oldest"], appeals["n"], appeals["decided"], appeals["accepted"])


def reports_by_day(*, first: date) -> dict[date, int]:
    """How many reports were filed on each day (UTC) from the first on."""
    return _by_day(Report.objects.all(), first)


def decisions_by_day(*, first: date) -> dict[date, int]:
    """How many cases were decided on each day (UTC) from the first on."""
    return _by_day(Action.objects.filter(kind__in=[*APPEALABLE, Action.Kind.DISMISS_CASE]), first)


def _by_day(rows: QuerySet[Any], first: date) -> dict[date, int]:
    since = datetime(first.year, first.month, first.day, tzinfo=UTC)
    counted = rows.filter(created_at__gte=since).annotate(day=TruncDate("created_at")).values("day").order_by()
    return dict(counted.annotate(n=Count("id")).values_list("day", "n"))
