"""Reads sessions, and the ways into an account: passkeys and linked providers."""

from dataclasses import dataclass
from datetime import datetime

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.utils import timezone

from apps.auth.models import Session
from apps.auth.queries.accounts import Account, token_horizon
from socialapp.core.pages import Page, PageRequest, paginate


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
    is_new: bool = False  # whether the log-in has made the account


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


def all_live_sessions(user_id: int) -> list[SessionSummary]:
    """The sessions of a user that have neither ended nor expired, newest first: there is a limit to them. One query."""
    live = Session.objects.filter(user_id=user_id, ended_at=None, expires_at__gt=timezone.now()).order_by("-id")
    return [
        SessionSummary(row.id, row.kind, row.user_agent, row.address, row.created_at, row.last_used_at) for row in live
    ]


def live_sessions(*, user_id: int, page: PageRequest) -> Page[SessionSummary]:
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


def passkeys(*, user_id: int, page: PageRequest) -> Page[Passkey]:
    """The user's passkeys, newest first. One query."""
    rows = Authenticator.objects.filter(user_id=user_id, type=Authenticator.Type.WEBAUTHN)
    found = paginate(rows, page)
    items = [Passkey(row.pk, str(row.data.get("name", "")), row.created_at, row.last_used_at) for row in found.items]
    return Page(items, next=found.next, previous=found.previous)


def linked_providers(*, user_id: int, page: PageRequest) -> Page[LinkedProvider]:
    """The accounts at providers that the user has linked, newest first. One query."""
    found = paginate(SocialAccount.objects.filter(user_id=user_id), page)
    items = [LinkedProvider(row.provider, _provider_name(row.provider), row.date_joined) for row in found.items]
    return Page(items, next=found.next, previous=found.previous)


def _provider_name(provider: str) -> str:
    config = settings.SOCIAL_PROVIDERS.get(provider)
    return str(config["name"]) if config else provider


def recently_ended_sessions() -> list[int]:
    """Sign-ins ended within the life of an access token."""
    return list(Session.objects.filter(ended_at__gt=token_horizon()).values_list("id", flat=True))
