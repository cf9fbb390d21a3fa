"""The contract of auth: accounts, never profiles."""

from datetime import datetime
from typing import Protocol

from socialapp.contracts.base import data, event, read, service


@event("auth.user_registered", subject="user_id")
class UserRegistered:
    """An account was created. `created_at` is RFC 3339."""

    user_id: int
    username: str
    full_name: str
    created_at: datetime


@event("auth.user_verified", subject="user_id")
class UserVerified:
    """The account's e-mail address was verified."""

    user_id: int


@event("auth.user_deactivated", subject="user_id")
class UserDeactivated:
    """The account is in the grace period of its deletion, and hidden. Of this and `UserReactivated` the later `at`
    wins."""

    user_id: int
    at: datetime


@event("auth.user_reactivated", subject="user_id")
class UserReactivated:
    """The deletion was cancelled by a log-in: the account is visible again."""

    user_id: int
    at: datetime


@event("auth.user_renamed", subject="user_id")
class UserRenamed:
    """The account has another username; fetch the present one from auth, as several such events may be in flight."""

    user_id: int


@event("auth.user_deleted", subject="user_id")
class UserDeleted:
    """The account was deleted; every context erases its data and publishes its own `UserErased`."""

    user_id: int
    erasure_id: int


@event("auth.sessions_ended", subject="user_id")
class SessionsEnded:
    """These sessions of the account have ended: by their owner, an administrator or a safeguard, or by expiring."""

    user_id: int
    session_ids: list[int]


@event("auth.roles_changed", subject="user_id")
class RolesChanged:
    """The account has these roles from now on."""

    user_id: int
    roles: list[str]


@data
class User:
    """An account that is neither deleted nor unknown. `status` is active or banned.

    `is_deactivated`: in the grace period of its deletion, which a log-in cancels.
    """

    id: int
    username: str
    full_name: str
    status: str
    roles: list[str]
    created_at: datetime
    email_verified: bool = False
    is_deactivated: bool = False


@data
class MailContact:
    """Where to mail a person: their verified address."""

    user_id: int
    address: str


@data
class ActivePeople:
    """How many people have used a session in the last 24 hours, 7 days and 30 days."""

    day: int
    week: int
    month: int


@data
class LinkedAccount:
    """Another account that may be the same person's: `by` is address (a network range of the last 90 days) or email.

    What they share is not included: moderators need not know people's locations or addresses.
    """

    user_id: int
    username: str
    status: str
    by: str
    created_at: datetime


@service("auth")
class Auth(Protocol):
    """Served by auth."""

    @read
    def user(self, *, user_id: int) -> User:
        """The account; NotFound if there is none or it was deleted."""
        ...

    @read
    def users(self, *, ids: list[int]) -> list[User]:
        """The accounts among `ids` that exist and are not pending approval, in any order."""
        ...

    @read
    def users_by_username(self, *, usernames: list[str]) -> list[User]:
        """Like `users`, by username, ignoring case."""
        ...

    @read
    def mail_contacts(self, *, user_ids: list[int]) -> list[MailContact]:
        """The verified addresses of those accounts that are active; others are omitted."""
        ...

    @read
    def active_people(self) -> ActivePeople:
        """The numbers of active people, for the admin site's front page. Sessions are refreshed every 10 minutes."""
        ...

    @read
    def linked_accounts(self, *, user_id: int) -> list[LinkedAccount]:
        """Up to 20 accounts that share a mailbox, or a network address range with few people, newest first."""
        ...
