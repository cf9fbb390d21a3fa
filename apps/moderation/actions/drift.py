"""Detects and repairs drift of cases' numbers of reports, while people report."""

from django.db.models import Count

from apps.moderation.models import Case, Report
from socialapp.contracts.drift import Drift
from socialapp.core.db import transactional
from socialapp.lifecycle.drift import Compared, next_after


def check_reports_counts(*, after: int, limit: int, repair: bool) -> Compared:
    """Checks the counts of the next cases. One query unless one is suspect."""
    cases = Case.objects.filter(id__gt=after).order_by("id")[:limit]
    rows = list(cases.annotate(actual=Count("reports")).values_list("id", "reports_count", "actual"))
    found = [_recheck(case_id, repair) for case_id, held, actual in rows if held != actual]
    drifts = [drift for drift in found if drift is not None]
    next_id = next_after([case_id for case_id, *_ in rows], limit=limit)
    return Compared(compared=len(rows), drifts=drifts, next_id=next_id)


@transactional("moderation")
def _recheck(case_id: int, repair: bool) -> Drift | None:
    """Compares while nobody can report to the case; corrects the count if `repair`."""
    case = Case.objects.select_for_update().get(id=case_id)
    actual = Report.objects.filter(case_id=case_id).count()
    if case.reports_count == actual:
        return None
    if repair:
        Case.objects.filter(id=case_id).update(reports_count=actual)
    return Drift(projection="reports_counts", id=case_id, held=str(case.reports_count), actual=str(actual))
