"""Sessions: starting and ending them, and the rotation of their refresh tokens.

Source: RFC 9700 section 4.14.2 (refresh tokens are valid once; two honest uses at the same moment are not theft).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import Enum, auto

import structlog
from cryptography.fernet import InvalidToken
from django.conf import settings
from django.contrib.sessions.models import Session as AdminSession
from django.db.models import Q
from django.utils import timezone

from apps.auth.actions.ciphers import cipher
from apps.auth.actions.devices import Device, address_digest, address_range, device_of_token, device_token
from apps.auth.actions.mails import queue_mail
from apps.auth.actions.tokens import access_token, digest, new_refresh_token, session_of_refresh_token
from apps.auth.models import Erasure, Mail, Session, User
from apps.auth.queries import LoggedIn, Tokens, account, existing_users, lock_user, past_sessions
from socialapp.contracts.auth import SessionsEnded, UserReactivated
from socialapp.core.db import after_commit, transactional
from socialapp.core.errors import NotFound, Unauthenticated
from socialapp.core.resending import Resender
from socialapp.core.sql import execute, insert_instances
from socialapp.http.admission import remember_revoked
from socialapp.messaging.publish import publish

log = structlog.get_logger()

MAX_SESSIONS = 50
GRACE = timedelta(seconds=10)  # within which a spent refresh token yields the same successor again
_BATCH = 1000
_announcing = Resender(remember_revoked, name="revocations")


def start_session(user: User, *, device: Device, is_new_account: bool = False) -> LoggedIn:
    """Starts a session; the caller holds the transaction and, unless the account is new, the row's lock."""
    now = timezone.now()
    session = Session(
        user=user,
        user_agent=device.user_agent[:200],
        address=address_range(device.address),
        address_digest=address_digest(device.address),
        created_at=now,
        last_used_at=now,
        expires_at=_expiry(now),
    )
    refresh = new_refresh_token(session.id)
    session.token_digest = digest(refresh)
    if user.deletion_due_at is not None:
        _cancel_deletion(user)
    if not is_new_account:
        _check_other_sessions(user, session, device)
        execute("auth", sql="UPDATE users SET last_login = %s WHERE id = %s", values=[now, user.id])
    insert_instances("auth", instances=[session])
    found = account(user.id)
    access = access_token(user_id=user.id, session_id=session.id, roles=found.roles)
    token = device.token if device_of_token(device.token, user_id=user.id) else device_token(user_id=user.id)
    return LoggedIn(found, access, refresh, token, is_new=is_new_account)


def _cancel_deletion(user: User) -> None:
    """Cancels a deletion that is still in its grace period."""
    User.objects.filter(id=user.id).update(deletion_due_at=None)
    Erasure.objects.filter(user_id=user.id, completed_at=None).delete()
    publish(UserReactivated(user_id=user.id, at=timezone.now()))
    queue_mail(Mail.Kind.DELETION_CANCELLED, user=user)


def _check_other_sessions(user: User, session: Session, device: Device) -> None:
    """Ends the oldest sessions beyond the limit, and notifies the owner of a log-in on a new device."""
    now = timezone.now()
    past = past_sessions(user_id=user.id, address_digest=session.address_digest, user_agent=session.user_agent)
    if past.unended >= MAX_SESSIONS:
        live = Session.objects.filter(user_id=user.id, ended_at=None, expires_at__gt=now).order_by("-id")
        end_sessions(list(live.values_list("id", flat=True)[MAX_SESSIONS - 1 : _BATCH]), user_id=user.id)
    if past.total and not past.alike and not device_of_token(device.token, user_id=user.id):
        queue_mail(
            Mail.Kind.NEW_DEVICE, user=user, at=f"{now:%Y-%m-%d %H:%M} UTC", address_range=session.address or "unknown"
        )


class _Rotation(Enum):
    REUSED = auto()
    OVER = auto()


def rotate_refresh_token(*, refresh: str) -> Tokens:
    """Exchanges a refresh token for a new pair. Unauthenticated with `refresh_invalid`, or with `refresh_reused` if the
    token was spent before: then it was copied, and the session ends for every holder.

    Within `GRACE` a spent token yields its successor again: tabs of one browser refresh at the same moment.
    """
    session_id = session_of_refresh_token(refresh)
    if session_id is None:
        raise _invalid_refresh()
    outcome = _rotate(session_id, refresh)
    # Raised only now: the end of the session must be committed first.
    if outcome is _Rotation.REUSED:
        raise Unauthenticated("this refresh token was used before; the session has ended", code="refresh_reused")
    if not isinstance(outcome, Tokens):
        raise _invalid_refresh()
    return outcome


@transactional("auth")
def _rotate(session_id: int, refresh: str) -> Tokens | _Rotation:
    now = timezone.now()
    session = Session.objects.select_for_update().filter(id=session_id, kind=Session.Kind.API).first()
    if session is None or session.ended_at is not None or session.expires_at <= now:
        return _Rotation.OVER
    user = existing_users().filter(id=session.user_id, status=User.Status.ACTIVE).first()
    if user is None:
        return _Rotation.OVER
    sent = digest(refresh)
    if session.token_digest == sent:
        successor = new_refresh_token(session.id)
        session.previous_digest, session.token_digest = sent, digest(successor)
        session.successor = cipher("successor", secret=refresh).encrypt(successor.encode()).decode()
        session.rotated_at = session.last_used_at = now
        session.expires_at = min(_expiry(now), session.created_at + timedelta(days=settings.SESSION_DAYS))
        session.save(
            update_fields=[
                "previous_digest", "token_digest", "successor", "rotated_at", "last_used_at", "expires_at",
            ]
        )  # fmt: skip
    else:
        known = _successor_within_grace(session, refresh, now=now)
        if known is None:
            log.warning("auth.refresh_reused", user_id=session.user_id, session_id=session.id)
            end_sessions([session.id], user_id=session.user_id)
            queue_mail(Mail.Kind.REFRESH_REUSED, user=user)
            return _Rotation.REUSED
        successor = known
    roles = sorted(held.role.name for held in user.user_roles.all())
    return Tokens(access_token(user_id=user.id, session_id=session.id, roles=roles), successor)


def _successor_within_grace(session: Session, refresh: str, *, now: datetime) -> str | None:
    if session.previous_digest != digest(refresh) or session.rotated_at is None or now - session.rotated_at > GRACE:
        return None
    try:
        return cipher("successor", secret=refresh).decrypt(session.successor.encode()).decode()
    except InvalidToken:
        return None


def log_out(*, refresh: str) -> None:
    """Ends the session of a refresh token, if it is still live. Idempotent."""
    session_id = session_of_refresh_token(refresh)
    if session_id is None:
        raise _invalid_refresh()
    _end_session(session_id)


@transactional("auth")
def _end_session(session_id: int) -> None:
    for user_id in Session.objects.filter(id=session_id).values_list("user_id", flat=True):
        end_sessions([session_id], user_id=user_id)


@transactional("auth")
def start_site_session(*, user_id: int, device: Device) -> int:
    """Starts the session of a log-in to the admin site, so that its owner can see and end it; returns its id."""
    user = lock_user(user_id)
    now = timezone.now()
    session = Session(
        user=user,
        kind=Session.Kind.SITE,
        user_agent=device.user_agent[:200],
        address=address_range(device.address),
        address_digest=address_digest(device.address),
        expires_at=now + timedelta(seconds=settings.SESSION_COOKIE_AGE),
    )
    _check_other_sessions(user, session, device)
    session.save(force_insert=True)
    return session.id


@transactional("auth")
def end_session(*, user_id: int, session_id: int) -> None:
    """Ends one of a user's sessions; NotFound if they have no such live session."""
    if not end_sessions(list(_live_ids(user_id, Q(id=session_id))), user_id=user_id):
        raise NotFound("there is no such session")


@transactional("auth")
def end_other_sessions(*, user_id: int, session_id: int) -> None:
    """Ends all of a user's sessions but the one given. Idempotent."""
    end_all_sessions(user_id, but=session_id)


@transactional("auth")
def end_sessions_of(*, user_id: int) -> None:
    """Signs a user out everywhere. Idempotent."""
    end_all_sessions(user_id)


def end_all_sessions(user_id: int, *, but: int | None = None) -> None:
    """Ends all sessions of a user except `but`; the caller holds the transaction."""
    end_sessions(list(_live_ids(user_id, ~Q(id=but) if but is not None else Q())), user_id=user_id)


def _live_ids(user_id: int, which: Q) -> Iterable[int]:
    return Session.objects.filter(which, user_id=user_id, ended_at=None).values_list("id", flat=True)


def end_sessions(ids: list[int], *, user_id: int) -> int:
    """Ends sessions of a user and, after the commit, revokes their access tokens everywhere; returns how many ended."""
    if not ids:
        return 0
    ended = Session.objects.filter(id__in=ids, ended_at=None).update(ended_at=timezone.now())
    if ended:
        publish(SessionsEnded(user_id=user_id, session_ids=ids))
    after_commit("auth", callback=lambda: announce_revoked([f"session:{session_id}" for session_id in ids]))
    return ended


def announce_revoked(members: Sequence[str]) -> None:
    """Publishes revoked "user:<id>" and "session:<id>", and changed "roles:<id>", to admission. Idempotent.

    While Redis is unreachable, admission asks auth instead. They are sent again as soon as it is back: what it kept
    would count as complete for up to a minute.
    """
    _announcing.send(members, seconds=settings.ACCESS_TOKEN_SECONDS)


def delete_old_sessions() -> int:
    """Deletes sessions that expired or ended longer ago than an access token's lifetime; returns how many.

    Also expired browser sessions of the admin site.
    """
    now = timezone.now()
    AdminSession.objects.filter(expire_date__lt=now).delete()
    margin = timedelta(seconds=settings.ACCESS_TOKEN_SECONDS) + timedelta(days=1)
    old = Session.objects.filter(Q(expires_at__lt=now - margin) | Q(ended_at__lt=now - margin))
    removed = 0
    while rows := list(old.only("id", "user_id", "ended_at")[:_BATCH]):
        removed += _delete_sessions(rows)
    return removed


@transactional("auth")
def _delete_sessions(sessions: Sequence[Session]) -> int:
    """Deletes sessions, and publishes the end of those that have only expired."""
    expired: dict[int, list[int]] = defaultdict(list)
    for session in sessions:
        if session.ended_at is None:
            expired[session.user_id].append(session.id)
    publish(*(SessionsEnded(user_id=user_id, session_ids=ids) for user_id, ids in expired.items()))
    return Session.objects.filter(id__in=[session.id for session in sessions]).delete()[0]


def _expiry(now: datetime) -> datetime:
    return now + timedelta(days=min(settings.REFRESH_TOKEN_DAYS, settings.SESSION_DAYS))


def _invalid_refresh() -> Unauthenticated:
    return Unauthenticated("the refresh token is not valid", code="refresh_invalid")
