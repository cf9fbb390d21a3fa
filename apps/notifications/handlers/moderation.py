"""Handlers of what moderators decide: tells the people concerned."""

from datetime import UTC, datetime

from apps.notifications import actions
from apps.notifications.actions import NotificationRequest
from socialapp.contracts.moderation import (
    AppealDecided,
    ContentRemoved,
    ContentRestored,
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


@handles(UserSanctioned)
def notify_of_warning(event: UserSanctioned) -> None:
    """Notifies somebody who was warned; who is banned or unbanned learns it when logging in."""
    if event.kind != "warn":
        return
    message = f"A moderator has warned you: {event.reason}" if event.reason else "A moderator has warned you."
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
    reason = f": {event.reason}" if event.reason else "."
    _notify_from_moderation(
        user_id=event.author_id,
        topic=f"moderation:{event.action_id}:{event.target_id}",
        message=f"A moderator has removed your {event.target_type}{reason}",
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
