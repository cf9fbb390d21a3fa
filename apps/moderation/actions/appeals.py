"""Appeals: the person concerned asks once, a moderator answers once."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from apps.moderation.access import refuse_own
from apps.moderation.actions.answers import write_answer
from apps.moderation.actions.lifting import undo
from apps.moderation.models import Action, Appeal
from apps.moderation.queries import APPEALABLE
from socialapp.core.db import transactional
from socialapp.core.errors import Conflict, Forbidden, NotFound


@transactional("moderation")
def file_appeal(*, user_id: int, action_id: int, text: str) -> Appeal:
    """Appeals against an action; 404 when it is not about the caller, 409 when they have appealed before or it is
    longer ago than APPEAL_DAYS.
    """
    # Locked, so that an erasure, which takes the person out of the entry, comes before this or after it.
    about_them = Action.objects.select_for_update().filter(id=action_id, user_id=user_id, kind__in=APPEALABLE)
    action = about_them.first()
    if action is None:
        raise NotFound("there is no such action about you")
    if action.created_at < timezone.now() - timedelta(days=settings.APPEAL_DAYS):
        raise Conflict(f"one can appeal for {settings.APPEAL_DAYS} days", code="appeal_too_late")
    appeal, made = Appeal.objects.get_or_create(action_id=action_id, defaults={"user_id": user_id, "text": text})
    if not made:
        raise Conflict("you have appealed against this already", code="already_appealed")
    return appeal


@transactional("moderation")
def decide_appeal(*, moderator_id: int, appeal_id: int, is_accepted: bool, answer: str) -> Appeal:
    """Answers an appeal; an accepted one takes the decision back, with all its effects.

    `answer` is sent to the person; without one they get a sentence that fits. 409 when it is answered already, 422 for
    an appeal of the moderator's own, 403 for one against the moderator's own decision, unless
    APPEALS_BY_SAME_MODERATOR allows it for an installation with a single moderator.
    """
    appeal = Appeal.objects.select_for_update().select_related("action").filter(id=appeal_id).first()
    if appeal is None:
        raise NotFound("there is no such appeal")
    refuse_own(moderator_id=moderator_id, user_id=appeal.user_id)
    if appeal.action.moderator_id == moderator_id and not settings.APPEALS_BY_SAME_MODERATOR:
        raise Forbidden("another moderator decides about appeals against your decisions", code="own_decision")
    if appeal.status != Appeal.Status.OPEN:
        raise Conflict("somebody has decided this appeal already", code="appeal_decided")
    write_answer(appeal, moderator_id=moderator_id, is_accepted=is_accepted, answer=answer)
    if is_accepted and not Action.objects.filter(reverses_id=appeal.action_id).exists():
        undo(moderator_id=moderator_id, action=appeal.action, reason="appeal accepted")
    return appeal
