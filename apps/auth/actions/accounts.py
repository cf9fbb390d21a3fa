"""Accounts: making them, their e-mail addresses, their roles, and bans."""

from datetime import datetime

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError

from apps.auth.actions.mails import queue_mail, read_verification_key
from apps.auth.actions.names import NewAccount, check_password_strength, checked_email, checked_username, email_key
from apps.auth.actions.sessions import Device, SignedIn, end_all_sessions, start_session
from apps.auth.models import Mail, Role, User, UserRole
from apps.auth.queries import Account, account, account_of, existing_users, lock_user
from socialapp.contracts.auth import RolesChanged, UserRegistered, UserVerified
from socialapp.core.db import atomic, transactional
from socialapp.core.errors import Conflict, FieldError, Invalid, NotFound, Stale
from socialapp.core.principal import ADMIN, MODERATOR
from socialapp.messaging.publish import publish


def prepare_account(
    *, username: str, email: str, password: str, full_name: str = "", may_be_reserved: bool = False
) -> NewAccount:
    """Checks and normalises what an account is made of; Invalid when something is wrong with it."""
    name = checked_username(username, may_be_reserved=may_be_reserved)
    address = checked_email(email)
    check_password_strength(password, user=User(username=name, email=address, full_name=full_name))
    return NewAccount(name, address, full_name, make_password(password))


@transactional("auth")
def register_user(*, new: NewAccount, device: Device) -> SignedIn:
    """Makes an account and signs it in; Conflict when the username or the address is taken."""
    return start_session(create_user(new), device=device)


@transactional("auth")
def create_admin(*, new: NewAccount) -> Account:
    """Makes an account with the admin role; Conflict when the username or the address is taken."""
    user = create_user(new)
    User.objects.filter(id=user.id).update(email_verified=True)
    grant_role(user_id=user.id, role=ADMIN)
    return account_of(existing_users().get(id=user.id))


def create_user(new: NewAccount) -> User:
    """Makes an account and tells the others; the caller holds the transaction. Conflict when a part of it is taken."""
    user = User(
        username=new.username,
        username_key=new.username.casefold(),
        email=new.email,
        email_key=email_key(new.email),
        full_name=new.full_name,
        password=new.password_hash,
        oauth_provider=new.oauth_provider,
        oauth_id=new.oauth_id,
    )
    _refuse_taken(user)
    try:
        with atomic("auth"):
            user.save(force_insert=True)
    except IntegrityError:
        # Somebody was faster between the look and the insert.
        _refuse_taken(user)
        raise
    queue_mail(Mail.Kind.VERIFY_EMAIL, user=user)
    publish(
        UserRegistered(user_id=user.id, username=user.username, full_name=user.full_name, created_at=user.created_at)
    )
    return user


def _refuse_taken(user: User) -> None:
    others = User.objects.exclude(id=user.id)
    if others.filter(username_key=user.username_key).exists():
        raise _taken("username", "username_taken", "This username is taken.")
    if others.filter(email_key=user.email_key).exists():
        raise _taken("email", "email_taken", "There is an account with this e-mail address.")


def _taken(field: str, code: str, detail: str) -> Conflict:
    return Conflict(detail, code=code, errors=[FieldError(field, code, detail)])


def change_account(*, user_id: int, versions: frozenset[int] | None, email: str | None = None) -> Account:
    """Gives the account another address, to be verified anew; the old one is told.

    Stale when its version is none of `versions`.

    No address, or the same one again, changes nothing.
    """
    address = checked_email(email) if email is not None else None
    with atomic("auth"):
        user = lock_user(user_id)
        if versions is not None and user.version not in versions:
            raise Stale("the account was changed meanwhile")
        if address is not None and address != user.email:
            _set_email(user, address)
    return account(user_id)


def _set_email(user: User, address: str) -> None:
    queue_mail(Mail.Kind.EMAIL_CHANGED, user=user)
    user.email, user.email_key = address, email_key(address)
    user.email_verified = False
    user.version += 1
    _refuse_taken(user)
    try:
        with atomic("auth"):
            user.save(update_fields=["email", "email_key", "email_verified", "version"])
    except IntegrityError:
        _refuse_taken(user)
        raise
    queue_mail(Mail.Kind.VERIFY_EMAIL, user=user)


def verify_email(*, key: str) -> None:
    """Marks the address that a mailed key was sent to as proven; Invalid for a bad, old or outdated key. Idempotent."""
    user_id, address = read_verification_key(key)
    with atomic("auth"):
        user = existing_users().select_for_update().filter(id=user_id, email_key=address).first()
        if user is None:
            raise Invalid.of("key", "key_outdated", "This key is for an address that is no longer the account's.")
        if not user.email_verified:
            mark_verified(user)


def mark_verified(user: User) -> None:
    """Notes that the address is proven; the caller holds the transaction and the account's lock."""
    user.email_verified = True
    user.version += 1
    user.save(update_fields=["email_verified", "version"])
    publish(UserVerified(user_id=user.id))


@transactional("auth")
def grant_role(*, user_id: int, role: str) -> None:
    """Gives an account a role, admin or moderator. Idempotent."""
    lock_user(user_id)
    row, _ = Role.objects.get_or_create(name=_known_role(role))
    _, is_new = UserRole.objects.get_or_create(user_id=user_id, role=row)
    if is_new:
        _publish_roles(user_id)


@transactional("auth")
def revoke_role(*, user_id: int, role: str) -> None:
    """Takes a role from an account and ends its sessions, whose tokens still carry it. Idempotent."""
    lock_user(user_id)
    removed, _ = UserRole.objects.filter(user_id=user_id, role__name=_known_role(role)).delete()
    if removed:
        end_all_sessions(user_id)
        _publish_roles(user_id)


def _known_role(role: str) -> str:
    if role not in (ADMIN, MODERATOR):
        raise NotFound(f"there is no role {role}")
    return role


def _publish_roles(user_id: int) -> None:
    names = UserRole.objects.filter(user_id=user_id).values_list("role__name", flat=True)
    publish(RolesChanged(user_id=user_id, roles=sorted(names)))


@transactional("auth")
def apply_sanction(*, user_id: int, banned: bool, at: datetime) -> None:
    """Bans or unbans an account unless something later was decided; a ban ends all sessions. Idempotent."""
    user = existing_users().select_for_update().filter(id=user_id).first()
    if user is None or (user.sanctioned_at is not None and user.sanctioned_at >= at):
        return
    user.status = User.Status.BANNED if banned else User.Status.ACTIVE
    user.sanctioned_at = at
    user.version += 1
    user.save(update_fields=["status", "sanctioned_at", "version"])
    if banned:
        end_all_sessions(user_id)
