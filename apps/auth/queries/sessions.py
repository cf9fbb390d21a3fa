"""Reads sessions, passkeys and linked providers."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.db.models import Count, Q, QuerySet, Value
from django.utils import timezone

from apps.auth.models import Session, User
from apps.auth.queries.accounts import Account, token_horizon
from socialapp.contracts.auth import ActivePeople, LinkedAccount
from socialapp.contracts.revocations import Revoked
from socialapp.core.pages import Page, PageRequest, paginate
from socialapp.core.sql import select

# `unended` may include sessions that have expired since the nightly clean-up.
_PAST_SQL = (
    "SELECT COUNT(*), COUNT(CASE WHEN ended_at IS NULL THEN 1 END),"
    " COUNT(CASE WHEN address_digest = %s OR user_agent = %s THEN 1 END) FROM sessions WHERE user_id = %s"
)
_TOTP_SQL = "SELECT 1 FROM mfa_authenticator WHERE user_id = %s AND type = %s LIMIT 1"
_LINKED_DAYS = 90
_MOST_RANGES = 20
_MOST_LINKED = 20
_FEW_PEOPLE = 10


@dataclass(frozen=True, slots=True)
class Tokens:
    """A pair of tokens."""

    access: str
    refresh: str


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """A new session: its user, its tokens, and a token by which the device is recognized later."""

    account: Account
    access: str
    refresh: str
    device_token: str
    is_new: bool = False  # whether the log-in created the account


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """A session as its user sees it; `kind` is api or site, `address` the client's address range."""

    id: int
    kind: str
    user_agent: str
    address: str
    created_at: datetime
    last_used_at: datetime


@dataclass(frozen=True, slots=True)
class PastSessions:
    """Counts of a user's past sessions: all, not ended, and those of one device or address."""

    total: int
    unended: int
    alike: int


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


def all_live_sessions(user_id: int) -> list[SessionSummary]:
    """The live sessions of a user, newest first; their number is limited. One query."""
    live = Session.objects.filter(user_id=user_id, ended_at=None, expires_at__gt=timezone.now()).order_by("-id")
    return [
        SessionSummary(row.id, row.kind, row.user_agent, row.address, row.created_at, row.last_used_at) for row in live
    ]


def live_sessions(*, user_id: int, page: PageRequest) -> Page[SessionSummary]:
    """The live sessions of a user, newest first. One query."""
    live = Session.objects.filter(user_id=user_id, ended_at=None, expires_at__gt=timezone.now())
    found = paginate(live, page=page)
    items = [
        SessionSummary(row.id, row.kind, row.user_agent, row.address, row.created_at, row.last_used_at)
        for row in found.items
    ]
    return Page(items, next=found.next, previous=found.previous)


def is_live_session(session_id: int, *, user_id: int) -> bool:
    """Whether the session is the user's and has neither ended nor expired. One query."""
    return Session.objects.filter(id=session_id, user_id=user_id, ended_at=None, expires_at__gt=timezone.now()).exists()


def past_sessions(*, user_id: int, address_digest: str, user_agent: str) -> PastSessions:
    """Counts of a user's sessions, as needed when another begins. One query."""
    ((total, unended, alike),) = select(Session, sql=_PAST_SQL, values=[address_digest, user_agent, user_id])
    return PastSessions(total, unended, alike)


def has_totp(user_id: int) -> bool:
    """Whether the account logs in with one-time passwords. One query."""
    return bool(select(Authenticator, sql=_TOTP_SQL, values=[user_id, Authenticator.Type.TOTP.value]))


def passkeys(*, user_id: int, page: PageRequest) -> Page[Passkey]:
    """The user's passkeys, newest first. One query."""
    rows = Authenticator.objects.filter(user_id=user_id, type=Authenticator.Type.WEBAUTHN)
    found = paginate(rows, page=page)
    items = [Passkey(row.pk, str(row.data.get("name", "")), row.created_at, row.last_used_at) for row in found.items]
    return Page(items, next=found.next, previous=found.previous)


def linked_providers(*, user_id: int, page: PageRequest) -> Page[LinkedProvider]:
    """The accounts at providers that the user has linked, newest first. One query."""
    found = paginate(SocialAccount.objects.filter(user_id=user_id), page=page)
    items = [LinkedProvider(row.provider, _provider_name(row.provider), row.date_joined) for row in found.items]
    return Page(items, next=found.next, previous=found.previous)


def _provider_name(provider: str) -> str:
    config = settings.SOCIAL_PROVIDERS.get(provider)
    return str(config["name"]) if config else provider


def recently_revoked() -> Revoked:
    """Accounts deleted, sessions ended and roles changed within the lifetime of an access token. One query.

    Bans and new passwords end sessions rather than revoke the user: later sessions (after an unban, or with the new
    password) must not be refused because of earlier ones.
    """
    horizon = token_horizon()
    users = User.objects.filter(deleted_at__gt=horizon).values_list(Value("user"), "id")
    sessions = Session.objects.filter(ended_at__gt=horizon).values_list(Value("session"), "id")
    role_changes = User.objects.filter(roles_changed_at__gt=horizon).values_list(Value("roles"), "id")
    found: dict[str, list[int]] = {"user": [], "session": [], "roles": []}
    for kind, revoked_id in users.union(sessions, role_changes, all=True):
        found[kind].append(revoked_id)
    return Revoked(users=found["user"], sessions=found["session"], role_changes=found["roles"])


def active_people() -> ActivePeople:
    """How many people have used a session recently. One query, over the unexpired sessions."""
    now = timezone.now()
    within = {"day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=30)}
    recent = Session.objects.filter(expires_at__gte=now, last_used_at__gte=now - within["month"])
    counted = {
        name: Count("user_id", filter=Q(last_used_at__gte=now - length), distinct=True)
        for name, length in within.items()
    }
    return ActivePeople(**recent.aggregate(**counted))


def linked_accounts(user_id: int) -> list[LinkedAccount]:
    """Up to 20 other accounts with the same mailbox or network address range, newest first. Five queries."""
    since = timezone.now() - timedelta(days=_LINKED_DAYS)
    own = Session.objects.filter(user_id=user_id, last_used_at__gte=since).exclude(address="")
    ranges = list(own.values_list("address", flat=True).distinct()[:_MOST_RANGES])
    of_ranges = Session.objects.filter(address__in=ranges, last_used_at__gte=since)
    people = of_ranges.values("address").annotate(people=Count("user_id", distinct=True)).order_by()
    few = [row["address"] for row in people if row["people"] <= _FEW_PEOPLE]  # a company shares one
    shared = of_ranges.filter(address__in=few).exclude(user_id=user_id)
    by_address = list(shared.order_by("-user_id").values_list("user_id", flat=True).distinct()[:_MOST_LINKED])
    email = User.objects.filter(id=user_id).values_list("email_key", flat=True).first() or ""
    by_email = list(_same_mailbox(email).exclude(id=user_id).values_list("id", flat=True)[:_MOST_LINKED])
    found = User.objects.filter(id__in={*by_address, *by_email}).order_by("-id")[:_MOST_LINKED]
    return [
        LinkedAccount(
            user_id=user.id,
            username=user.username,
            status=user.status,
            by="email" if user.id in by_email else "address",
            created_at=user.created_at,
        )
        for user in found
    ]


def _same_mailbox(email: str) -> QuerySet[User]:
    """Addresses that mostly reach one mailbox: ann@…, ann+news@…"""
    local, _, domain = email.rpartition("@")
    base = local.partition("+")[0]
    if not base:
        return User.objects.none()
    tagged = Q(email_key__startswith=f"{base}+", email_key__endswith=f"@{domain}")
    return User.objects.filter(Q(email_key=f"{base}@{domain}") | tagged)
