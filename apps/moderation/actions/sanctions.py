"""Sanctions of people: warnings, bans, silences, limits, profile resets, and their ends."""

from datetime import datetime

from django.utils import timezone

from apps.moderation.access import refuse_own, require_rank, require_rank_to_lift, rule_text
from apps.moderation.actions.cases import close_case, locked_open_case
from apps.moderation.actions.decisions import Decision
from apps.moderation.actions.log import add_entry, lock_log
from apps.moderation.models import Action, Appeal, Outcome, Suspension
from apps.moderation.queries import Target
from socialapp.contracts.moderation import UserSanctioned
from socialapp.core.db import transactional
from socialapp.core.errors import Invalid, NotFound
from socialapp.messaging.publish import publish

Kind = Action.Kind
# Sanctions with a lasting effect, and what reverses each.
REVERSALS = {
    Kind.BAN_USER: Kind.UNBAN_USER,
    Kind.SILENCE_USER: Kind.UNSILENCE_USER,
    Kind.LIMIT_USER: Kind.UNLIMIT_USER,
    Kind.LIMIT_LINKS: Kind.UNLIMIT_LINKS,
    Kind.LIMIT_MEDIA: Kind.UNLIMIT_MEDIA,
    Kind.DEMAND_PASSWORD: Kind.WAIVE_PASSWORD,
    Kind.RESET_PROFILE: Kind.RESTORE_PROFILE,
}
TIMED = (Kind.BAN_USER, Kind.SILENCE_USER, Kind.LIMIT_USER, Kind.LIMIT_LINKS, Kind.LIMIT_MEDIA)


def sanction_user(kind: Action.Kind, *, moderator_id: int, user_id: int, decision: Decision) -> Action:
    """Warns, bans, silences or limits somebody, demands a new password or resets their profile; closes the case.

    Invalid if `until` is past or the kind has no end. Calls auth for ranks.
    """
    if decision.until is not None and (kind not in TIMED or decision.until <= timezone.now()):
        raise Invalid.of("until", "past", "Only bans, silences and limits can end, and only in the future.")
    require_rank(moderator_id=moderator_id, user_id=user_id, proposer_id=decision.proposer_id)
    return _sanction(kind, moderator_id, user_id, decision)


def warn_user(*, moderator_id: int, user_id: int, reason: str, case_id: int | None = None) -> Action:
    """Warns a user; closes the case that led to it. Calls auth for ranks."""
    decision = Decision(reason=reason, case_id=case_id)
    return sanction_user(Kind.WARN_USER, moderator_id=moderator_id, user_id=user_id, decision=decision)


def ban_user(*, moderator_id: int, user_id: int, reason: str, case_id: int | None = None) -> Action:
    """Bans a user; closes the case that led to it. Calls auth for ranks."""
    decision = Decision(reason=reason, case_id=case_id)
    return sanction_user(Kind.BAN_USER, moderator_id=moderator_id, user_id=user_id, decision=decision)


def suspend_user(
    *, moderator_id: int, user_id: int, until: datetime, reason: str, case_id: int | None = None
) -> Action:
    """Bans a user until a moment, at which the ban ends. Invalid if that is past. Calls auth for ranks."""
    decision = Decision(reason=reason, case_id=case_id, until=until)
    return sanction_user(Kind.BAN_USER, moderator_id=moderator_id, user_id=user_id, decision=decision)


def unban_user(*, moderator_id: int, user_id: int, reason: str) -> Action:
    """Lifts a ban or suspension. Calls auth for ranks."""
    require_rank_to_lift(moderator_id=moderator_id, user_id=user_id)
    return _sanction(Kind.UNBAN_USER, moderator_id, user_id, Decision(reason=reason))


@transactional("moderation")
def lift_sanction(*, moderator_id: int, action: Action, reason: str) -> Action | None:
    """Lifts a decision about a person; None if it has no effect to lift, like a warning or a ban that has ended."""
    if action.user_id is None:
        raise NotFound("the person it is about was erased")
    reversal = REVERSALS.get(Kind(action.kind))
    if reversal is None or _has_ended(action, reversal=reversal):
        return None
    return _sanction(reversal, moderator_id, action.user_id, Decision(reason=reason), reverses=action)


def _has_ended(action: Action, *, reversal: Action.Kind) -> bool:
    """Whether a later decision has ended or replaced it; no reset of a profile replaces another."""
    if action.kind == Kind.RESET_PROFILE:
        return False
    kinds = (action.kind, reversal)
    return Action.objects.filter(user_id=action.user_id, kind__in=kinds, sequence__gt=action.sequence).exists()


@transactional("moderation")
def end_suspension(*, suspension_id: int) -> None:
    """Ends a ban, silence or limit that has expired, unless it was ended meanwhile. Idempotent."""
    suspension = Suspension.objects.select_for_update().filter(id=suspension_id).first()
    if suspension is None:
        return
    suspension.delete()
    reversal = REVERSALS[Kind(suspension.kind)]
    _sanction(reversal, None, suspension.user_id, Decision(reason="the suspension is over"))


@transactional("moderation")
def sanction_by_operator(*, user_id: int, kind: str, reason: str) -> Action:
    """Bans or unbans anybody from the command line; Invalid for another kind or without a reason."""
    kinds = {"ban": Kind.BAN_USER, "unban": Kind.UNBAN_USER}
    if kind not in kinds:
        raise Invalid.of("kind", "kind_invalid", "An operator can only ban and unban.")
    if not reason.strip():
        raise Invalid.of("reason", "blank", "A reason is required: it is sent to the person, and logged.")
    return _sanction(kinds[kind], None, user_id, Decision(reason=reason))


@transactional("moderation")
def silence_by_rule(*, user_id: int, reason: str) -> Action | None:
    """Silences the author of a text that matches a rule; None if they are silenced already."""
    lock_log()
    words = Action.objects.filter(user_id=user_id, kind__in=(Kind.SILENCE_USER, Kind.UNSILENCE_USER))
    last = words.order_by("-sequence").first()
    if last is not None and last.kind == Kind.SILENCE_USER:
        return None
    return _sanction(Kind.SILENCE_USER, None, user_id, Decision(reason=reason))


@transactional("moderation")
def reset_profile_by_rule(*, user_id: int, reason: str) -> Action | None:
    """Resets a profile that matches a word rule."""
    return _sanction(Kind.RESET_PROFILE, None, user_id, Decision(reason=reason))


@transactional("moderation")
def _sanction(
    kind: Action.Kind, moderator_id: int | None, user_id: int, decision: Decision, *, reverses: Action | None = None
) -> Action:
    refuse_own(moderator_id=moderator_id, user_id=user_id)
    rule = rule_text(decision.rule_id)
    if decision.case_id is not None:
        close_case(locked_open_case(decision.case_id), outcome=Outcome.SANCTIONED)
    entry = add_entry(
        kind,
        moderator_id=moderator_id,
        user_id=user_id,
        target=Target("user", user_id, user_id),
        case_id=decision.case_id,
        reason=decision.reason,
        note=decision.note,
        rule_id=decision.rule_id,
        until=decision.until,
        reverses_id=reverses.id if reverses else None,
    )
    _set_end(kind, user_id=user_id, action_id=entry.id, until=decision.until)
    publish(
        UserSanctioned(
            user_id=user_id,
            action_id=entry.id,
            kind=kind.value.removesuffix("_user"),
            reason=decision.reason,
            at=entry.created_at,
            until=decision.until,
            rule=rule,
            reverses_action_id=reverses.id if reverses else None,
            follows_appeal=reverses is not None and _is_appealed(reverses),
        )
    )
    return entry


def _is_appealed(action: Action) -> bool:
    """Whether an appeal against it is accepted, or is open and therefore about to be."""
    return Appeal.objects.filter(action=action).exclude(status=Appeal.Status.REJECTED).exists()


def _set_end(kind: Action.Kind, *, user_id: int, action_id: int, until: datetime | None) -> None:
    """The newest decision of a kind, or its end, replaces the scheduled end of an earlier one."""
    replaced = next((one for one in TIMED if kind in (one, REVERSALS[one])), None)
    if replaced is not None:
        Suspension.objects.filter(user_id=user_id, kind=replaced).delete()
    if until is not None:
        Suspension.objects.create(action_id=action_id, user_id=user_id, kind=kind, until=until)
