"""Appeals: the person concerned asks once, a moderator answers once."""

from django.utils import timezone

from apps.moderation.actions.decisions import refuse_own, unban_user
from apps.moderation.actions.log import add_entry
from apps.moderation.models import Action, Appeal
from apps.moderation.queries import APPEALABLE
from socialapp.db import atomic
from socialapp.errors import Conflict, NotFound


def file_appeal(*, user_id: int, action_id: int, text: str) -> Appeal:
    """Appeals against an action; 404 when it is not about the caller, 409 when they have appealed before."""
    with atomic("moderation"):
        # Locked, so that an erasure, which takes the person out of the entry, comes before this or after it.
        about_them = Action.objects.select_for_update().filter(id=action_id, user_id=user_id, kind__in=APPEALABLE)
        if about_them.first() is None:
            raise NotFound("there is no such action about you")
        appeal, made = Appeal.objects.get_or_create(action_id=action_id, defaults={"user_id": user_id, "text": text})
        if not made:
            raise Conflict("you have appealed against this already", code="already_appealed")
        return appeal


def decide_appeal(*, moderator_id: int, appeal_id: int, is_accepted: bool, answer: str) -> Appeal:
    """Answers an appeal; an accepted one against a ban lifts it. 409 when it is answered already."""
    with atomic("moderation"):
        appeal = Appeal.objects.select_for_update().select_related("action").filter(id=appeal_id).first()
        if appeal is None:
            raise NotFound("there is no such appeal")
        refuse_own(moderator_id, appeal.user_id)
        if appeal.status != Appeal.Status.OPEN:
            raise Conflict("somebody has decided this appeal already", code="appeal_decided")
        appeal.status = Appeal.Status.ACCEPTED if is_accepted else Appeal.Status.REJECTED
        appeal.answer, appeal.decided_at = answer, timezone.now()
        appeal.save(update_fields=["status", "answer", "decided_at"])
        add_entry(
            Action.Kind.DECIDE_APPEAL,
            moderator_id=moderator_id,
            user_id=appeal.user_id,
            case_id=appeal.action.case_id,
            reason=f"{appeal.status}: {answer}",
        )
        if is_accepted and appeal.action.kind == Action.Kind.BAN_USER:
            unban_user(moderator_id=moderator_id, user_id=appeal.user_id, reason="appeal accepted")
        return appeal
