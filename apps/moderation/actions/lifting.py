"""Lifts decisions of any kind, for an accepted appeal or on a moderator's own initiative."""

from apps.moderation.access import require_rank_to_lift
from apps.moderation.actions.answers import REVERSED, write_answer
from apps.moderation.actions.decisions import RESTRICTIONS, lift_restriction, refuse_lifted, restore_content
from apps.moderation.actions.sanctions import REVERSALS, lift_sanction
from apps.moderation.models import Action, Appeal
from socialapp.core.db import transactional
from socialapp.core.errors import Conflict, NotFound


def lift_action(*, moderator_id: int, action_id: int, reason: str) -> Action:
    """Lifts a decision: its effect is reversed, and an open appeal is accepted. Calls auth for ranks.

    Without a reason, the person concerned gets a default one.
    NotFound if there is none, Conflict if it was lifted before or has no effect to lift.
    """
    action = Action.objects.filter(id=action_id).first()
    if action is None or action.user_id is None:
        raise NotFound("there is no such decision, or the person it is about was erased")
    require_rank_to_lift(moderator_id=moderator_id, user_id=action.user_id)
    return _lift(moderator_id, action_id, reason.strip() or REVERSED)


@transactional("moderation")
def _lift(moderator_id: int, action_id: int, reason: str) -> Action:
    action = Action.objects.select_for_update().get(id=action_id)
    refuse_lifted(action)
    lifted = undo(moderator_id=moderator_id, action=action, reason=reason)
    if lifted is None:
        raise Conflict("this has no effect that could be lifted", code="nothing_to_lift")
    appeals = Appeal.objects.select_for_update().select_related("action")
    for appeal in appeals.filter(action=action, status=Appeal.Status.OPEN):
        write_answer(appeal, moderator_id=moderator_id, is_accepted=True)
    return lifted


def undo(*, moderator_id: int, action: Action, reason: str) -> Action | None:
    """Reverses the effect of a decision in the caller's transaction; None if it had no lasting one."""
    kind = Action.Kind(action.kind)
    if kind == Action.Kind.REMOVE_CONTENT:
        return restore_content(moderator_id=moderator_id, removal=action, reason=reason)
    if kind in RESTRICTIONS:
        return lift_restriction(moderator_id=moderator_id, action=action, reason=reason)
    if kind in REVERSALS:
        return lift_sanction(moderator_id=moderator_id, action=action, reason=reason)
    return None
