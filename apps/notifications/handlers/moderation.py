"""Handlers of moderation events: notify the people concerned."""

from datetime import UTC, datetime

from apps.notifications import actions, presenters
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


@handles(UserSanctioned)
def notify_of_sanction(event: UserSanctioned) -> None:
    """Notifies somebody of a sanction or its end; bans are mailed instead."""
    message = presenters.sanction_text(event.kind, until=event.until, reason=event.reason, rule=event.rule)
    if not message:
        return
    _notify_from_moderation(
        user_id=event.user_id,
        topic=f"moderation:{event.action_id}",
        message=message,
        action_id=event.action_id,
        target=("user", event.user_id),
    )


@handles(ContentRemoved)
def notify_of_removal(event: ContentRemoved) -> None:
    """Notifies the author of a removed post or comment."""
    _notify_from_moderation(
        user_id=event.author_id,
        topic=f"moderation:{event.action_id}:{event.target_id}",
        message=presenters.removal_text(event.target_type, reason=event.reason, rule=event.rule),
        action_id=event.action_id,
        target=(event.target_type, event.target_id),
    )


@handles(ContentRestricted)
def notify_of_restriction(event: ContentRestricted) -> None:
    """Notifies the author of a restriction of a post or comment, or of its end."""
    kind = "waiting" if event.is_waiting else event.kind
    message = presenters.restriction_text(
        kind=kind, target_type=event.target_type, is_active=event.is_active, reason=event.reason, rule=event.rule
    )
    _notify_from_moderation(
        user_id=event.author_id,
        topic=f"moderation:{event.action_id}:{event.target_id}",
        message=message,
        action_id=event.action_id,
        target=(event.target_type, event.target_id),
    )


@handles(ContentRestored)
def notify_of_restoration(event: ContentRestored) -> None:
    """Notifies the author that a wrongly removed post or comment is restored."""
    _notify_from_moderation(
        user_id=event.author_id,
        topic=f"restored:{event.action_id}:{event.target_id}",
        message=presenters.restoration_text(event.target_type),
        action_id=event.action_id,
        target=(event.target_type, event.target_id),
    )


@handles(ReportResolved)
def notify_of_report_outcome(event: ReportResolved) -> None:
    """Notifies a reporter of the outcome of the report."""
    _notify_from_moderation(
        user_id=event.reporter_id, topic=f"report:{event.report_id}", message=presenters.report_text(event.outcome)
    )


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
    """Notifies somebody of the answer to their appeal; what it reverses has a notification of its own."""
    target = (event.target_type, event.target_id) if event.target_id is not None else None
    _notify_from_moderation(
        user_id=event.user_id,
        action_id=event.action_id,
        target=target,
        topic=f"appeal:{event.appeal_id}",
        message=presenters.appeal_text(event.answer, is_accepted=event.is_accepted),
    )
