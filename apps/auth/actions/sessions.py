"""Signing in and out: log-in, rotation of refresh tokens, and the end of sessions."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

import structlog
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.models import Session as AdminSession
from django.db.models import Q
from django.utils import timezone

from apps.auth.actions.names import lookup_key
from apps.auth.actions.tokens import access_token, digest, new_refresh_token, session_of_refresh_token
from apps.auth.actions.totp import accept_code, has_totp
from apps.auth.models import Session, User
from apps.auth.queries import Account, account_of, existing_users, lock_user
from socialapp.core.cache import redis_errors
from socialapp.core.db import after_commit, transactional
from socialapp.core.errors import Forbidden, NotFound, Unauthenticated
from socialapp.http.admission import remember_revoked

log = structlog.get_logger()

MAX_SESSIONS = 50
_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Device:
    """Where a sign-in comes from, as the user will see it in their list of sessions."""

    user_agent: str
    address: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A fresh sign-in."""

    account: Account
    access: str
    refresh: str


def log_in(*, login: str, password: str, otp: str | None, device: Device) -> SignedIn:
    """Signs in by username or e-mail address; Unauthenticated when the pair is wrong, Forbidden when banned.

    Where the account has an authenticator app, `otp` must be a code of it or a recovery code, and is used up.

    An unknown name costs the same time as a wrong password, and gets the same answer.
    """
    user = _user_named(login)
    if user is None:
        make_password(password)
        raise _wrong_credentials()
    if not user.check_password(password):
        raise _wrong_credentials()
    return _sign_in(user, otp=otp, device=device)


@transactional("auth")
def _sign_in(user: User, *, otp: str | None, device: Device) -> SignedIn:
    """The part of `log_in` behind the password, which was checked without holding a transaction open."""
    locked = existing_users().select_for_update().filter(id=user.id).first()
    if locked is None or locked.password != user.password:
        raise _wrong_credentials()
    refuse_banned(locked)
    demand_code(locked, otp)
    locked.last_login = timezone.now()
    locked.save(update_fields=["last_login"])
    return start_session(locked, device=device)


def refuse_banned(user: User) -> None:
    """Forbidden for a banned account; asked only after the password proved right, so it tells nobody else."""
    if user.status == User.Status.BANNED:
        raise Forbidden("this account is banned", code="account_banned")


def demand_code(user: User, otp: str | None) -> None:
    """Unauthenticated when the account has an authenticator app and the code is missing or wrong."""
    if not has_totp(user.id):
        return
    if not otp:
        raise Unauthenticated("a code from your authenticator app is needed", code="otp_required")
    if not accept_code(user.id, otp):
        raise Unauthenticated("the code is wrong or was used before", code="otp_invalid")


@transactional("auth")
def demand_staff_code(*, user_id: int, otp: str | None) -> None:
    """The second factor of the admin site's log-in, see `demand_code`; NotFound for no such account."""
    demand_code(lock_user(user_id), otp)


def start_session(user: User, *, device: Device) -> SignedIn:
    """A new session of an account; the caller holds the transaction and, but for a new account, the row's lock."""
    session = Session(user=user, user_agent=device.user_agent[:200], address=device.address, expires_at=_expiry())
    refresh = new_refresh_token(session.id)
    session.token_digest = digest(refresh)
    session.save(force_insert=True)
    _end_oldest_beyond_limit(user.id)
    return _signed_in(user, session.id, refresh)


def _end_oldest_beyond_limit(user_id: int) -> None:
    live = Session.objects.filter(user_id=user_id, ended_at=None, expires_at__gt=timezone.now())
    end_sessions(list(live.order_by("-id").values_list("id", flat=True)[MAX_SESSIONS:][:_BATCH]))


class _Rotation(Enum):
    REUSED = auto()
    OVER = auto()


def rotate_refresh_token(*, refresh: str) -> SignedIn:
    """Spends a refresh token for a new pair. Unauthenticated with `refresh_invalid`, or with `refresh_reused` when
    the token was spent before: then it was copied, and the whole session ends, whoever holds its newest token."""
    session_id = session_of_refresh_token(refresh)
    if session_id is None:
        raise _invalid_refresh()
    outcome = _rotate(session_id, refresh)
    # Raised only now: the end of the session must be committed.
    if outcome is _Rotation.REUSED:
        raise Unauthenticated("this refresh token was used before; the session has ended", code="refresh_reused")
    if not isinstance(outcome, SignedIn):
        raise _invalid_refresh()
    return outcome


@transactional("auth")
def _rotate(session_id: int, refresh: str) -> SignedIn | _Rotation:
    session = Session.objects.select_for_update().filter(id=session_id).first()
    if session is None or session.ended_at is not None or session.expires_at <= timezone.now():
        return _Rotation.OVER
    if session.token_digest != digest(refresh):
        log.warning("auth.refresh_reused", user_id=session.user_id, session_id=session.id)
        end_sessions([session.id])
        return _Rotation.REUSED
    user = existing_users().filter(id=session.user_id, status=User.Status.ACTIVE).first()
    if user is None:
        return _Rotation.OVER
    successor = new_refresh_token(session.id)
    session.token_digest = digest(successor)
    session.last_used_at = timezone.now()
    session.expires_at = _expiry()
    session.save(update_fields=["token_digest", "last_used_at", "expires_at"])
    return _signed_in(user, session.id, successor)


def log_out(*, refresh: str) -> None:
    """Ends the session that a refresh token belongs to, if it has not ended. Idempotent."""
    session_id = session_of_refresh_token(refresh)
    if session_id is None:
        raise _invalid_refresh()
    _end_session(session_id)


@transactional("auth")
def _end_session(session_id: int) -> None:
    end_sessions([session_id])


@transactional("auth")
def end_session(*, user_id: int, session_id: int) -> None:
    """Ends one of a user's sessions; NotFound when they have no such live one."""
    if not end_sessions(list(_live_ids(user_id, Q(id=session_id)))):
        raise NotFound("there is no such session")


@transactional("auth")
def end_sessions_of(*, user_id: int) -> None:
    """Signs a user out everywhere. Idempotent."""
    end_all_sessions(user_id)


def end_all_sessions(user_id: int, *, but: int | None = None) -> None:
    """Ends all sessions of a user, save the one given; the caller holds the transaction."""
    end_sessions(list(_live_ids(user_id, ~Q(id=but) if but is not None else Q())))


def _live_ids(user_id: int, which: Q) -> Iterable[int]:
    return Session.objects.filter(which, user_id=user_id, ended_at=None).values_list("id", flat=True)


def end_sessions(ids: list[int]) -> int:
    """Ends sessions and, once that is committed, has their access tokens refused everywhere; how many ended."""
    if not ids:
        return 0
    ended = Session.objects.filter(id__in=ids, ended_at=None).update(ended_at=timezone.now())
    after_commit("auth", lambda: announce_revoked([f"session:{session_id}" for session_id in ids]))
    return ended


def announce_revoked(members: list[str]) -> None:
    """Tells admission of revoked "user:<id>" and "session:<id>". Without Redis, admission asks auth by itself."""
    try:
        remember_revoked(members)
    except redis_errors() as error:
        log.warning("auth.revocation_not_announced", error=str(error))


def delete_old_sessions() -> int:
    """Removes sessions that expired or ended so long ago that no access token of theirs can live; how many.

    Expired browser sessions of the admin site go too.
    """
    now = timezone.now()
    AdminSession.objects.filter(expire_date__lt=now).delete()
    margin = timedelta(seconds=settings.ACCESS_TOKEN_SECONDS) + timedelta(days=1)
    old = Session.objects.filter(Q(expires_at__lt=now - margin) | Q(ended_at__lt=now - margin))
    removed = 0
    while ids := list(old.values_list("id", flat=True)[:_BATCH]):
        removed += Session.objects.filter(id__in=ids).delete()[0]
    return removed


def _user_named(login: str) -> User | None:
    name = login.strip()
    which = Q(email_key=lookup_key(name)) if "@" in name else Q(username_key=name.casefold())
    return existing_users().filter(which).first()


def _signed_in(user: User, session_id: int, refresh: str) -> SignedIn:
    account = account_of(user)
    return SignedIn(account, access_token(user_id=user.id, session_id=session_id, roles=account.roles), refresh)


def _expiry() -> datetime:
    return timezone.now() + timedelta(days=settings.REFRESH_TOKEN_DAYS)


def _wrong_credentials() -> Unauthenticated:
    return Unauthenticated("the name or the password is wrong", code="invalid_credentials")


def _invalid_refresh() -> Unauthenticated:
    return Unauthenticated("the refresh token is not valid", code="refresh_invalid")
