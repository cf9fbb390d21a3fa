"""SQL of cases, reports, notes, and suspensions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from apps.moderation.models import Case, CaseNote, Outcome, Reason, Report, Suspension
from socialapp.core.pages import Page, PageRequest, paginate

_RECORD = timedelta(days=90)
_SEVERAL = 3
_MOST_REPORTERS = 100


@dataclass(frozen=True, slots=True)
class Target:
    """The target of a report, case or action, and its author (users are their own)."""

    type: str
    id: int
    author_id: int

    @property
    def key(self) -> str:
        """One string for it."""
        return f"{self.type}:{self.id}"


def own_reports(*, reporter_id: int, page: PageRequest) -> Page[Report]:
    """Somebody's reports, newest first."""
    return paginate(Report.objects.filter(reporter_id=reporter_id), page=page)


def reports_of(case: Case) -> QuerySet[Report]:
    """The reports about a case's target, newest first."""
    return Report.objects.filter(case_id=case.id).order_by("-id")


def suspensions_due() -> list[int]:
    """The ids of up to 500 expired suspensions, oldest first."""
    over = Suspension.objects.filter(until__lte=timezone.now()).order_by("until")
    return list(over.values_list("id", flat=True)[:500])


def open_cases_about(user_id: int) -> list[Case]:
    """The first 20 open cases about somebody and what they wrote."""
    return list(Case.objects.filter(author_id=user_id, closed_at=None).order_by("id")[:20])


def notes_of(case_id: int) -> list[CaseNote]:
    """The notes on a case, oldest first."""
    return list(CaseNote.objects.filter(case_id=case_id).order_by("id")[:100])


def reasons_by_case(case_ids: Sequence[int]) -> dict[int, list[tuple[str, int]]]:
    """The reasons of each case's reports with their numbers, most frequent first."""
    found: dict[int, list[tuple[str, int]]] = {case_id: [] for case_id in case_ids}
    counts = Report.objects.filter(case_id__in=case_ids).values("case_id", "reason").annotate(count=Count("id"))
    for row in counts.order_by("-count", "reason"):
        found[row["case_id"]].append((Reason(row["reason"]).label.lower(), row["count"]))
    return found


@dataclass(frozen=True, slots=True)
class ReporterRecord:
    """The outcomes of one person's reports in 90 days."""

    reporter_id: int
    filed: int
    decided: int
    dismissed: int


def reporters_by_dismissals() -> list[ReporterRecord]:
    """The 100 people with the most dismissed reports in 90 days, if several. One query."""
    several = _records().filter(dismissed__gte=_SEVERAL).order_by("-dismissed", "reporter_id")
    return [ReporterRecord(**row) for row in several[:_MOST_REPORTERS]]


def records_of(reporter_ids: Iterable[int]) -> dict[int, ReporterRecord]:
    """The outcomes of these people's reports in 90 days. One query."""
    rows = _records().filter(reporter_id__in=list(reporter_ids))
    return {row["reporter_id"]: ReporterRecord(**row) for row in rows}


def _records() -> Any:  # the type of an annotated queryset cannot be written down
    recent = Report.objects.filter(created_at__gte=timezone.now() - _RECORD, reporter_id__isnull=False)
    return recent.values("reporter_id").annotate(
        filed=Count("id"),
        decided=Count("id", filter=~Q(outcome__in=["", Outcome.GONE])),
        dismissed=Count("id", filter=Q(outcome=Outcome.DISMISSED)),
    )


def outcomes_of(reporter_id: int) -> list[str]:
    """The outcomes of somebody's last 50 decided reports."""
    decided = Report.objects.filter(reporter_id=reporter_id).exclude(outcome__in=["", Outcome.GONE])
    return list(decided.order_by("-id").values_list("outcome", flat=True)[:50])
