"""What moderators decide about posts, comments and cases. Every decision is logged, and published to be carried out."""

from apps.moderation.access.instance_rules import rule_text
from apps.moderation.access.ranks import refuse_own, require_rank
from apps.moderation.actions.cases import close_case, close_case_of, locked_open_case
from apps.moderation.actions.log import add_entry
from apps.moderation.models import Action, Appeal, Case, Outcome
from apps.moderation.queries.cases import Target
from socialapp.contracts.moderation import ContentRemoved, ContentRestored, ContentRestricted
from socialapp.core.db import transactional
from socialapp.core.errors import Conflict, Invalid, NotFound
from socialapp.messaging.publish import publish

Kind = Action.Kind
# What is in force until it is taken back, what takes it back, and its name for the contexts that carry it out.
RESTRICTIONS = {
    Kind.MARK_SENSITIVE: (Kind.UNMARK_SENSITIVE, "sensitive"),
    Kind.HIDE_CONTENT: (Kind.UNHIDE_CONTENT, "hidden"),
}


def remove_content(*, moderator_id: int, target: Target, reason: str, rule_id: int | None = None) -> Action:
    """Removes a post or comment and closes its case. Again is answered with the first removal. Asks auth for ranks."""
    require_rank(moderator_id=moderator_id, user_id=target.author_id)
    return write_removal(moderator_id=moderator_id, target=target, reason=reason, rule_id=rule_id)


@transactional("moderation")
def write_removal(*, moderator_id: int | None, target: Target, reason: str, rule_id: int | None = None) -> Action:
    """The removal itself, for those who have asked for ranks; `moderator_id` is None for a word rule."""
    if target.type not in ("post", "comment"):
        raise Invalid.of("target_type", "not_content", "Only posts and comments can be removed.")
    refuse_own(moderator_id=moderator_id, user_id=target.author_id)
    rule = rule_text(rule_id)
    close_case_of(target.key, outcome=Outcome.REMOVED)
    removals = Action.objects.filter(kind=Kind.REMOVE_CONTENT, target_type=target.type, target_id=target.id)
    # What an appeal has brought back can be removed again.
    earlier = removals.exclude(appeal__status=Appeal.Status.ACCEPTED).order_by("-sequence").first()
    if earlier is not None and not _was_lifted(earlier):
        return earlier
    entry = add_entry(
        Kind.REMOVE_CONTENT,
        moderator_id=moderator_id,
        user_id=target.author_id,
        target=target,
        reason=reason,
        rule_id=rule_id,
    )
    publish(
        ContentRemoved(
            target_type=target.type,
            target_id=target.id,
            author_id=target.author_id,
            action_id=entry.id,
            reason=reason,
            rule=rule,
        )
    )
    return entry


@transactional("moderation")
def restore_content(*, moderator_id: int, removal: Action, reason: str) -> Action:
    """Takes a removal back: the post or comment returns as it was."""
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
    return entry


def restrict_content(
    kind: Action.Kind, *, moderator_id: int, target: Target, reason: str, rule_id: int | None = None
) -> Action:
    """Marks a post sensitive, or hides it from everybody but its author, and closes its case. Asks auth for ranks."""
    require_rank(moderator_id=moderator_id, user_id=target.author_id)
    return _write_restriction(kind, moderator_id=moderator_id, target=target, reason=reason, rule_id=rule_id)


@transactional("moderation")
def _write_restriction(
    kind: Action.Kind, *, moderator_id: int, target: Target, reason: str, rule_id: int | None
) -> Action:
    if target.type != "post":
        raise Invalid.of("target_type", "not_content", "Only posts can be hidden or marked as sensitive.")
    rule = rule_text(rule_id)
    close_case_of(target.key, outcome=Outcome.SANCTIONED)
    entry = add_entry(
        kind, moderator_id=moderator_id, user_id=target.author_id, target=target, reason=reason, rule_id=rule_id
    )
    _publish_restriction(entry, target, kind=RESTRICTIONS[kind][1], is_active=True, rule=rule)
    return entry


@transactional("moderation")
def lift_restriction(*, moderator_id: int, action: Action, reason: str) -> Action:
    """Takes a mark or a hiding back."""
    target = _target_of_entry(action)
    reversal, name = RESTRICTIONS[Kind(action.kind)]
    entry = add_entry(
        reversal,
        moderator_id=moderator_id,
        user_id=target.author_id,
        target=target,
        reason=reason,
        reverses_id=action.id,
    )
    _publish_restriction(entry, target, kind=name, is_active=False, rule="")
    return entry


def _publish_restriction(entry: Action, target: Target, *, kind: str, is_active: bool, rule: str) -> None:
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
        )
    )


@transactional("moderation")
def dismiss_case(*, moderator_id: int, case_id: int, reason: str) -> Action:
    """Closes a case: nothing is wrong with its target. 409 when it is closed already."""
    case = locked_open_case(case_id)
    refuse_own(moderator_id=moderator_id, user_id=case.author_id)
    entry = add_entry(
        Kind.DISMISS_CASE, moderator_id=moderator_id, target=_target_of(case), case_id=case.id, reason=reason
    )
    close_case(case, outcome=Outcome.DISMISSED)
    return entry


def refuse_lifted(action: Action) -> None:
    """Conflict when the decision was taken back before."""
    if _was_lifted(action):
        raise Conflict("this was taken back already", code="already_lifted")


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
