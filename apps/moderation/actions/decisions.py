"""Decisions about posts, comments and cases. Each is logged, and published for execution."""

from dataclasses import dataclass
from datetime import datetime

from apps.moderation.access import refuse_own, require_rank, rule_text
from apps.moderation.actions.cases import close_case, close_case_of, locked_open_case
from apps.moderation.actions.log import add_entry, lock_log
from apps.moderation.models import Action, Appeal, Case, Outcome
from apps.moderation.queries import Target
from socialapp.contracts.moderation import ContentRemoved, ContentRestored, ContentRestricted
from socialapp.core.db import transactional
from socialapp.core.errors import Conflict, Invalid, NotFound
from socialapp.messaging.publish import publish

Kind = Action.Kind
# Decisions with a lasting effect, what reverses each, and its name for the contexts that execute it.
RESTRICTIONS = {
    Kind.MARK_SENSITIVE: (Kind.UNMARK_SENSITIVE, "sensitive"),
    Kind.HIDE_CONTENT: (Kind.UNHIDE_CONTENT, "hidden"),
    Kind.HOLD_CONTENT: (Kind.RELEASE_CONTENT, "hidden"),
    Kind.LOCK_COMMENTS: (Kind.UNLOCK_COMMENTS, "locked"),
}
DEFAULT_REASON = "It breaks the rules."  # for decisions without a reason
_DISMISSED = "It follows the rules."
_FOR_COMMENTS_TOO = (Kind.HIDE_CONTENT, Kind.HOLD_CONTENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A decision: its reason, rule, case, end, and a note for moderators.

    `proposer_id` is the administrator who proposed it, if another one confirms.
    """

    reason: str
    note: str = ""
    proposer_id: int | None = None
    case_id: int | None = None
    rule_id: int | None = None
    until: datetime | None = None


def default_reason(decision: str) -> str:
    """The reason that people are sent when the moderator gives none."""
    return _DISMISSED if decision == "dismiss" else DEFAULT_REASON


def remove_content(*, moderator_id: int, target: Target, decision: Decision) -> Action:
    """Removes a post or comment and closes its case. Repeated, it returns the first removal. Calls auth for ranks.

    Conflict if the decision's case is closed.
    """
    require_rank(moderator_id=moderator_id, user_id=target.author_id, proposer_id=decision.proposer_id)
    return write_removal(moderator_id=moderator_id, target=target, decision=decision)


@transactional("moderation")
def write_removal(*, moderator_id: int | None, target: Target, decision: Decision) -> Action:
    """Removes without a check of ranks, which the caller has done; `moderator_id` is None for a word rule."""
    if target.type not in ("post", "comment"):
        raise Invalid.of("target_type", "not_content", "Only posts and comments can be removed.")
    refuse_own(moderator_id=moderator_id, user_id=target.author_id)
    rule = rule_text(decision.rule_id)
    _close_case_about(target, decision, outcome=Outcome.REMOVED)
    lock_log()
    removals = Action.objects.filter(kind=Kind.REMOVE_CONTENT, target_type=target.type, target_id=target.id)
    # What an appeal has restored can be removed again.
    earlier = removals.exclude(appeal__status=Appeal.Status.ACCEPTED).order_by("-sequence").first()
    if earlier is not None and not _was_lifted(earlier):
        return earlier
    entry = _add_entry(Kind.REMOVE_CONTENT, moderator_id=moderator_id, target=target, decision=decision)
    publish(
        ContentRemoved(
            target_type=target.type,
            target_id=target.id,
            author_id=target.author_id,
            action_id=entry.id,
            reason=entry.reason,
            rule=rule,
        )
    )
    return entry


def _close_case_about(target: Target, decision: Decision, *, outcome: Outcome) -> None:
    """Closes the case that led to the decision, unless it is closed already; otherwise the open one about the
    target."""
    if decision.case_id is not None:
        close_case(locked_open_case(decision.case_id), outcome=outcome)
    else:
        close_case_of(target.key, outcome=outcome)


def _add_entry(kind: Action.Kind, *, moderator_id: int | None, target: Target, decision: Decision) -> Action:
    return add_entry(
        kind,
        moderator_id=moderator_id,
        user_id=target.author_id,
        target=target,
        case_id=decision.case_id,
        reason=decision.reason,
        note=decision.note,
        rule_id=decision.rule_id,
    )


@transactional("moderation")
def restore_content(*, moderator_id: int, removal: Action, reason: str) -> Action:
    """Reverses a removal: the post or comment is restored as it was."""
    target = _target_of_entry(removal)
    entry = add_entry(
        Kind.RESTORE_CONTENT,
        moderator_id=moderator_id,
        user_id=target.author_id,
        target=target,
        reason=reason,
        reverses_id=removal.id,
    )
    publish(
        ContentRestored(target_type=target.type, target_id=target.id, author_id=target.author_id, action_id=removal.id)
    )
    release_hold(moderator_id=moderator_id, target=target, reason=reason)
    return entry


def restrict_content(kind: Action.Kind, *, moderator_id: int, target: Target, decision: Decision) -> Action:
    """Hides a post or comment from everybody but its author, marks a post sensitive or locks its comments, and closes
    its case. Calls auth for ranks. Conflict if the decision's case is closed.
    """
    require_rank(moderator_id=moderator_id, user_id=target.author_id, proposer_id=decision.proposer_id)
    return _write_restriction(kind, moderator_id=moderator_id, target=target, decision=decision)


@transactional("moderation")
def hold_content(*, target: Target, reason: str) -> Action | None:
    """Hides a post or comment for a word rule until a moderator has decided about it; None if it is hidden already.

    The caller has opened a case about it.
    """
    lock_log()
    if _in_force(target, Kind.HOLD_CONTENT) or _in_force(target, Kind.HIDE_CONTENT):
        return None
    entry = add_entry(Kind.HOLD_CONTENT, moderator_id=None, user_id=target.author_id, target=target, reason=reason)
    _publish_restriction(entry, target, kind="hidden", is_active=True, rule="", is_waiting=True)
    return entry


@transactional("moderation")
def release_hold(*, moderator_id: int | None, target: Target, reason: str) -> None:
    """Shows what a rule holds back, if anything. A moderator's decision about it ends the waiting."""
    lock_log()
    held = _in_force(target, Kind.HOLD_CONTENT)
    if held is not None:
        lift_restriction(moderator_id=moderator_id, action=held, reason=reason)


def _in_force(target: Target, kind: Action.Kind) -> Action | None:
    """The last decision of a kind about a target that was not lifted."""
    last = Action.objects.filter(target_type=target.type, target_id=target.id, kind=kind).order_by("-sequence").first()
    return last if last is not None and not _was_lifted(last) else None


@transactional("moderation")
def _write_restriction(kind: Action.Kind, *, moderator_id: int, target: Target, decision: Decision) -> Action:
    if target.type != "post" and not (target.type == "comment" and kind in _FOR_COMMENTS_TOO):
        raise Invalid.of(
            "target_type", "not_content", "Only posts can be restricted like this; comments can be hidden."
        )
    rule = rule_text(decision.rule_id)
    _close_case_about(target, decision, outcome=Outcome.SANCTIONED)
    lock_log()
    if kind == Kind.HIDE_CONTENT:
        _end_hold(target, moderator_id=moderator_id, reason=decision.reason)
    else:
        release_hold(moderator_id=moderator_id, target=target, reason=decision.reason)
    earlier = _in_force(target, kind)
    if earlier is not None:
        return earlier
    entry = _add_entry(kind, moderator_id=moderator_id, target=target, decision=decision)
    _publish_restriction(entry, target, kind=RESTRICTIONS[kind][1], is_active=True, rule=rule)
    return entry


def _end_hold(target: Target, *, moderator_id: int, reason: str) -> None:
    """Ends the waiting of what a moderator is about to hide, so that it is never visible in between."""
    held = _in_force(target, Kind.HOLD_CONTENT)
    if held is not None:
        _write_lifting(held, moderator_id=moderator_id, reason=reason)


@transactional("moderation")
def lift_restriction(*, moderator_id: int | None, action: Action, reason: str) -> Action:
    """Lifts a mark or a hiding."""
    entry = _write_lifting(action, moderator_id=moderator_id, reason=reason)
    name = RESTRICTIONS[Kind(action.kind)][1]
    _publish_restriction(entry, _target_of_entry(action), kind=name, is_active=False, rule="")
    return entry


def _write_lifting(action: Action, *, moderator_id: int | None, reason: str) -> Action:
    """The log entry for a lifted restriction; publishing it takes effect."""
    target = _target_of_entry(action)
    return add_entry(
        RESTRICTIONS[Kind(action.kind)][0],
        moderator_id=moderator_id,
        user_id=target.author_id,
        target=target,
        reason=reason,
        reverses_id=action.id,
    )


def _publish_restriction(
    entry: Action, target: Target, *, kind: str, is_active: bool, rule: str, is_waiting: bool = False
) -> None:
    publish(
        ContentRestricted(
            target_type=target.type,
            target_id=target.id,
            author_id=target.author_id,
            action_id=entry.id,
            kind=kind,
            is_active=is_active,
            reason=entry.reason,
            at=entry.created_at,
            rule=rule,
            is_waiting=is_waiting,
        )
    )


@transactional("moderation")
def dismiss_case(*, moderator_id: int, case_id: int, reason: str, note: str = "") -> Action:
    """Closes a case as unfounded; its target no longer waits. Conflict if it is closed already."""
    case = locked_open_case(case_id)
    refuse_own(moderator_id=moderator_id, user_id=case.author_id)
    target = _target_of(case)
    entry = add_entry(
        Kind.DISMISS_CASE, moderator_id=moderator_id, target=target, case_id=case.id, reason=reason, note=note
    )
    close_case(case, outcome=Outcome.DISMISSED)
    if target is not None:
        release_hold(moderator_id=moderator_id, target=target, reason=reason)
    return entry


def refuse_lifted(action: Action) -> None:
    """Conflict if the decision was lifted before."""
    if _was_lifted(action):
        raise Conflict("this has already been lifted", code="already_lifted")


def _was_lifted(action: Action) -> bool:
    return Action.objects.filter(reverses_id=action.id).exists()


def _target_of(case: Case) -> Target | None:
    if case.target_id is None or case.author_id is None:
        return None
    return Target(case.target_type, case.target_id, case.author_id)


def _target_of_entry(action: Action) -> Target:
    if action.target_id is None or action.user_id is None:
        raise NotFound("the person it is about was erased")
    return Target(action.target_type, action.target_id, action.user_id)
