"""Handlers of what moderators decide: they notify the people concerned."""

from datetime import UTC, datetime

from apps.notifications import actions
from apps.notifications.actions import NotificationRequest
from socialapp.contracts.moderation import (
    AppealDecided,
    ContentRemoved,
    ContentRestored,
    ContentRestricted,
    ReportResolved,
    UserSanctioned,
)
from socialapp.messaging.registry import handles

_OUTCOMES = {
    "removed": "We removed what you reported. Thank you for telling us.",
    "sanctioned": "We took action on what you reported. Thank you for telling us.",
    "gone": "What you reported is no longer there. Thank you for telling us.",
    "dismissed": "We looked at what you reported and found that it keeps to our rules. Thank you for telling us.",
}


_SANCTIONS = {
    "warn": "A moderator has warned you",
    "silence": "A moderator has silenced your account{until}: only your followers come across what you write",
    "limit": "A moderator has limited your account{until}: you may not write posts and comments",
    "limit_links": "A moderator has limited your account{until}: you may not post links",
    "limit_media": "A moderator has limited your account{until}: you may not post pictures and videos",
    "demand_password": "A moderator has asked you to set a new password",
    "reset_profile": "A moderator has emptied your profile",
    "unsilence": "Your account is no longer silenced",
    "unlimit": "Your account is no longer limited",
    "unlimit_links": "You may post links again",
    "unlimit_media": "You may post pictures and videos again",
    "waive_password": "You need not set a new password any more",
    "restore_profile": "Your profile is back as it was",
}


def _why(reason: str, rule: str) -> str:
    """The end of a sentence: the reason, and the rule that was broken."""
    words = f": {reason}" if reason else "."
    return f"{words} (Rule {rule})" if rule else words


@handles(UserSanctioned)
def notify_of_sanction(event: UserSanctioned) -> None:
    """Notifies somebody of what was decided about them; who is banned or unbanned learns it when logging in."""
    if event.kind not in _SANCTIONS:
        return
    until = f" until {event.until:%Y-%m-%d %H:%M} UTC" if event.until else ""
    message = _SANCTIONS[event.kind].format(until=until) + _why(event.reason, event.rule)
    _notify_from_moderation(
        user_id=event.user_id,
        topic=f"moderation:{event.action_id}",
        message=message,
        action_id=event.action_id,
        target=("user", event.user_id),
    )


@handles(ContentRemoved)
def notify_of_removal(event: ContentRemoved) -> None:
    """Notifies the author of what a moderator removed."""
    _notify_from_moderation(
        user_id=event.author_id,
        topic=f"moderation:{event.action_id}:{event.target_id}",
        message=f"A moderator has removed your {event.target_type}{_why(event.reason, event.rule)}",
        action_id=event.action_id,
        target=(event.target_type, event.target_id),
    )


_RESTRICTIONS = {
    ("sensitive", True): "A moderator has marked your {} as sensitive",
    ("sensitive", False): "Your {} is no longer marked as sensitive",
    ("hidden", True): "A moderator has hidden your {}: nobody else sees it",
    ("waiting", True): "Your {} waits for a moderator to look at it: until then nobody else sees it",
    ("locked", True): "A moderator has closed the comments on your {}",
    ("locked", False): "People may comment on your {} again",
    ("hidden", False): "Your {} is no longer hidden",
}


@handles(ContentRestricted)
def notify_of_restriction(event: ContentRestricted) -> None:
    """Notifies the author of what was marked or hidden, or is no longer."""
    kind = "waiting" if event.is_waiting else event.kind
    sentence = _RESTRICTIONS[kind, event.is_active].format(event.target_type)
    _notify_from_moderation(
        user_id=event.author_id,
        topic=f"moderation:{event.action_id}:{event.target_id}",
        message=sentence + _why(event.reason, event.rule),
        action_id=event.action_id,
        target=(event.target_type, event.target_id),
    )


@handles(ContentRestored)
def notify_of_restoration(event: ContentRestored) -> None:
    """Notifies the author of what was removed wrongly that it is back."""
    _notify_from_moderation(
        user_id=event.author_id,
        topic=f"restored:{event.action_id}:{event.target_id}",
        message=f"We looked at your appeal, and your {event.target_type} is back.",
        action_id=event.action_id,
        target=(event.target_type, event.target_id),
    )


@handles(ReportResolved)
def notify_of_report_outcome(event: ReportResolved) -> None:
    """Notifies a reporter of what came of the report."""
    message = _OUTCOMES.get(event.outcome, _OUTCOMES["dismissed"])
    _notify_from_moderation(user_id=event.reporter_id, topic=f"report:{event.report_id}", message=message)


def _notify_from_moderation(
    *, user_id: int, topic: str, message: str, action_id: int | None = None, target: tuple[str, int] | None = None
) -> None:
    target_type, target_id = target or ("", None)
    request = NotificationRequest(
        user_id=user_id,
        kind="moderation",
        topic=topic,
        at=datetime.now(UTC),
        message=message[:500],
        action_id=action_id,
        target_type=target_type,
        target_id=target_id,
    )
    actions.notify([request])


@handles(AppealDecided)
def notify_of_appeal(event: AppealDecided) -> None:
    """Notifies somebody of the answer to their appeal; what comes back is announced by its restoration."""
    if event.is_accepted and event.target_type in ("post", "comment"):
        return
    outcome = "accepted" if event.is_accepted else "rejected"
    target = (event.target_type, event.target_id) if event.target_id is not None else None
    _notify_from_moderation(
        user_id=event.user_id,
        action_id=event.action_id,
        target=target,
        topic=f"appeal:{event.appeal_id}",
        message=f"Your appeal was {outcome}: {event.answer}",
    )
