"""What moderators decide. Every decision is logged, and published for the contexts that carry it out."""

from datetime import datetime

from django.utils import timezone

from apps.moderation.access import refuse_own, require_rank
from apps.moderation.actions.cases import close_case, close_case_of
from apps.moderation.actions.log import add_entry
from apps.moderation.models import Action, Appeal, Case, Outcome, Suspension
from apps.moderation.queries import Target
from socialapp.contracts.moderation import ContentRemoved, ContentRestored, UserSanctioned
from socialapp.core.db import transactional
from socialapp.core.errors import Conflict, Invalid, NotFound
from socialapp.messaging.publish import publish


def remove_content(*, moderator_id: int, target: Target, reason: str) -> Action:
    """Removes a post or comment and closes its case. Again is answered with the first removal. Asks auth for ranks."""
    require_rank(moderator_id=moderator_id, user_id=target.author_id)
    return write_removal(moderator_id=moderator_id, target=target, reason=reason)


@transactional("moderation")
def write_removal(*, moderator_id: int | None, target: Target, reason: str) -> Action:
    """The removal itself, for those who have asked for ranks; `moderator_id` is None for a word rule."""
    if target.type not in ("post", "comment"):
        raise Invalid.of("target_type", "not_content", "Only posts and comments can be removed.")
    refuse_own(moderator_id, target.author_id)
    close_case_of(target.key, Outcome.REMOVED)
    removals = Action.objects.filter(kind=Action.Kind.REMOVE_CONTENT, target_type=target.type, target_id=target.id)
    # What an appeal has brought back can be removed again.
    earlier = removals.exclude(appeal__status=Appeal.Status.ACCEPTED).first()
    if earlier is not None:
        return earlier
    entry = add_entry(
        Action.Kind.REMOVE_CONTENT,
        moderator_id=moderator_id,
        user_id=target.author_id,
        target=target,
        reason=reason,
    )
    publish(
        ContentRemoved(
            target_type=target.type,
            target_id=target.id,
            author_id=target.author_id,
            action_id=entry.id,
            reason=reason,
        )
    )
    return entry


@transactional("moderation")
def restore_content(*, moderator_id: int, removal: Action, reason: str) -> Action:
    """Takes a removal back: the post or comment returns as it was."""
    if removal.target_id is None or removal.user_id is None:
        raise NotFound("the person it is about was erased")
    target = Target(removal.target_type, removal.target_id, removal.user_id)
    entry = add_entry(
        Action.Kind.RESTORE_CONTENT,
        moderator_id=moderator_id,
        user_id=target.author_id,
        target=target,
        reason=reason,
    )
    publish(
        ContentRestored(target_type=target.type, target_id=target.id, author_id=target.author_id, action_id=removal.id)
    )
    return entry


def warn_user(*, moderator_id: int, user_id: int, reason: str, case_id: int | None = None) -> Action:
    """Warns a user; closes the case that led to it. Asks auth for ranks."""
    require_rank(moderator_id=moderator_id, user_id=user_id)
    return _sanction(Action.Kind.WARN_USER, moderator_id, user_id, reason, case_id)


def ban_user(*, moderator_id: int, user_id: int, reason: str, case_id: int | None = None) -> Action:
    """Bans a user; closes the case that led to it. Asks auth for ranks."""
    require_rank(moderator_id=moderator_id, user_id=user_id)
    return _sanction(Action.Kind.BAN_USER, moderator_id, user_id, reason, case_id)


def suspend_user(
    *, moderator_id: int, user_id: int, until: datetime, reason: str, case_id: int | None = None
) -> Action:
    """Bans a user until a moment, at which the ban ends by itself. 422 when that has passed. Asks auth for ranks."""
    if until <= timezone.now():
        raise Invalid.of("until", "past", "A suspension ends in the future.")
    require_rank(moderator_id=moderator_id, user_id=user_id)
    return _sanction(Action.Kind.BAN_USER, moderator_id, user_id, reason, case_id, until=until)


@transactional("moderation")
def end_suspension(*, suspension_id: int) -> None:
    """Lifts a ban whose time is over, unless somebody was faster. Idempotent."""
    suspension = Suspension.objects.select_for_update().filter(id=suspension_id).first()
    if suspension is None:
        return
    suspension.delete()
    _sanction(Action.Kind.UNBAN_USER, None, suspension.user_id, "the suspension is over", None)


def unban_user(*, moderator_id: int, user_id: int, reason: str) -> Action:
    """Lifts a ban or ends a suspension."""
    return _sanction(Action.Kind.UNBAN_USER, moderator_id, user_id, reason, None)


@transactional("moderation")
def dismiss_case(*, moderator_id: int, case_id: int, reason: str) -> Action:
    """Closes a case: nothing is wrong with its target. 409 when it is closed already."""
    case = _locked_open_case(case_id)
    refuse_own(moderator_id, case.author_id)
    entry = add_entry(
        Action.Kind.DISMISS_CASE, moderator_id=moderator_id, target=_target_of(case), case_id=case.id, reason=reason
    )
    close_case(case, Outcome.DISMISSED)
    return entry


@transactional("moderation")
def _sanction(
    kind: Action.Kind,
    moderator_id: int | None,
    user_id: int,
    reason: str,
    case_id: int | None,
    *,
    until: datetime | None = None,
) -> Action:
    refuse_own(moderator_id, user_id)
    if case_id is not None:
        close_case(_locked_open_case(case_id), Outcome.SANCTIONED)
    entry = add_entry(
        kind,
        moderator_id=moderator_id,
        user_id=user_id,
        target=Target("user", user_id, user_id),
        case_id=case_id,
        reason=reason,
    )
    if kind in (Action.Kind.BAN_USER, Action.Kind.UNBAN_USER):
        Suspension.objects.filter(user_id=user_id).delete()
    if until is not None:
        Suspension.objects.create(action_id=entry.id, user_id=user_id, until=until)
    publish(
        UserSanctioned(
            user_id=user_id,
            action_id=entry.id,
            kind=kind.value.removesuffix("_user"),
            reason=reason,
            at=entry.created_at,
        )
    )
    return entry


def _locked_open_case(case_id: int) -> Case:
    case = Case.objects.select_for_update().filter(id=case_id).first()
    if case is None:
        raise NotFound("there is no such case")
    if not case.is_open:
        raise Conflict("somebody has decided this case already", code="case_closed")
    return case


def _target_of(case: Case) -> Target | None:
    if case.target_id is None or case.author_id is None:
        return None
    return Target(case.target_type, case.target_id, case.author_id)
