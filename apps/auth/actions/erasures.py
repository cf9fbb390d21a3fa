"""Deletion of accounts: marking them deleted, erasing auth's data, and collecting the other contexts' reports."""

from collections.abc import Container, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import structlog
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session as AdminSession
from django.db.models import Model, Q
from django.utils import timezone

from apps.auth.actions.accounts import refuse_last_administrator, reserve_name
from apps.auth.actions.certificates import erasure_certificate
from apps.auth.actions.credentials import confirmed_user
from apps.auth.actions.devices import Device
from apps.auth.actions.exports import delete_archives
from apps.auth.actions.mails import delete_mail_files, queue_mail
from apps.auth.actions.names import TOMBSTONE_PREFIX
from apps.auth.actions.sessions import announce_revoked, end_all_sessions
from apps.auth.models import (
    LOCAL,
    Application,
    Erasure,
    ErasureAck,
    Mail,
    PasskeyChallenge,
    RecoveryCode,
    ReservedName,
    Session,
    TotpDevice,
    User,
    UserRole,
)
from apps.auth.queries import lock_user
from socialapp.contracts.auth import (
    RolesChanged,
    UserDeactivated,
    UserDeleted,
    UserReactivated,
    UserRegistered,
    UserRenamed,
    UserVerified,
)
from socialapp.contracts.lifecycle import context_erased
from socialapp.contracts.users import Users
from socialapp.core.contexts import CONTEXTS
from socialapp.core.db import after_commit, empty_write_ahead_log, transactional
from socialapp.core.errors import Forbidden, require_version
from socialapp.lifecycle.data_export import held_rows
from socialapp.messaging.erasure import forget_events
from socialapp.messaging.publish import publish
from socialapp.rpc.calls import client

log = structlog.get_logger()

ASK_AGAIN_AFTER = timedelta(minutes=5)
_BATCH = 100
# Everything about a person except the account's row, the exports and the erasure.
_PERSONAL_ROWS: tuple[type[Model], ...] = (
    Session, Mail, UserRole, TotpDevice, RecoveryCode, PasskeyChallenge, Application,
    EmailAddress, SocialAccount, Authenticator,
)  # fmt: skip


def delete_account(*, user_id: int, password: str | None, versions: Container[int] | None, device: Device) -> int:
    """Deletes the account, at once or at the end of the configured grace period; returns the erasure's id.

    During the grace period the account and its content are hidden from everybody.

    Forbidden if the password is wrong, Stale if the account's version is not in `versions`, Conflict for the last
    administrator. Without a password the caller must have confirmed the session.
    """
    user = confirmed_user(user_id, password=password, device=device) if password is not None else None
    grace = timedelta(days=settings.ERASURE_GRACE_DAYS)
    at = timezone.now()
    erasure_id = _delete_account(
        user_id, password_hash=user.password if user else None, versions=versions, at=at, grace=grace
    )
    with _hiding_at_once(user_id):
        if grace:
            client(Users).deactivate(user_id=user_id, at=at)
        else:
            client(Users).hide(user_id=user_id)
    return erasure_id


@transactional("auth")
def _delete_account(
    user_id: int, *, password_hash: str | None, versions: Container[int] | None, at: datetime, grace: timedelta
) -> int:
    refuse_last_administrator(user_id)
    user = lock_user(user_id)
    require_version(user.version, expected=versions, detail="the account was changed meanwhile")
    if password_hash is not None and user.password != password_hash:
        raise Forbidden("the password is wrong", code="password_wrong")
    erasure = Erasure(user=user, due_at=at + grace)
    erasure.save(force_insert=True)
    end_all_sessions(user_id)
    if grace:
        user.deletion_due_at = erasure.due_at
        user.save(update_fields=["deletion_due_at"])
        publish(UserDeactivated(user_id=user_id, at=at))
        queue_mail(Mail.Kind.DELETION_SCHEDULED, user=user, due_on=f"{erasure.due_at:%Y-%m-%d}")
    else:
        _begin_erasure(user, erasure)
    return erasure.id


def _begin_erasure(user: User, erasure: Erasure) -> None:
    """Marks the account deleted and has every context erase its data; the caller holds the transaction."""
    user.status = User.Status.DELETED
    user.deleted_at = timezone.now()
    user.deletion_due_at = None
    user.save(update_fields=["status", "deleted_at", "deletion_due_at"])
    publish(UserDeleted(user_id=user.id, erasure_id=erasure.id))
    after_commit("auth", callback=lambda: announce_revoked([f"user:{user.id}"]))


def start_erasure(user: User) -> None:
    """Erases an account without a grace period; the caller holds the transaction and the account's lock."""
    erasure = Erasure(user=user, due_at=timezone.now())
    erasure.save(force_insert=True)
    _begin_erasure(user, erasure)


def begin_due_erasures() -> int:
    """Starts the erasures whose grace period has ended; returns how many. Idempotent."""
    due = list(User.objects.filter(deletion_due_at__lte=timezone.now()).values_list("id", flat=True)[:_BATCH])
    begun = [user_id for user_id in due if _begin_if_due(user_id)]
    for user_id in begun:
        with _hiding_at_once(user_id):
            client(Users).hide(user_id=user_id)
    return len(begun)


@transactional("auth")
def _begin_if_due(user_id: int) -> bool:
    user = User.objects.select_for_update().filter(id=user_id, deletion_due_at__lte=timezone.now()).first()
    erasure = Erasure.objects.filter(user_id=user_id, completed_at=None).first()
    if user is None or erasure is None:
        return False
    _begin_erasure(user, erasure)
    return True


@contextmanager
def _hiding_at_once(user_id: int) -> Iterator[None]:
    """Logs the failure of a call that hides the account: the events do so a little later."""
    try:
        yield
    except Exception as error:
        log.warning("auth.hide_failed", user_id=user_id, error=repr(error))


@transactional("auth")
def erase_account(*, user_id: int, erasure_id: int) -> None:
    """Erases auth's data of a deleted account, keeping only the tombstone's id, and reports it. Idempotent."""
    user = User.objects.select_for_update().filter(id=user_id, status=User.Status.DELETED).first()
    if user is None:
        return
    rows = held_rows("auth", user_id=user_id)
    addresses = {user.email, *EmailAddress.objects.filter(user_id=user_id).values_list("email", flat=True)} - {""}
    _scrub(user)
    delete_archives(user_id)
    for model in _PERSONAL_ROWS:
        model._default_manager.filter(user_id=user_id).delete()
    # Former names stay reserved until they expire, without a link to the account.
    ReservedName.objects.filter(user_id=user_id).update(user=None)
    LogEntry.objects.filter(Q(user_id=user_id) | Q(content_type__app_label="identity", object_id=str(user_id))).delete()
    _forget_admin_sessions(user_id)
    forget_events(
        "auth",
        subject=user_id,
        events=[UserRegistered, UserRenamed, UserVerified, UserDeactivated, UserReactivated, RolesChanged],
    )
    publish(context_erased("auth")(user_id=user_id, erasure_id=erasure_id, rows=rows))
    after_commit("auth", callback=lambda: delete_mail_files(addresses))
    after_commit("auth", callback=lambda: empty_write_ahead_log("auth"))


def _forget_admin_sessions(user_id: int) -> None:
    """Removes the account's browser sessions of the admin site; only staff ever have any."""
    for session in AdminSession.objects.iterator():
        if session.get_decoded().get(SESSION_KEY) == str(user_id):
            session.delete()


def _scrub(user: User) -> None:
    name = f"{TOMBSTONE_PREFIX}{user.id}"
    # Except the mail that informs a rejected applicant of this erasure; it is deleted once sent.
    Mail.objects.filter(address=user.email_key or name).exclude(kind=Mail.Kind.REGISTRATION_REJECTED).delete()
    if user.username != name:
        reserve_name(user, days=settings.NAME_RESERVED_DAYS, keep_owner=False)
    user.username = user.username_key = name
    user.username_skeleton, user.username_claim = "", None
    user.email, user.email_key, user.email_mailbox, user.full_name = "", None, None, ""
    user.oauth_provider, user.oauth_id, user.last_login, user.sanctioned_at = LOCAL, None, None, None
    user.email_verified = False
    user.set_unusable_password()
    user.save()


@transactional("auth")
def acknowledge_erasure(*, erasure_id: int, context: str, rows: dict[str, int]) -> None:
    """Records that a context has erased its data, and how many rows; the last report completes the erasure. Idempotent:
    the first report of a context counts."""
    erasure = Erasure.objects.select_for_update().filter(id=erasure_id).first()
    if erasure is None:
        return
    ErasureAck.objects.get_or_create(erasure=erasure, context=context, defaults={"rows": rows})
    if erasure.completed_at is None and erasure.acks.count() == len(CONTEXTS):
        erasure.completed_at = timezone.now()
        erasure.certificate = erasure_certificate(erasure)
        erasure.save(update_fields=["completed_at", "certificate"])


@transactional("auth")
def repeat_unfinished_erasures() -> int:
    """Publishes deletions again that some context has not acknowledged for minutes; returns how many."""
    horizon = timezone.now() - ASK_AGAIN_AFTER
    waiting = list(
        Erasure.objects.select_for_update()
        .filter(completed_at=None, asked_at__lt=horizon, user__status=User.Status.DELETED)
        .order_by("id")[:_BATCH]
    )
    Erasure.objects.filter(id__in=[erasure.id for erasure in waiting]).update(asked_at=timezone.now())
    publish(*(UserDeleted(user_id=erasure.user_id, erasure_id=erasure.id) for erasure in waiting))
    return len(waiting)
