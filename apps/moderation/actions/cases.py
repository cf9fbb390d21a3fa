"""Cases: opened by reports and word rules, at most one open case per target, closed by a decision."""

from django.db.models import F
from django.utils import timezone

from apps.moderation.access import media_of_target, reporter_weight, rule_text
from apps.moderation.models import Case, CaseNote, Outcome, Report
from apps.moderation.queries import Target
from socialapp.contracts.moderation import ReportFiled, ReportResolved
from socialapp.contracts.posts import Posts
from socialapp.core.db import transactional
from socialapp.core.errors import Conflict, Invalid, NotFound
from socialapp.core.text.language import guess_language
from socialapp.lifecycle.removal import deleted_among
from socialapp.messaging.publish import publish
from socialapp.rpc.calls import client

_TRIES = 20


@transactional("moderation")
def file_report(
    *, reporter_id: int, target: Target, reason: str, details: str, rule_id: int | None = None, text: str = ""
) -> tuple[Report, bool]:
    """The report, and whether it is new: while an earlier one by the same person is open, that one is returned.

    Reports weigh less if they come from someone whose reports are often rejected: see `queries.reporter_weight`.
    """
    rule_text(rule_id)
    open_key = f"{reporter_id}:{target.key}"
    case = open_case(target, text=text)
    if case is None or deleted_among("moderation", ids=[reporter_id]):
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
            "rule_id": rule_id,
        },
    )
    if made:
        weight = reporter_weight(reporter_id)
        Case.objects.filter(id=case.id).update(reports_count=F("reports_count") + 1, score=F("score") + weight)
        publish(ReportFiled(report_id=report.id, target_type=target.type, target_id=target.id, reporter_id=reporter_id))
    return report, made


@transactional("moderation")
def open_case(target: Target, *, flagged_words: str = "", text: str = "") -> Case | None:
    """The open case about a target, locked, and created if there is none; None if its author was erased.

    `text` is the target's text, whose language the queue can be filtered by.
    """
    if deleted_among("moderation", ids=[target.author_id]):
        return None
    case, _ = Case.objects.select_for_update().get_or_create(
        open_key=target.key,
        defaults={
            "target_type": target.type,
            "target_id": target.id,
            "author_id": target.author_id,
            "language": guess_language(text),
        },
    )
    if flagged_words and case.flagged_words != flagged_words:
        case.flagged_words = flagged_words
        case.save(update_fields=["flagged_words"])
    return case


def close_case(case: Case, *, outcome: Outcome) -> None:
    """Closes an open case that the caller holds locked, and notifies everyone who reported."""
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


def locked_open_case(case_id: int) -> Case:
    """The case, locked; NotFound when there is none, Conflict when it is closed."""
    case = Case.objects.select_for_update().filter(id=case_id).first()
    if case is None:
        raise NotFound("there is no such case")
    if not case.is_open:
        raise Conflict("somebody has decided this case already", code="case_closed")
    return case


def close_case_of(target_key: str, *, outcome: Outcome) -> None:
    """Closes the open case about a target, if any."""
    case = Case.objects.select_for_update().filter(open_key=target_key).first()
    if case is not None:
        close_case(case, outcome=outcome)


@transactional("moderation")
def close_case_of_gone_target(*, target_type: str, target_id: int) -> None:
    """Closes the case about something that was deleted before a decision. Idempotent."""
    close_case_of(f"{target_type}:{target_id}", outcome=Outcome.GONE)


@transactional("moderation")
def assign_case(*, case_id: int, moderator_id: int | None) -> Case:
    """Assigns an open case to a moderator, or to nobody. 409 if it is closed, or somebody else has it."""
    case = locked_open_case(case_id)
    if moderator_id is not None and case.assigned_to_id not in (None, moderator_id):
        raise Conflict("somebody else has taken this case", code="case_taken")
    case.assigned_to_id, case.assigned_at = moderator_id, timezone.now() if moderator_id else None
    case.save(update_fields=["assigned_to_id", "assigned_at"])
    return case


@transactional("moderation")
def take_next_case(*, moderator_id: int) -> Case | None:
    """Assigns the unassigned open case with the highest weight to the moderator; None if there is none left.

    A single statement claims it, so two moderators never get the same case, even on databases without SKIP LOCKED.
    """
    waiting = Case.objects.filter(closed_at=None, assigned_to_id=None).exclude(author_id=moderator_id)
    for case_id in waiting.order_by("-score", "-reports_count", "id").values_list("id", flat=True)[:_TRIES]:
        claimed = Case.objects.filter(id=case_id, closed_at=None, assigned_to_id=None)
        if claimed.update(assigned_to_id=moderator_id, assigned_at=timezone.now()):
            return Case.objects.get(id=case_id)
    return None


@transactional("moderation")
def add_note(*, case_id: int, moderator_id: int, text: str) -> CaseNote:
    """Adds a note that moderators see on the case. NotFound if there is no such case, Invalid for an empty note."""
    if not text.strip():
        raise Invalid.of("text", "blank", "A note needs a text.")
    if not Case.objects.filter(id=case_id).exists():
        raise NotFound("there is no such case")
    return CaseNote.objects.create(case_id=case_id, moderator_id=moderator_id, text=text.strip())


@transactional("moderation")
def reopen_case(*, case_id: int, moderator_id: int) -> Case:
    """Reopens a closed case, assigned to the moderator. Conflict if it is open, or another one about the target is."""
    case = Case.objects.select_for_update().filter(id=case_id).first()
    if case is None or case.target_id is None:
        raise NotFound("there is no such case")
    key = f"{case.target_type}:{case.target_id}"
    if case.is_open or Case.objects.filter(open_key=key).exists():
        raise Conflict("a case about this is already open", code="case_open")
    case.open_key, case.outcome, case.closed_at = key, "", None
    case.assigned_to_id, case.assigned_at = moderator_id, timezone.now()
    case.save(update_fields=["open_key", "outcome", "closed_at", "assigned_to_id", "assigned_at"])
    return case


def refuse_media(*, case: Case, moderator_id: int, media_id: str, reason: str) -> None:
    """Makes posts remove the target of a case, and refuse some of its media from now on. Calls posts.

    NotFound for media that it does not show; Forbidden if the author has the moderator's rank or a higher one.
    """
    shown = media_of_target(target_type=case.target_type, target_id=case.target_id or 0)
    if media_id not in {str(media.id) for media in shown}:
        raise NotFound("what this case is about does not show these media")
    client(Posts).refuse_media(moderator_id=moderator_id, media_id=int(media_id), reason=reason)
