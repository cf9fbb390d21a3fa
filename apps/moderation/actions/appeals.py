"""Appeals: the person concerned can appeal once, and a moderator answers once."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from apps.moderation.access import require_rank_to_lift
from apps.moderation.actions.answers import write_answer
from apps.moderation.actions.lifting import undo
from apps.moderation.actions.proposals import was_proposed_by
from apps.moderation.models import Action, Appeal
from apps.moderation.queries import APPEALABLE
from socialapp.core.db import transactional
from socialapp.core.errors import Conflict, Forbidden, NotFound


@transactional("moderation")
def file_appeal(*, user_id: int, action_id: int, text: str) -> Appeal:
    """Appeals against an action; NotFound if it is not about the caller, Conflict if they have appealed before or
    APPEAL_DAYS have passed.
    """
    # Locked, so that an erasure, which redacts the entry, happens either before or after this.
    about_them = Action.objects.select_for_update().filter(id=action_id, user_id=user_id, kind__in=APPEALABLE)
    action = about_them.first()
    if action is None:
        raise NotFound("there is no such action about you")
    if action.created_at < timezone.now() - timedelta(days=settings.APPEAL_DAYS):
        raise Conflict(f"an appeal is possible for {settings.APPEAL_DAYS} days only", code="appeal_too_late")
    appeal, made = Appeal.objects.get_or_create(action_id=action_id, defaults={"user_id": user_id, "text": text})
    if not made:
        raise Conflict("you have already appealed against this", code="already_appealed")
    return appeal


def decide_appeal(*, moderator_id: int, appeal_id: int, is_accepted: bool, answer: str) -> Appeal:
    """Answers an appeal; accepting it reverses the decision with all its effects. Calls auth for ranks.

    `answer` is sent to the person; without one they get a default text. Conflict if it is answered already, Invalid for
    the moderator's own appeal, Forbidden for one of staff of the same or a higher rank, as for lifting, and for one
    against a decision that the moderator made or proposed, unless APPEALS_BY_SAME_MODERATOR allows it for an
    installation with a single moderator.
    """
    appeal = Appeal.objects.filter(id=appeal_id).first()
    if appeal is None:
        raise _no_such_appeal()
    require_rank_to_lift(moderator_id=moderator_id, user_id=appeal.user_id)
    return _decide(moderator_id=moderator_id, appeal_id=appeal_id, is_accepted=is_accepted, answer=answer)


@transactional("moderation")
def _decide(*, moderator_id: int, appeal_id: int, is_accepted: bool, answer: str) -> Appeal:
    appeal = Appeal.objects.select_for_update().select_related("action").filter(id=appeal_id).first()
    if appeal is None:
        raise _no_such_appeal()
    if not settings.APPEALS_BY_SAME_MODERATOR and _took_part(moderator_id, appeal.action):
        raise Forbidden("appeals against your decisions are decided by another moderator", code="own_decision")
    if appeal.status != Appeal.Status.OPEN:
        raise Conflict("this appeal has already been decided", code="appeal_decided")
    write_answer(appeal, moderator_id=moderator_id, is_accepted=is_accepted, answer=answer)
    if is_accepted and not Action.objects.filter(reverses_id=appeal.action_id).exists():
        undo(moderator_id=moderator_id, action=appeal.action, reason="appeal accepted")
    return appeal


def _took_part(moderator_id: int, action: Action) -> bool:
    return action.moderator_id == moderator_id or was_proposed_by(moderator_id, action=action)


def _no_such_appeal() -> NotFound:
    return NotFound("there is no such appeal")
