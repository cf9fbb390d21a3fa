"""Erases a user: from their reports, and with the reports about them and their appeals."""

from collections.abc import Collection

from apps.moderation.actions.cases import close_case
from apps.moderation.actions.log import redact_entries
from apps.moderation.models import (
    Action,
    Appeal,
    BulkDecision,
    Case,
    CaseNote,
    Outcome,
    Proposal,
    Report,
    RuleHit,
    SeenText,
    Suspension,
    TargetType,
)
from socialapp.lifecycle.removal import declare_removal

BATCH = 200


def _erase_step(user_id: int) -> bool:
    # The log before the appeals: a concurrent appeal has locked an entry and is waited for.
    done = (_anonymize_reports(user_id), _close_cases(user_id), _redact_log(user_id), _delete_appeals(user_id))
    Suspension.objects.filter(user_id=user_id).delete()
    for model in (RuleHit, SeenText, Proposal):
        model._default_manager.filter(author_id=user_id).delete()
    Proposal.objects.filter(proposed_by_id=user_id).update(proposed_by_id=None)
    Proposal.objects.filter(decided_by_id=user_id).update(decided_by_id=None)
    BulkDecision.objects.filter(moderator_id=user_id).update(moderator_id=None)
    Case.objects.filter(assigned_to_id=user_id).update(assigned_to_id=None)
    CaseNote.objects.filter(moderator_id=user_id).update(moderator_id=None)
    return max(done) < BATCH


def _anonymize_reports(user_id: int) -> int:
    ids = list(Report.objects.filter(reporter_id=user_id).values_list("id", flat=True)[:BATCH])
    Report.objects.filter(id__in=ids).update(reporter_id=None, open_key=None, details="")
    return len(ids)


def _close_cases(user_id: int) -> int:
    cases = list(Case.objects.select_for_update().filter(author_id=user_id).order_by("id")[:BATCH])
    for case in cases:
        if case.is_open:
            close_case(case, outcome=Outcome.GONE)
    ids = [case.id for case in cases]
    about_user = [case.id for case in cases if case.target_type == TargetType.USER]
    Case.objects.filter(id__in=ids).update(author_id=None, flagged_words="")
    Case.objects.filter(id__in=about_user).update(target_id=None)
    Report.objects.filter(case_id__in=about_user).update(target_id=None)
    # What others wrote about the person is personal data too.
    Report.objects.filter(case_id__in=ids).update(details="")
    return len(cases)


def _delete_appeals(user_id: int) -> int:
    ids = list(Appeal.objects.filter(user_id=user_id).values_list("id", flat=True)[:BATCH])
    Appeal.objects.filter(id__in=ids).delete()
    return len(ids)


def _redact_log(user_id: int) -> int:
    return redact_entries(user_id=user_id, limit=BATCH)


_COLUMNS = (
    (Report, "reporter_id"),
    (Case, "author_id"),
    (Action, "user_id"),
    (Appeal, "user_id"),
    (Suspension, "user_id"),
    (RuleHit, "author_id"),
    (SeenText, "author_id"),
    (Proposal, "author_id"),
)


def _people_with_rows(user_ids: Collection[int]) -> set[int]:
    held: set[int] = set()
    for model, column in _COLUMNS:
        rows = model._default_manager.filter(**{f"{column}__in": user_ids})
        held.update(rows.values_list(column, flat=True).distinct())
    return held


declare_removal("moderation", kind="user", step=_erase_step, leftovers=_people_with_rows)
