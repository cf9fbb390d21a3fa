"""The contract of moderation."""

from datetime import datetime
from typing import Protocol

from socialapp.contracts.base import data, event, read, service, write


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
    rule: str = ""


@event("moderation.content_restricted", subject="target_id")
class ContentRestricted:
    """A post or comment was hidden, a post marked sensitive or its comments locked (`kind`: hidden, sensitive, locked),
    or is no longer (`is_active`). `at` orders them.

    Only the author sees what is hidden; `is_waiting`: until a moderator has reviewed it.
    """

    target_type: str
    target_id: int
    author_id: int
    action_id: int
    kind: str
    is_active: bool
    reason: str
    at: datetime
    rule: str = ""
    is_waiting: bool = False


@event("moderation.content_restored", subject="target_id")
class ContentRestored:
    """The removal `action_id` was wrong, according to an appeal: its target is restored."""

    target_type: str
    target_id: int
    author_id: int
    action_id: int


@event("moderation.user_sanctioned", subject="user_id")
class UserSanctioned:
    """A moderator's decision about a person; `at` orders decisions of one kind.

    `kind` is warn, ban, silence, limit, limit_links, limit_media, demand_password or reset_profile, or what reverses
    one of them: unban, unsilence, unlimit, unlimit_links, unlimit_media, waive_password, restore_profile, with the
    reversed action in `reverses_action_id`. `until`: when it ends. `follows_appeal`: AppealDecided tells the
    person, too.
    """

    user_id: int
    action_id: int
    kind: str
    reason: str
    at: datetime
    until: datetime | None = None
    rule: str = ""
    reverses_action_id: int | None = None
    follows_appeal: bool = False


@event("moderation.report_resolved", subject="report_id")
class ReportResolved:
    """A report was decided; `outcome` is removed, sanctioned or dismissed."""

    report_id: int
    reporter_id: int
    outcome: str


@event("moderation.appeal_decided", subject="user_id")
class AppealDecided:
    """A moderator has answered the appeal of `user_id` against the action `action_id` on the target.

    `is_about_ban`: they could not log in while they waited for the answer.
    """

    appeal_id: int
    action_id: int
    user_id: int
    target_type: str
    target_id: int | None
    is_accepted: bool
    answer: str
    is_about_ban: bool = False


@data
class InstanceRule:
    """A rule of this installation, in its present version."""

    id: int
    number: int
    text: str


@data
class DayOfModeration:
    """The numbers of reports and decisions of a day, or of the hour or week that begins at `date` (UTC)."""

    date: str
    reports: int
    decisions: int


@data
class DecisionLine:
    """A line of the log. `moderator` and `user` are usernames, "" for word rules and erased people."""

    kind: str
    moderator: str
    user: str
    reason: str
    at: datetime


@data
class Workload:
    """Open work of moderators, and recent decisions.

    `decided_appeals` and `accepted_appeals` are those of the last 90 days; `days` the periods of the requested
    span, oldest first.
    """

    open_cases: int
    mine: int
    oldest: datetime | None
    open_appeals: int
    decided_appeals: int
    accepted_appeals: int
    last: list[DecisionLine]
    days: list[DayOfModeration]


@data
class Screening:
    """The result of screening a text before it is published.

    `refusal`: why it is refused; "" if it is not. `is_held`: only its author sees it until a moderator has
    reviewed it.
    """

    refusal: str = ""
    is_held: bool = False


@service("moderation")
class Moderation(Protocol):
    """Served by moderation: the only way for staff to remove what others wrote."""

    @read
    def rules(self) -> list[InstanceRule]:
        """The rules of this installation, in order."""
        ...

    @read
    def workload(self, *, moderator_id: int, span: str = "month") -> Workload:
        """The moderator's part of the admin site's front page. `span`: day (24 hours), month (30 days) or year."""
        ...

    @read
    def sign_up_refused(self, *, email_domain: str, address: str) -> bool:
        """Whether sign-ups with this e-mail domain or from this network address are blocked."""
        ...

    @read
    def refusal(self, *, author_id: int, text: str, is_profile: bool = False) -> str:
        """Why a rule refuses a text, "" if none does: called by the previous release instead of `screening`."""
        ...

    @read
    def screening(self, *, author_id: int, text: str, target_type: str, target_id: int = 0) -> Screening:
        """Screens a text that somebody is about to publish: a post or comment, new (0) or edited.

        With `target_type` "user" a name or bio, which is never held back, and to which rates and the age of the account
        do not apply; its author may be new (0).
        """
        ...

    @write
    def remove(self, *, moderator_id: int, target_type: str, target_id: int, author_id: int, reason: str) -> int:
        """Removes a post or comment as `moderator_id`: logged, its author notified, open to appeal.

        Returns the id of the action, which the context that owns the target may execute at once. Idempotent. Forbidden
        if the author has the same rank or a higher one.
        """
        ...

    @write
    def sanction(self, *, user_id: int, kind: str, reason: str) -> int:
        """Bans ("ban") or unbans ("unban") somebody for the operator of the installation, without a comparison of
        ranks: logged, notified and open to appeal. Returns the id of the action."""
        ...

    @write
    def file_appeal(self, *, user_id: int, action_id: int, text: str) -> None:
        """Appeals against an action for somebody who cannot log in. NotFound if it is not about them, Conflict if they
        have appealed before or it is too late."""
        ...
