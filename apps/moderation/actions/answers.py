"""The answer to an appeal: stored, logged and sent to the person who appealed."""

from django.utils import timezone

from apps.moderation.actions.log import add_entry
from apps.moderation.models import Action, Appeal
from socialapp.contracts.moderation import AppealDecided
from socialapp.messaging.publish import publish

REVERSED = "We reviewed our decision and reversed it."
_REJECTED = "We reviewed our decision, and it stands."


def write_answer(appeal: Appeal, *, moderator_id: int, is_accepted: bool, answer: str = "") -> None:
    """Answers an open appeal in the caller's transaction; without an `answer`, by a default text."""
    appeal.status = Appeal.Status.ACCEPTED if is_accepted else Appeal.Status.REJECTED
    appeal.answer = answer.strip() or (REVERSED if is_accepted else _REJECTED)
    appeal.decided_at = timezone.now()
    appeal.save(update_fields=["status", "answer", "decided_at"])
    add_entry(
        Action.Kind.DECIDE_APPEAL,
        moderator_id=moderator_id,
        user_id=appeal.user_id,
        case_id=appeal.action.case_id,
        reason=f"{appeal.status}: {appeal.answer}",
    )
    publish(
        AppealDecided(
            appeal_id=appeal.id,
            action_id=appeal.action_id,
            user_id=appeal.user_id,
            target_type=appeal.action.target_type,
            target_id=appeal.action.target_id,
            is_accepted=is_accepted,
            answer=appeal.answer,
            is_about_ban=appeal.action.kind == Action.Kind.BAN_USER,
        )
    )
