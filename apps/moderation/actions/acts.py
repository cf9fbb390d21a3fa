"""Executes decisions by name: the single entry point for pages, lists of cases and proposals."""

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from apps.moderation.actions.decisions import Decision, dismiss_case, release_hold, remove_content, restrict_content
from apps.moderation.actions.sanctions import TIMED, sanction_user
from apps.moderation.models import Action
from apps.moderation.queries import Target
from socialapp.core.errors import Invalid

Kind = Action.Kind
RESTRICTING = {"mark_sensitive": Kind.MARK_SENSITIVE, "hide": Kind.HIDE_CONTENT, "lock": Kind.LOCK_COMMENTS}
SANCTIONING = {
    "warn": Kind.WARN_USER,
    "ban": Kind.BAN_USER,
    "silence": Kind.SILENCE_USER,
    "limit": Kind.LIMIT_USER,
    "limit_links": Kind.LIMIT_LINKS,
    "limit_media": Kind.LIMIT_MEDIA,
    "demand_password": Kind.DEMAND_PASSWORD,
    "reset_profile": Kind.RESET_PROFILE,
}
KINDS = {"remove": Kind.REMOVE_CONTENT, **RESTRICTING, **SANCTIONING}  # what the log calls each decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """A decision by name: its target, moderator, reason, and a note that the person concerned does not see.

    `days`: after how many it ends. `proposer_id`: the administrator who proposed it, if another one confirms.
    """

    decision: str
    target: Target
    moderator_id: int
    reason: str
    note: str = ""
    rule_id: int | None = None
    days: int | None = None
    case_id: int | None = None
    proposer_id: int | None = None


def carry_out(act: Act) -> Action:
    """Executes a decision and closes the case about its target. Calls auth for ranks.

    Invalid for an unknown decision, or one that does not fit the target.
    """
    if act.decision == "dismiss" and act.case_id is not None:
        return dismiss_case(moderator_id=act.moderator_id, case_id=act.case_id, reason=act.reason, note=act.note)
    decision = _decision(act)
    if act.decision == "remove":
        return remove_content(moderator_id=act.moderator_id, target=act.target, decision=decision)
    if act.decision in RESTRICTING:
        kind = RESTRICTING[act.decision]
        return restrict_content(kind, moderator_id=act.moderator_id, target=act.target, decision=decision)
    if act.decision in SANCTIONING:
        kind, user_id = SANCTIONING[act.decision], act.target.author_id
        entry = sanction_user(kind, moderator_id=act.moderator_id, user_id=user_id, decision=decision)
        release_hold(moderator_id=act.moderator_id, target=act.target, reason=act.reason)
        return entry
    raise Invalid.of("decision", "unknown", "There is no such decision.")


def _decision(act: Act) -> Decision:
    is_timed = act.days is not None and SANCTIONING.get(act.decision) in TIMED
    return Decision(
        reason=act.reason,
        note=act.note,
        case_id=act.case_id,
        rule_id=act.rule_id,
        until=timezone.now() + timedelta(days=act.days or 0) if is_timed else None,
        proposer_id=act.proposer_id,
    )
