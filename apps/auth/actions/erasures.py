"""The end of an account: marking it gone, erasing auth's own part, and collecting what the other contexts report."""

from datetime import timedelta

import structlog
from django.contrib.admin.models import LogEntry
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session as AdminSession
from django.db.models import Q
from django.utils import timezone

from apps.auth.actions.credentials import confirmed_user
from apps.auth.actions.exports import delete_archives
from apps.auth.actions.names import TOMBSTONE_PREFIX
from apps.auth.actions.sessions import announce_revoked, end_all_sessions
from apps.auth.models import Erasure, ErasureAck, Mail, RecoveryCode, Session, TotpDevice, User, UserRole
from apps.auth.queries import lock_user
from socialapp.contracts.auth import RolesChanged, UserDeleted, UserRegistered, UserVerified
from socialapp.contracts.lifecycle import context_erased
from socialapp.contracts.users import Users
from socialapp.core.contexts import CONTEXTS
from socialapp.core.db import after_commit, atomic, transactional
from socialapp.core.errors import Forbidden, Stale
from socialapp.messaging.erasure import forget_events
from socialapp.messaging.publish import publish
from socialapp.rpc.calls import client

log = structlog.get_logger()

ASK_AGAIN_AFTER = timedelta(minutes=5)
_BATCH = 100


def delete_account(*, user_id: int, password: str, versions: frozenset[int] | None) -> int:
    """Marks the account gone for everybody and has every context erase its part; the id of the erasure.

    Forbidden when the password is wrong, Stale when the account's version is none of `versions`.
    """
    user = confirmed_user(user_id, password)
    with atomic("auth"):
        locked = lock_user(user_id)
        if versions is not None and locked.version not in versions:
            raise Stale("the account was changed meanwhile")
        if locked.password != user.password:
            raise Forbidden("the password is wrong", code="password_wrong")
        locked.status = User.Status.DELETED
        locked.deleted_at = timezone.now()
        locked.save(update_fields=["status", "deleted_at"])
        end_all_sessions(user_id)
        erasure = Erasure(user=locked)
        erasure.save(force_insert=True)
        publish(UserDeleted(user_id=user_id, erasure_id=erasure.id))
        after_commit("auth", lambda: announce_revoked([f"user:{user_id}"]))
    _hide_at_once(user_id)
    return erasure.id


def _hide_at_once(user_id: int) -> None:
    """Asks users to show nothing of the account any more. The events do it too; this only makes it immediate."""
    try:
        client(Users).hide(user_id=user_id)
    except Exception as error:
        log.warning("auth.hide_failed", user_id=user_id, error=repr(error))


@transactional("auth")
def erase_account(*, user_id: int, erasure_id: int) -> None:
    """Erases what auth holds of a deleted account, but for the tombstone's id, and reports it. Idempotent."""
    user = User.objects.select_for_update().filter(id=user_id, status=User.Status.DELETED).first()
    if user is None:
        return
    _scrub(user)
    delete_archives(user_id)
    for rows in (Session, Mail, UserRole, TotpDevice, RecoveryCode):
        rows.objects.filter(user_id=user_id).delete()
    LogEntry.objects.filter(Q(user_id=user_id) | Q(content_type__app_label="identity", object_id=str(user_id))).delete()
    _forget_admin_sessions(user_id)
    forget_events("auth", subject=user_id, events=[UserRegistered, UserVerified, RolesChanged])
    publish(context_erased("auth")(user_id=user_id, erasure_id=erasure_id))


def _forget_admin_sessions(user_id: int) -> None:
    """Removes the browser sessions of the admin site that are the account's; only staff ever has any."""
    for session in AdminSession.objects.iterator():
        if session.get_decoded().get(SESSION_KEY) == str(user_id):
            session.delete()


def _scrub(user: User) -> None:
    name = f"{TOMBSTONE_PREFIX}{user.id}"
    Mail.objects.filter(address=user.email_key or name).delete()
    user.username = user.username_key = name
    user.email, user.email_key, user.full_name = "", None, ""
    user.oauth_provider = user.oauth_id = user.last_login = user.sanctioned_at = None
    user.email_verified = False
    user.set_unusable_password()
    user.save()


@transactional("auth")
def acknowledge_erasure(*, erasure_id: int, context: str) -> None:
    """Notes that a context has erased its part; the last one completes the erasure. Idempotent."""
    erasure = Erasure.objects.select_for_update().filter(id=erasure_id).first()
    if erasure is None:
        return
    ErasureAck.objects.get_or_create(erasure=erasure, context=context)
    if erasure.completed_at is None and erasure.acks.count() == len(CONTEXTS):
        erasure.completed_at = timezone.now()
        erasure.save(update_fields=["completed_at"])


def repeat_unfinished_erasures() -> int:
    """Tells of deletions again that some context has not acted upon for minutes; how many."""
    horizon = timezone.now() - ASK_AGAIN_AFTER
    with atomic("auth"):
        waiting = list(
            Erasure.objects.select_for_update().filter(completed_at=None, asked_at__lt=horizon).order_by("id")[:_BATCH]
        )
        Erasure.objects.filter(id__in=[erasure.id for erasure in waiting]).update(asked_at=timezone.now())
        publish(*(UserDeleted(user_id=erasure.user_id, erasure_id=erasure.id) for erasure in waiting))
    return len(waiting)
