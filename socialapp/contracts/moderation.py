"""What moderation tells and answers."""

from datetime import datetime
from typing import Protocol

from socialapp.contracts.base import event, service, write


@event("moderation.report_filed", subject="report_id")
class ReportFiled:
    """Somebody reported a user, a post or a comment."""

    report_id: int
    target_type: str
    target_id: int
    reporter_id: int


@event("moderation.content_removed", subject="target_id")
class ContentRemoved:
    """A moderator removed a post or a comment (`target_type`)."""

    target_type: str
    target_id: int
    author_id: int
    action_id: int
    reason: str


@event("moderation.content_restored", subject="target_id")
class ContentRestored:
    """The removal with the id `action_id` was wrong, as an appeal has shown: what it removed comes back."""

    target_type: str
    target_id: int
    author_id: int
    action_id: int


@event("moderation.user_sanctioned", subject="user_id")
class UserSanctioned:
    """A moderator warned, banned or unbanned a user: `kind` is warn, ban or unban. `at` orders them."""

    user_id: int
    action_id: int
    kind: str
    reason: str
    at: datetime


@event("moderation.report_resolved", subject="report_id")
class ReportResolved:
    """A report was decided; `outcome` is removed, sanctioned or dismissed."""

    report_id: int
    reporter_id: int
    outcome: str


@event("moderation.appeal_decided", subject="user_id")
class AppealDecided:
    """A moderator has answered the appeal of `user_id` against the action `action_id` on the target."""

    appeal_id: int
    action_id: int
    user_id: int
    target_type: str
    target_id: int | None
    is_accepted: bool
    answer: str


@service("moderation")
class Moderation(Protocol):
    """Served by moderation: the one way on which staff removes what others wrote."""

    @write
    def remove(self, *, moderator_id: int, target_type: str, target_id: int, author_id: int, reason: str) -> int:
        """Removes a post or comment as `moderator_id`: logged, told to its author, open to an appeal.

        The id of the action, which the context that owns the target may carry out at once. Idempotent. Forbidden when
        the author has the same rank or a higher one.
        """
        ...

    @write
    def file_appeal(self, *, user_id: int, action_id: int, text: str) -> None:
        """Appeals against an action for somebody who cannot log in. NotFound when it is not about them, Conflict when
        they have appealed before or it is too late."""
        ...
