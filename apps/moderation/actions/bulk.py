"""Bulk decisions about many cases: at once for a few, in steps for more."""

from collections.abc import Sequence

from django.utils import timezone

from apps.moderation.access import require_staff
from apps.moderation.actions.acts import Act, carry_out
from apps.moderation.actions.decisions import dismiss_case
from apps.moderation.models import Action, BulkDecision, Case
from apps.moderation.queries import Target
from socialapp.core.db import transactional
from socialapp.core.errors import Forbidden, NotFound, Problem, Unavailable

MOST_AT_ONCE = 200
_PART = 50
_PROBLEMS_KEPT = 20


@transactional("moderation")
def start_bulk_decision(*, decision: str, case_ids: Sequence[int], moderator_id: int, reason: str) -> BulkDecision:
    """Records a decision about many cases; `continue_bulk_decisions` executes it."""
    ids = list(dict.fromkeys(case_ids))
    return BulkDecision.objects.create(
        decision=decision, reason=reason, moderator_id=moderator_id, case_ids=ids, total=len(ids)
    )


def continue_bulk_decisions() -> int:
    """Decides the next cases of the oldest unfinished bulk decision; returns how many. Decided cases are refused, so a
    step can safely run twice, even at once. Not for use inside a transaction, as it calls auth for ranks."""
    bulk = BulkDecision.objects.filter(finished_at=None).order_by("id").first()
    if bulk is None:
        return 0
    part = bulk.case_ids[:_PART]
    _record(bulk.id, part, _decide_part(bulk, part))
    return len(part)


def _decide_part(bulk: BulkDecision, part: list[int]) -> dict[int, str]:
    """Decides some cases; returns the reasons of those that are refused: all, if the moderator no longer is one."""
    try:
        if bulk.moderator_id is None:
            raise NotFound("the moderator was erased")
        require_staff(bulk.moderator_id)
    except (Forbidden, NotFound) as problem:
        return dict.fromkeys(part, problem.detail)
    return {case_id: why for case_id in part if (why := _decide(bulk, bulk.moderator_id, case_id))}


def _decide(bulk: BulkDecision, moderator_id: int, case_id: int) -> str:
    """Decides one case; returns the reason if that is refused, unless this step decided it when it ran before."""
    try:
        case = Case.objects.filter(id=case_id).first()
        carry_out_for_case(case, decision=bulk.decision, moderator_id=moderator_id, reason=bulk.reason)
    except Unavailable:
        raise  # the whole step is tried again
    except Problem as problem:
        mine = Action.objects.filter(moderator_id=moderator_id, case_id=case_id, reason=bulk.reason)
        return "" if mine.filter(created_at__gte=bulk.created_at).exists() else problem.detail
    return ""


def carry_out_for_case(case: Case | None, *, decision: str, moderator_id: int, reason: str) -> None:
    """Decides a case by the name of the decision. NotFound if it or its author is gone."""
    if case is None:
        raise NotFound("there is no such case")
    if decision == "dismiss":
        dismiss_case(moderator_id=moderator_id, case_id=case.id, reason=reason)
        return
    if case.author_id is None or case.target_id is None:
        raise NotFound("the person it is about was erased")
    target = Target(case.target_type, case.target_id, case.author_id)
    act = Act(decision=decision, target=target, moderator_id=moderator_id, reason=reason, case_id=case.id)
    carry_out(act)


@transactional("moderation")
def _record(bulk_id: int, part: list[int], refused: dict[int, str]) -> None:
    bulk = BulkDecision.objects.select_for_update().get(id=bulk_id)
    done = set(part)
    problems = [f"{case_id}: {refused[case_id]}" for case_id in bulk.case_ids if case_id in refused]
    bulk.case_ids = [case_id for case_id in bulk.case_ids if case_id not in done]
    bulk.failed += len(problems)
    bulk.problems = [*bulk.problems, *problems][:_PROBLEMS_KEPT]
    bulk.finished_at = None if bulk.case_ids else timezone.now()
    bulk.save(update_fields=["case_ids", "failed", "problems", "finished_at"])
