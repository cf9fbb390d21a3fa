"""Reads accounts, sign-ins and erasures. Deleted accounts are nowhere; banned ones are seen by staff and services."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.core import signing
from django.db.models import Prefetch, Q, QuerySet
from django.utils import timezone

from apps.auth.models import LOCAL, Erasure, Export, Session, User, UserRole
from socialapp.contracts.bulk import Record, RecordPage
from socialapp.contracts.moderation import Moderation
from socialapp.contracts.users import Users
from socialapp.core.contexts import CONTEXTS
from socialapp.core.errors import Invalid, NotFound, Problem
from socialapp.core.ids import MAX_ID
from socialapp.core.pages import Page, PageRequest, paginate
from socialapp.core.principal import ADMIN, MODERATOR
from socialapp.core.sql import as_utc, select
from socialapp.core.text.emails import email_key, normalize_email
from socialapp.rpc.calls import client

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Account:
    """An account as plain data; `status` is active, banned or pending, `roles` are sorted names."""

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


@dataclass(frozen=True, slots=True)
class Tokens:
    """A pair of tokens."""

    access: str
    refresh: str


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """A new session: whose, its tokens, and a token by which the device is known again."""

    account: Account
    access: str
    refresh: str
    device_token: str


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """A session as its user sees it; `kind` is api or site, `address` the range that the client's address is in."""

    id: int
    kind: str
    user_agent: str
    address: str
    created_at: datetime
    last_used_at: datetime


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey as its owner sees it."""

    id: int
    name: str
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class LinkedProvider:
    """An account at a provider that its owner can log in with."""

    provider: str
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ErasureProgress:
    """How far an erasure has come; `status` is scheduled, running or complete.

    `erased` maps every context to when it had erased its part, or None.
    """

    id: int
    status: str
    requested_at: datetime
    due_at: datetime | None
    completed_at: datetime | None
    erased: dict[str, datetime | None]
    certificate: str | None


def existing_users() -> "QuerySet[User]":
    """All accounts that were not deleted, with their roles fetched along."""
    roles = Prefetch("user_roles", UserRole.objects.select_related("role"))
    return User.objects.exclude(status=User.Status.DELETED).prefetch_related(roles)


def lock_user(user_id: int) -> User:
    """The account, locked until the end of the transaction; NotFound when there is none or it was deleted."""
    user = existing_users().select_for_update().filter(id=user_id).first()
    if user is None:
        raise NotFound("there is no such user")
    return user


def account_of(user: User, *, pending_email: str | None = None) -> Account:
    """The plain data of a loaded account; no query when its roles were fetched along."""
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
    )


# Backticks: `primary` is a word of SQL, and SQLite takes MySQL's quotes too.
_ACCOUNT_SQL = (
    "SELECT users.id, username, users.email, full_name, status, email_verified, oauth_provider, version, created_at,"
    " (SELECT MIN(pending.email) FROM account_emailaddress pending WHERE pending.user_id = users.id"
    " AND pending.verified = 0 AND pending.`primary` = 0),"
    " roles.name FROM users LEFT JOIN user_roles ON user_roles.user_id = users.id"
    " LEFT JOIN roles ON roles.id = user_roles.role_id WHERE users.id = %s AND status <> %s"
)


def account(user_id: int) -> Account:
    """The account; NotFound when there is none or it was deleted. One query."""
    rows = select(User, _ACCOUNT_SQL, [user_id, User.Status.DELETED.value])
    if not rows:
        raise NotFound("there is no such user")
    found, username, email, full_name, status, email_verified, oauth_provider, version, created_at, pending, _ = rows[0]
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
    )


def user_named(login: str) -> User | None:
    """The account that a log-in means, by e-mail address or username, however it is spelt. One query."""
    name = login.strip()
    which = Q(email_key=lookup_key(name)) if "@" in _folded(name) else Q(username_key=name.casefold())
    return User.objects.exclude(status=User.Status.DELETED).filter(which).first()


def login_key(login: str) -> str:
    """One form of all spellings of a log-in: what tries for a name that nobody has are counted under."""
    name = login.strip()
    return lookup_key(name) if "@" in _folded(name) else _folded(name)


def _folded(text: str) -> str:
    """Without the differences of width, case and composition that keyboards bring about (NFKC)."""
    return _nfkc(text).casefold()


def _nfkc(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def checked_email(email: str) -> str:
    """The address with its domain in lower-case ASCII, by UTS #46; Invalid when it is none."""
    try:
        return normalize_email(_nfkc(email))
    except ValueError:
        raise Invalid.of("email", "email_invalid", "This is not an e-mail address.") from None


def lookup_key(address: str) -> str:
    """The key under which an account with this address would be found; whatever is no address is found nowhere."""
    try:
        return email_key(checked_email(address))
    except Invalid:
        return email_key(address.strip())


def accounts(ids: Iterable[int]) -> list[Account]:
    """Those of the accounts that exist, in any order. Two queries."""
    return [account_of(user) for user in existing_users().filter(id__in=list(ids))]


def accounts_by_username(usernames: Iterable[str]) -> list[Account]:
    """The accounts with these names, compared without case, in any order. Two queries."""
    keys = {name.casefold() for name in usernames}
    return [account_of(user) for user in existing_users().filter(username_key__in=keys)]


_MOST_FOUND = 50


def found_accounts(text: str) -> list[Account]:
    """At most 50 accounts with this id, or whose username or address begins with the text, the newest first."""
    key = text.strip().casefold()
    which = Q(username_key__startswith=key) | Q(email_key__startswith=key)
    if key.isascii() and key.isdigit() and len(key) <= len(str(MAX_ID)):
        which |= Q(id=int(key))
    return [account_of(user) for user in existing_users().filter(which).order_by("-id")[:_MOST_FOUND]]


def account_meant(who: str) -> Account:
    """The account with this username, address or else id; NotFound when there is none."""
    user = user_named(who)
    if user is not None:
        return account(user.id)
    if not (who.isascii() and who.isdigit() and int(who) <= MAX_ID):
        raise NotFound("there is no such user")
    return account(int(who))


def staff() -> list[Account]:
    """Moderators and administrators, in the order of their names. Two queries."""
    users = existing_users().filter(user_roles__role__name__in=[ADMIN, MODERATOR]).distinct().order_by("username_key")
    return [account_of(user) for user in users]


def all_live_sessions(user_id: int) -> list[SessionSummary]:
    """The sessions of a user that have neither ended nor expired, newest first: there is a limit to them. One query."""
    live = Session.objects.filter(user_id=user_id, ended_at=None, expires_at__gt=timezone.now()).order_by("-id")
    return [
        SessionSummary(row.id, row.kind, row.user_agent, row.address, row.created_at, row.last_used_at) for row in live
    ]


def visible_account(user_id: int, *, viewer_id: int | None, is_staff: bool) -> Account:
    """The account as somebody may see it; NotFound also for a banned one, except for staff and itself."""
    found = account(user_id)
    if found.status != User.Status.ACTIVE and not is_staff and viewer_id != user_id:
        raise NotFound("there is no such user")
    return found


def require_no_block(user_id: int, *, viewer_id: int | None, is_staff: bool) -> None:
    """NotFound for somebody who blocks the viewer. One call for those with a token, one more where there is a block."""
    if viewer_id in (None, user_id) or is_staff:
        return
    found = client(Users).audience(viewer_id=viewer_id, author_ids=[user_id]).authors
    # A block has two sides, and who blocks somebody still finds them.
    if any(person.blocked for person in found) and not _sees_profile(viewer_id, user_id):
        raise NotFound("there is no such user")


def _sees_profile(viewer_id: int | None, user_id: int) -> bool:
    return bool(client(Users).profile_bodies(viewer_id=viewer_id, ids=[user_id]))


def live_sessions(user_id: int, page: PageRequest) -> Page[SessionSummary]:
    """The sessions of a user that have neither ended nor expired, newest first. One query."""
    live = Session.objects.filter(user_id=user_id, ended_at=None, expires_at__gt=timezone.now())
    found = paginate(live, page)
    items = [
        SessionSummary(row.id, row.kind, row.user_agent, row.address, row.created_at, row.last_used_at)
        for row in found.items
    ]
    return Page(items, next=found.next, previous=found.previous)


def is_live_session(session_id: int, *, user_id: int) -> bool:
    """Whether the session is the user's and has neither ended nor expired. One query."""
    return Session.objects.filter(id=session_id, user_id=user_id, ended_at=None, expires_at__gt=timezone.now()).exists()


def passkeys(user_id: int, page: PageRequest) -> Page[Passkey]:
    """The user's passkeys, newest first. One query."""
    rows = Authenticator.objects.filter(user_id=user_id, type=Authenticator.Type.WEBAUTHN)
    found = paginate(rows, page)
    items = [Passkey(row.pk, str(row.data.get("name", "")), row.created_at, row.last_used_at) for row in found.items]
    return Page(items, next=found.next, previous=found.previous)


def linked_providers(user_id: int, page: PageRequest) -> Page[LinkedProvider]:
    """The accounts at providers that the user has linked, newest first. One query."""
    found = paginate(SocialAccount.objects.filter(user_id=user_id), page)
    items = [LinkedProvider(row.provider, _provider_name(row.provider), row.date_joined) for row in found.items]
    return Page(items, next=found.next, previous=found.previous)


def _provider_name(provider: str) -> str:
    config = settings.SOCIAL_PROVIDERS.get(provider)
    return str(config["name"]) if config else provider


def recently_deleted_users() -> list[int]:
    """Accounts deleted within the life of an access token. Bans and new passwords end sessions instead: what comes
    after them (a lifted ban, a log-in with the new password) must not be refused for what went before."""
    return list(User.objects.filter(deleted_at__gt=_token_horizon()).values_list("id", flat=True))


def recently_ended_sessions() -> list[int]:
    """Sign-ins ended within the life of an access token."""
    return list(Session.objects.filter(ended_at__gt=_token_horizon()).values_list("id", flat=True))


def recently_changed_roles() -> list[int]:
    """Accounts whose roles changed within the life of an access token."""
    return list(User.objects.filter(roles_changed_at__gt=_token_horizon()).values_list("id", flat=True))


def role_names(user_id: int) -> list[str]:
    """The roles that an account has, sorted. One query."""
    return sorted(UserRole.objects.filter(user_id=user_id).values_list("role__name", flat=True))


def dumped_users(*, after: str, limit: int) -> RecordPage:
    """Up to `limit` accounts behind the id `after` as bulk records, in id order. One query."""
    rows = list(
        User.objects.exclude(status=User.Status.DELETED).filter(id__gt=int(after or 0)).order_by("id")[: limit + 1]
    )
    shown = rows[:limit]
    return RecordPage(records=[_record(row) for row in shown], next=str(shown[-1].id) if len(rows) > limit else None)


def _record(user: User) -> Record:
    return {
        "id": str(user.id),
        "username": user.username,
        "email": user.email,
        "password_hash": user.password,
        "email_verified": user.email_verified,
        "created_at": user.created_at.isoformat(),
        "full_name": user.full_name,
    }


@dataclass(frozen=True, slots=True)
class ExportState:
    """How far an export has come; `has_archive` while it can be fetched."""

    id: int
    status: str
    requested_at: datetime
    expires_at: datetime | None
    has_archive: bool


def export_of(export: Export) -> ExportState:
    """The plain data of a loaded export."""
    return ExportState(export.id, export.status, export.requested_at, export.expires_at, bool(export.archive))


def own_export(export_id: int, *, user_id: int, session_id: int) -> ExportState:
    """An export that this session asked for; NotFound for another's, an unknown or an expired one. One query."""
    export = Export.objects.filter(id=export_id, user_id=user_id, session_id=session_id).first()
    if export is None:
        raise NotFound("there is no such export")
    return export_of(export)


def erasure_progress(erasure_id: int) -> ErasureProgress:
    """How far an erasure has come; NotFound for an unknown one. Two queries."""
    erasure = Erasure.objects.select_related("user").prefetch_related("acks").filter(id=erasure_id).first()
    if erasure is None:
        raise NotFound("there is no such erasure")
    erased_at = {ack.context: ack.erased_at for ack in erasure.acks.all()}
    return ErasureProgress(
        id=erasure.id,
        status=_erasure_status(erasure),
        requested_at=erasure.requested_at,
        due_at=erasure.due_at,
        completed_at=erasure.completed_at,
        erased={name: erased_at.get(name) for name in CONTEXTS},
        certificate=erasure.certificate,
    )


def _erasure_status(erasure: Erasure) -> str:
    if erasure.completed_at:
        return "complete"
    return "running" if erasure.user.status == User.Status.DELETED else "scheduled"


def erased_user(erasure_id: int) -> int:
    """The id of the user that an erasure is about; NotFound for an unknown one."""
    user_id = Erasure.objects.filter(id=erasure_id).values_list("user_id", flat=True).first()
    if user_id is None:
        raise NotFound("there is no such erasure")
    return user_id


_ARCHIVE_SALT = "socialapp.auth.export"
_ARCHIVE_LINK_SECONDS = 300


def archive_key(export_id: int) -> str:
    """A key that opens the archive of an export for minutes: a browser that follows a link sends no token."""
    return signing.dumps(export_id, salt=_ARCHIVE_SALT)


def check_archive_key(export_id: int, key: str) -> None:
    """NotFound unless the key was made for this export minutes ago and the session that asked for it still lasts."""
    try:
        made_for = signing.loads(key, salt=_ARCHIVE_SALT, max_age=_ARCHIVE_LINK_SECONDS)
    except signing.BadSignature:
        made_for = None
    export = Export.objects.filter(id=export_id).first() if made_for == export_id else None
    if export is None or not is_live_session(export.session_id or 0, user_id=export.user_id):
        raise NotFound("this link is not valid any more")


def _token_horizon() -> datetime:
    # A minute more than a token lives: clocks of several machines are never quite equal.
    return timezone.now() - timedelta(seconds=settings.ACCESS_TOKEN_SECONDS + 60)


def _instance_rules() -> list[str]:
    """The rules that administrators keep; those of the settings while there are none, or moderation is away."""
    try:
        rules = [rule.text for rule in client(Moderation).rules()]
    except Problem as problem:
        log.warning("auth.no_rules", error=problem.detail)
        rules = []
    return rules or list(settings.INSTANCE_RULES)


def instance() -> dict[str, object]:
    """What anybody may know of this installation; no query, and a call to moderation."""
    return {
        "name": settings.INSTANCE_NAME,
        "description": settings.INSTANCE_DESCRIPTION,
        "rules": _instance_rules(),
        "registration": settings.REGISTRATION,
        "providers": [name for name, config in settings.SOCIAL_PROVIDERS.items() if config["client_id"]],
        "captcha": _captcha(),
        "push_key": settings.VAPID_PUBLIC_KEY,
        "limits": {
            "content": 5000,
            "media": {"attachments": 4, "description": 1500},
            "username": {"min": 3, "max": 30},
            "password": {"min": 8, "max": 256},
            "bio": 500,
            "full_name": 100,
        },
        "contact": settings.INSTANCE_CONTACT,
    }


def _captcha() -> dict[str, str] | None:
    if not settings.CAPTCHA_PROVIDER:
        return None
    return {"provider": settings.CAPTCHA_PROVIDER, "site_key": settings.CAPTCHA_SITE_KEY}
