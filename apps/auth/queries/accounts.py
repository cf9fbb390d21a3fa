"""Reads accounts that are not deleted; `access` decides who may see which of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Prefetch, Q, QuerySet
from django.utils import timezone

from apps.auth.models import LOCAL, User, UserRole
from socialapp.core.errors import NotFound
from socialapp.core.ids import MAX_ID
from socialapp.core.principal import ADMIN, MODERATOR
from socialapp.core.sql import as_utc, instances, select


@dataclass(frozen=True, slots=True)
class Account:
    """An account as plain data; `status` is active, banned or pending, `roles` are sorted names.

    `is_deactivated`: in the grace period of its deletion, which a log-in cancels.
    """

    id: int
    username: str
    email: str
    full_name: str
    status: str
    email_verified: bool
    oauth_provider: str
    roles: list[str]
    version: int
    created_at: datetime
    pending_email: str | None = None
    is_deactivated: bool = False


def existing_users() -> "QuerySet[User]":
    """All accounts that were not deleted, with their roles prefetched."""
    roles = Prefetch("user_roles", UserRole.objects.select_related("role"))
    return User.objects.exclude(status=User.Status.DELETED).prefetch_related(roles)


# On the path of every log-in: the ORM takes ten times as long to build this SQL.
def _existing_user(column: str, value: int | str, *, lock: bool = False) -> User | None:
    found = instances(
        User, condition=f"{column} = %s AND status <> %s", values=[value, User.Status.DELETED.value], lock=lock
    )
    return found[0] if found else None


def lock_user(user_id: int) -> User:
    """The account, locked until the end of the transaction; NotFound if there is none or it was deleted."""
    user = _existing_user("id", user_id, lock=True)
    if user is None:
        raise NotFound("there is no such user")
    return user


def account_of(user: User, *, pending_email: str | None = None) -> Account:
    """The plain data of a loaded account; no query if its roles were prefetched."""
    return Account(
        id=user.id,
        username=user.username,
        email=user.email,
        full_name=user.full_name,
        status=user.status,
        email_verified=user.email_verified,
        oauth_provider=user.oauth_provider or LOCAL,
        roles=sorted(held.role.name for held in user.user_roles.all()),
        version=user.version,
        created_at=user.created_at,
        pending_email=pending_email,
        is_deactivated=user.deletion_due_at is not None,
    )


# Backticks: `primary` is a word of SQL, and SQLite takes MySQL's quotes too.
_ACCOUNT_SQL = (
    "SELECT users.id, username, users.email, full_name, status, email_verified, oauth_provider, version, created_at,"
    " deletion_due_at IS NOT NULL,"
    " (SELECT MIN(pending.email) FROM account_emailaddress pending WHERE pending.user_id = users.id"
    " AND pending.verified = 0 AND pending.`primary` = 0),"
    " roles.name FROM users LEFT JOIN user_roles ON user_roles.user_id = users.id"
    " LEFT JOIN roles ON roles.id = user_roles.role_id WHERE users.id = %s AND status <> %s"
)


def account(user_id: int) -> Account:
    """The account; NotFound if there is none or it was deleted. One query."""
    rows = select(User, sql=_ACCOUNT_SQL, values=[user_id, User.Status.DELETED.value])
    if not rows:
        raise NotFound("there is no such user")
    found, username, email, full_name, status, email_verified, oauth_provider, version, created_at = rows[0][:9]
    is_deactivated, pending, _ = rows[0][9:]
    return Account(
        id=found,
        username=username,
        email=email,
        full_name=full_name,
        status=status,
        email_verified=bool(email_verified),
        oauth_provider=oauth_provider or LOCAL,
        roles=sorted(row[-1] for row in rows if row[-1] is not None),
        version=version,
        created_at=as_utc(created_at),
        pending_email=pending,
        is_deactivated=bool(is_deactivated),
    )


def user_with_email(key: str) -> User | None:
    """The account with this address, normalized by `email_key`. At most one query.

    Addresses are ASCII, so others are not looked up: some collations would match "álice" to "alice".
    """
    return _existing_user("email_key", key) if key.isascii() else None


def user_with_username(key: str) -> User | None:
    """The account with this username in lower case. One query."""
    return _existing_user("username_key", key)


def accounts(ids: Iterable[int]) -> list[Account]:
    """Those of the accounts that exist, in any order. Two queries."""
    return [account_of(user) for user in existing_users().filter(id__in=list(ids))]


def accounts_by_username(usernames: Iterable[str]) -> list[Account]:
    """The accounts with these names, compared without case, in any order. Two queries."""
    keys = {name.casefold() for name in usernames}
    return [account_of(user) for user in existing_users().filter(username_key__in=keys)]


_MOST_FOUND = 50
_ID_DIGITS = len(str(MAX_ID))


def found_accounts(text: str) -> list[Account]:
    """At most 50 accounts with this id, or whose username or address begins with the text, newest first."""
    key = text.strip().casefold()
    which = Q(username_key__startswith=key) | Q(email_key__startswith=key)
    if key.isascii() and key.isdigit() and len(key) <= _ID_DIGITS and int(key) <= MAX_ID:
        which |= Q(id=int(key))
    return [account_of(user) for user in existing_users().filter(which).order_by("-id")[:_MOST_FOUND]]


def staff() -> list[Account]:
    """Moderators and administrators, in the order of their names. Two queries."""
    users = existing_users().filter(user_roles__role__name__in=[ADMIN, MODERATOR]).distinct().order_by("username_key")
    return [account_of(user) for user in users]


def role_names(user_id: int) -> list[str]:
    """The roles that an account has, sorted. One query."""
    return sorted(UserRole.objects.filter(user_id=user_id).values_list("role__name", flat=True))


def users_after(*, after: int, limit: int) -> list[User]:
    """Up to `limit` existing users with ids above `after`, ascending, without pending ones. One query."""
    rows = User.objects.exclude(status__in=[User.Status.DELETED, User.Status.PENDING])
    return list(rows.filter(id__gt=after).order_by("id")[:limit])


def token_horizon() -> datetime:
    """Access tokens issued before this moment have expired."""
    # A minute more than a token's lifetime: clocks of several machines are never quite equal.
    return timezone.now() - timedelta(seconds=settings.ACCESS_TOKEN_SECONDS + 60)
