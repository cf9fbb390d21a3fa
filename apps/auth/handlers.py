"""Event handlers of auth: sanctions, appeals and erasures."""

from apps.auth import actions
from socialapp.contracts.auth import UserDeleted
from socialapp.contracts.base import event_type
from socialapp.contracts.lifecycle import ERASED, ContextErased
from socialapp.contracts.moderation import AppealDecided, UserSanctioned
from socialapp.messaging.registry import handles


@handles(UserDeleted)
def erase_account(event: UserDeleted) -> None:
    """Erases auth's data."""
    actions.erase_account(user_id=event.user_id, erasure_id=event.erasure_id)


@handles(*ERASED)
def acknowledge_erasure(event: ContextErased) -> None:
    """Records that the event's producer has erased its data."""
    context = event_type(type(event)).producer
    actions.acknowledge_erasure(erasure_id=event.erasure_id, context=context, rows=event.rows)


@handles(UserSanctioned)
def apply_sanction(event: UserSanctioned) -> None:
    """Applies bans and demands for a new password, and their end; a warning changes nothing here.

    The answer to an appeal is mailed, and needs no second mail about the end of the ban.
    """
    if event.kind in ("ban", "unban"):
        until = f"{event.until:%Y-%m-%d %H:%M} UTC" if event.until else ""
        actions.apply_sanction(
            user_id=event.user_id,
            banned=event.kind == "ban",
            at=event.at,
            action_id=event.action_id,
            notice=None if event.follows_appeal else {"reason": event.reason, "rule": event.rule, "until": until},
        )
    if event.kind in ("demand_password", "waive_password"):
        actions.demand_password_reset(user_id=event.user_id, is_demanded=event.kind == "demand_password", at=event.at)


@handles(AppealDecided)
def tell_of_appeal(event: AppealDecided) -> None:
    """Mails the answer to an appeal to a person who is banned, or was until now."""
    actions.mail_appeal_decision(
        user_id=event.user_id,
        is_accepted=event.is_accepted,
        answer=event.answer,
        is_about_ban=event.is_about_ban,
    )
