"""What moderation tells."""

from datetime import datetime

from socialapp.contracts.base import event


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
