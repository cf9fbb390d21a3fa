"""SQL of figures: decisions by month and day, and open work."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min, Q, QuerySet
from django.db.models.functions import TruncHour, TruncMonth
from django.utils import timezone

from apps.moderation.models import Action, Appeal, Case, Report
from apps.moderation.queries.log import APPEALABLE, AUTOMATED
from socialapp.core.periods import period_of


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
    """The figures of the last months, newest first. Three queries."""
    first = timezone.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    starts = [first]
    while len(starts) < months:
        starts.append((starts[-1] - timedelta(days=1)).replace(day=1))
    found = {(start.year, start.month): MonthFigures(start) for start in starts}
    next_month = (first + timedelta(days=31)).replace(day=1)  # may begin before the queries end
    shown = Q(created_at__gte=starts[-1], created_at__lt=next_month)
    reports = Report.objects.filter(shown).annotate(month=TruncMonth("created_at"))
    for row in reports.values("month").annotate(n=Count("id")).order_by():
        found[row["month"].year, row["month"].month].reports = row["n"]
    decided = Action.objects.filter(shown, kind__in=APPEALABLE)
    by_kind = decided.annotate(month=TruncMonth("created_at")).values("month", "kind")
    for row in by_kind.annotate(n=Count("id"), by_rule=Count("id", filter=AUTOMATED)):
        figures = found[row["month"].year, row["month"].month]
        figures.actions[row["kind"]] = row["n"]
        figures.automated += row["by_rule"]
    appeals = Appeal.objects.filter(shown).annotate(month=TruncMonth("created_at")).values("month")
    for row in appeals.annotate(n=Count("id"), won=Count("id", filter=Q(status=Appeal.Status.ACCEPTED))).order_by():
        figures = found[row["month"].year, row["month"].month]
        figures.appeals, figures.appeals_accepted = row["n"], row["won"]
    return list(found.values())


@dataclass(frozen=True, slots=True)
class Waiting:
    """Open cases, also of one moderator, the age of the oldest, and appeals open and decided in 90 days."""

    cases: int
    mine: int
    oldest: datetime | None
    appeals: int
    decided_appeals: int
    accepted_appeals: int


def waiting_for(moderator_id: int) -> Waiting:
    """Open work. Two queries."""
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


def reports_since(starts: list[datetime]) -> list[int]:
    """The number of reports in each of the periods that begin at `starts`, an hour or some days long."""
    return _counted(Report.objects.all(), starts)


def decisions_since(starts: list[datetime]) -> list[int]:
    """The number of decisions in each of the periods that begin at `starts`."""
    return _counted(Action.objects.filter(kind__in=[*APPEALABLE, Action.Kind.DISMISS_CASE]), starts)


def _counted(rows: QuerySet[Any], starts: list[datetime]) -> list[int]:
    counts = dict.fromkeys(starts, 0)
    found = rows.filter(created_at__gte=starts[0]).annotate(hour=TruncHour("created_at")).values("hour").order_by()
    for hour, count in found.annotate(n=Count("id")).values_list("hour", "n"):
        counts[period_of(hour, starts=starts)] += count
    return list(counts.values())
