"""Cases: opened by reports and word rules, one open case for a target at most, closed by a decision."""

from django.db.models import F
from django.utils import timezone

from apps.moderation.models import Case, Outcome, Report
from apps.moderation.queries import Target
from socialapp.contracts.moderation import ReportFiled, ReportResolved
from socialapp.core.db import transactional
from socialapp.core.errors import NotFound
from socialapp.lifecycle.removal import gone_among
from socialapp.messaging.publish import publish


@transactional("moderation")
def file_report(*, reporter_id: int, target: Target, reason: str, details: str) -> tuple[Report, bool]:
    """The report, and whether it is new: while an earlier one by the same person is open, that is the answer."""
    open_key = f"{reporter_id}:{target.key}"
    case = open_case(target)
    if case is None or gone_among("moderation", [reporter_id]):
        raise NotFound("there is nothing here that you may see")
    report, made = Report.objects.get_or_create(
        open_key=open_key,
        defaults={
            "case": case,
            "reporter_id": reporter_id,
            "target_type": target.type,
            "target_id": target.id,
            "reason": reason,
            "details": details,
        },
    )
    if made:
        Case.objects.filter(id=case.id).update(reports_count=F("reports_count") + 1)
        publish(ReportFiled(report_id=report.id, target_type=target.type, target_id=target.id, reporter_id=reporter_id))
    return report, made


@transactional("moderation")
def open_case(target: Target, *, flagged_words: str = "") -> Case | None:
    """The open case about a target, locked, made if there is none; None when its author was erased."""
    if gone_among("moderation", [target.author_id]):
        return None
    case, _ = Case.objects.select_for_update().get_or_create(
        open_key=target.key,
        defaults={"target_type": target.type, "target_id": target.id, "author_id": target.author_id},
    )
    if flagged_words and case.flagged_words != flagged_words:
        case.flagged_words = flagged_words
        case.save(update_fields=["flagged_words"])
    return case


def close_case(case: Case, outcome: Outcome) -> None:
    """Closes an open case that the caller holds locked, and tells everyone who reported."""
    now = timezone.now()
    case.open_key, case.outcome, case.closed_at = None, outcome, now
    case.save(update_fields=["open_key", "outcome", "closed_at"])
    open_reports = Report.objects.filter(case=case, resolved_at=None)
    resolved = [
        ReportResolved(report_id=report_id, reporter_id=reporter_id, outcome=outcome)
        for report_id, reporter_id in open_reports.values_list("id", "reporter_id")
        if reporter_id is not None
    ]
    open_reports.update(outcome=outcome, open_key=None, resolved_at=now)
    publish(*resolved)


def close_case_of(target_key: str, outcome: Outcome) -> None:
    """Closes the open case about a target, if there is one."""
    case = Case.objects.select_for_update().filter(open_key=target_key).first()
    if case is not None:
        close_case(case, outcome)


@transactional("moderation")
def close_case_of_gone_target(*, target_type: str, target_id: int) -> None:
    """What was reported is gone, whoever removed it: nothing is left to decide. Idempotent."""
    close_case_of(f"{target_type}:{target_id}", Outcome.REMOVED)
