"""Accounts: creating them, and changing their e-mail addresses, usernames, roles and bans."""

from collections.abc import Container
from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError
from django.db.models import F, Q
from django.utils import timezone

from apps.auth.access import checked_email
from apps.auth.actions.devices import Device
from apps.auth.actions.invites import spend_invite
from apps.auth.actions.mails import admit_new_address, queue_mail, queue_verification, read_verification_key
from apps.auth.actions.names import (
    NewAccount,
    acceptable_email,
    check_password_strength,
    checked_username,
    is_name_reserved,
    mailbox_of,
    name_digest,
    username_skeleton,
)
from apps.auth.actions.sessions import announce_revoked, end_all_sessions, start_session
from apps.auth.models import Mail, ReservedName, Role, User, UserRole
from apps.auth.queries import Account, LoggedIn, account, existing_users, lock_user, role_names
from socialapp.contracts.auth import RolesChanged, UserRegistered, UserRenamed, UserVerified
from socialapp.core.db import after_commit, atomic, transactional
from socialapp.core.errors import Conflict, FieldError, Forbidden, Invalid, NotFound, require_version
from socialapp.core.principal import ADMIN, MODERATOR, USER
from socialapp.core.text.emails import email_key
from socialapp.messaging.publish import publish

ROLES = (ADMIN, MODERATOR, USER)


def prepare_account(
    *, username: str, email: str, password: str, full_name: str = "", may_be_reserved: bool = False
) -> NewAccount:
    """Checks and normalizes the fields of a new account; Invalid lists every invalid field."""
    errors = account_errors(
        username=username, email=email, password=password, full_name=full_name, may_be_reserved=may_be_reserved
    )
    if errors:
        raise Invalid("some fields are not valid", errors=errors)
    name = checked_username(username, may_be_reserved=may_be_reserved)
    return NewAccount(name, acceptable_email(email), full_name, make_password(password))


def account_errors(
    *,
    username: str | None = None,
    email: str | None = None,
    password: str | None = None,
    full_name: str = "",
    may_be_reserved: bool = False,
) -> list[FieldError]:
    """The errors of the fields that are given."""
    errors: list[FieldError] = []
    try:
        if username is not None:
            checked_username(username, may_be_reserved=may_be_reserved)
    except Invalid as problem:
        errors += problem.errors
    try:
        if email is not None:
            acceptable_email(email)
    except Invalid as problem:
        errors += problem.errors
    try:
        if password is not None:
            user = User(username=username or "", email=email or "", full_name=full_name)
            check_password_strength(password, user=user)
    except Invalid as problem:
        errors += problem.errors
    return errors


def refuse_when_closed() -> None:
    """Forbidden if registration is closed."""
    if settings.REGISTRATION == "closed":
        raise Forbidden("registration is closed here", code="registration_closed")


def refuse_unless_open() -> None:
    """Forbidden unless registration is open: a log-in with a provider carries neither an invite nor an application."""
    refuse_when_closed()
    if settings.REGISTRATION != "open":
        detail = "To register here, use the form for signing up; you can link the provider afterwards."
        raise Forbidden(detail, code="registration_restricted")


@transactional("auth")
def register_user(*, new: NewAccount, device: Device, invite: str = "") -> LoggedIn:
    """Creates an account and logs it in; Conflict if the username or the address is taken, Forbidden if registration
    is closed, Invalid if it needs an invite and the code is not valid."""
    refuse_when_closed()
    if settings.REGISTRATION == "invite":
        spend_invite(invite)
    return start_session(create_user(new), device=device, is_new_account=True)


@transactional("auth")
def create_admin(*, new: NewAccount) -> Account:
    """Creates an account with the admin role; Conflict if the username or the address is taken."""
    user = create_user(new)
    User.objects.filter(id=user.id).update(email_verified=True)
    EmailAddress.objects.filter(user_id=user.id).update(verified=True)
    grant_role(user_id=user.id, role=ADMIN)
    return account(user.id)


def create_user(new: NewAccount, *, status: str = User.Status.ACTIVE) -> User:
    """Creates an account and, unless it is pending approval, publishes it; the caller holds the transaction. Conflict
    if the username or the address is taken."""
    user = User(
        username=new.username,
        username_key=new.username.casefold(),
        username_skeleton=username_skeleton(new.username),
        username_claim=username_skeleton(new.username),
        email=new.email,
        email_key=email_key(new.email),
        email_mailbox=mailbox_of(new.email),
        full_name=new.full_name,
        password=new.password_hash,
        oauth_provider=new.oauth_provider,
        oauth_id=new.oauth_id,
        status=status,
    )
    _refuse_taken(user)
    _refuse_reserved_name(user)
    try:
        with atomic("auth"):
            user.save(force_insert=True)
    except IntegrityError:
        # Another request took it between the check and the insert.
        _refuse_taken(user)
        raise
    EmailAddress(user=user, email=user.email_key, primary=True).save(force_insert=True)
    UserRole(user=user, role_id=role_id(USER)).save(force_insert=True)
    if status != User.Status.PENDING:
        welcome_user(user)
    return user


def welcome_user(user: User) -> None:
    """Publishes a new account and mails the key that verifies its address; the caller holds the transaction."""
    queue_mail(Mail.Kind.VERIFY_EMAIL, user=user)
    publish(
        UserRegistered(user_id=user.id, username=user.username, full_name=user.full_name, created_at=user.created_at)
    )


def _refuse_taken_name(user: User) -> None:
    alike = Q(username_key=user.username_key) | Q(username_skeleton=user.username_skeleton)
    if User.objects.exclude(id=user.id).filter(alike).exists():
        raise _taken("username", "username_taken", "This username is taken or too similar to one that is.")


def _refuse_reserved_name(user: User) -> None:
    """To be called after `_refuse_taken_name`: a name that becomes free between the two is reserved by then."""
    if is_name_reserved(user.username_key, for_user=user.id):
        raise _taken("username", "username_taken", "This username is taken.")


def _refuse_taken(user: User) -> None:
    _refuse_taken_name(user)
    others = User.objects.exclude(id=user.id)
    if others.filter(Q(email_key=user.email_key) | Q(email_mailbox=user.email_mailbox)).exists():
        raise _taken("email", "email_taken", "There is an account with this e-mail address.")


def _taken(field: str, code: str, detail: str) -> Conflict:
    return Conflict(detail, code=code, errors=[FieldError(field, code, detail)])


def is_new_address(*, user_id: int, email: str) -> bool:
    """Whether this address differs from the present one, so that the change must be confirmed; Invalid if it is
    none."""
    return email_key(checked_email(email)) != email_key(account(user_id).email)


@transactional("auth")
def change_account(
    *, user_id: int, versions: Container[int] | None, email: str | None = None, username: str | None = None
) -> Account:
    """Changes the username, and records a new address as pending until the key mailed to it is sent back.

    The result is the same for an address of another account, to which nothing is mailed. The present address cancels a
    pending one. Stale if the account's version is not in `versions`, TooMany after many addresses.
    """
    address = acceptable_email(email) if email is not None else None
    name = checked_username(username) if username is not None else None
    user = lock_user(user_id)
    require_version(user.version, expected=versions, detail="the account was changed meanwhile")
    if name is not None:
        _rename(user, name)
    if address is not None:
        _set_pending_email(user, email_key(address))
    return account(user_id)


@transactional("auth")
def rename_account(*, user_id: int, username: str) -> Account:
    """Changes an account's username for an operator, who is not held to the limits; Conflict if it is taken."""
    _rename(lock_user(user_id), checked_username(username, may_be_reserved=True), by_operator=True)
    return account(user_id)


def _rename(user: User, username: str, *, by_operator: bool = False) -> None:
    """Reserves the former name for its owner. At most once a day: people recognize each other by name."""
    if username == user.username:
        return
    if user.status == User.Status.PENDING:
        raise Conflict("this account is not approved yet", code="account_not_approved")
    is_new_key = username.casefold() != user.username_key
    if is_new_key:
        if not by_operator and _was_renamed_today(user):
            raise Conflict("a username can be changed once a day", code="username_changed_lately")
        reserve_name(user, days=settings.NAME_KEPT_DAYS, keep_owner=True)
    user.username, user.username_key = username, username.casefold()
    user.username_skeleton = user.username_claim = username_skeleton(username)
    user.version += 1
    _refuse_taken_name(user)
    if is_new_key:
        _refuse_reserved_name(user)
    try:
        with atomic("auth"):
            user.save(update_fields=["username", "username_key", "username_skeleton", "username_claim", "version"])
    except IntegrityError:
        # Another request took it between the check and the update.
        raise _taken("username", "username_taken", "This username is taken.") from None
    publish(UserRenamed(user_id=user.id))


def _was_renamed_today(user: User) -> bool:
    kept_since = timezone.now() + timedelta(days=settings.NAME_KEPT_DAYS - 1)
    return ReservedName.objects.filter(user=user, until__gt=kept_since).exists()


@transactional("auth")
def verify_account(*, user_id: int) -> None:
    """Verifies the address on an operator's word. Idempotent; Conflict while the account is pending approval."""
    user = lock_user(user_id)
    if user.status == User.Status.PENDING:
        raise Conflict("this account is not approved yet", code="account_not_approved")
    if not user.email_verified:
        mark_verified(user)


def _set_pending_email(user: User, address: str) -> None:
    removed, _ = EmailAddress.objects.filter(user=user, primary=False).exclude(email=address).delete()
    if address == user.email_key:
        if removed:
            _raise_version(user)
        return
    _, is_new = EmailAddress.objects.get_or_create(user=user, email=address, defaults={"primary": False})
    if is_new:
        admit_new_address(user_id=user.id)
        _raise_version(user)
        queue_mail(Mail.Kind.EMAIL_REQUESTED, user=user)
    queue_verification(user=user, address=address)


def _raise_version(user: User) -> None:
    user.version += 1
    user.save(update_fields=["version"])


@transactional("auth")
def verify_email(*, key: str) -> None:
    """Marks the address that a key was mailed to as verified and makes it the account's; Invalid for a bad, expired
    or outdated key. Idempotent."""
    address = read_verification_key(key)
    user = existing_users().select_for_update().filter(id=address.user_id).first() if address else None
    if user is not None and user.status == User.Status.PENDING:
        user = None  # other contexts learn of it, and the key is mailed, only after approval
    row = EmailAddress.objects.filter(pk=address.pk).first() if address else None
    if user is None or row is None:
        raise _outdated_key()
    if row.verified:
        return
    if row.primary:
        mark_verified(user)
    else:
        _switch_email(user, row)


def _switch_email(user: User, row: EmailAddress) -> None:
    """Makes the pending address the account's; the previous one is notified."""
    queue_mail(Mail.Kind.EMAIL_CHANGED, user=user)
    was_verified = user.email_verified
    user.email, user.email_key, user.email_mailbox = row.email, row.email, mailbox_of(row.email)
    user.email_verified = True
    user.version += 1
    try:
        with atomic("auth"):
            user.save(update_fields=["email", "email_key", "email_mailbox", "email_verified", "version"])
    except IntegrityError:
        # Another account has verified the address meanwhile.
        raise _outdated_key() from None
    EmailAddress.objects.filter(user=user).exclude(pk=row.pk).delete()
    row.primary = row.verified = True
    row.save(update_fields=["primary", "verified"])
    if not was_verified:
        publish(UserVerified(user_id=user.id))


def _outdated_key() -> Invalid:
    return Invalid.of("key", "key_outdated", "This key is for an address that is no longer the account's.")


def mark_verified(user: User) -> None:
    """Marks the present address as verified; the caller holds the transaction and the account's lock."""
    user.email_verified = True
    user.version += 1
    user.save(update_fields=["email_verified", "version"])
    EmailAddress.objects.filter(user=user, primary=True).update(verified=True)
    publish(UserVerified(user_id=user.id))


def reserve_name(user: User, *, days: int, keep_owner: bool) -> None:
    """Keeps others from taking the username, or a similar one, for some days; the caller holds the transaction.
    Idempotent."""
    if days > 0:
        ReservedName.objects.update_or_create(
            digest=name_digest(username_skeleton(user.username)),
            defaults={"user": user if keep_owner else None, "until": timezone.now() + timedelta(days=days)},
        )


def role_id(name: str) -> int:
    """The id of a role; NotFound for an unknown one. One query."""
    if name not in ROLES:
        raise NotFound(f"there is no role {name}")
    return int(Role.objects.get_or_create(name=name)[0].id)


@transactional("auth")
def grant_role(*, user_id: int, role: str) -> None:
    """Gives an account a role, in force from its next request. Idempotent."""
    lock_user(user_id)
    _, is_new = UserRole.objects.get_or_create(user_id=user_id, role_id=role_id(role))
    if is_new:
        _publish_roles(user_id)


@transactional("auth")
def check_revocable(*, user_id: int, role: str) -> None:
    """Conflict for the role that everybody has, and if it would leave no administrator."""
    if role == USER:
        raise Conflict("everybody has the role user", code="role_needed")
    if role == ADMIN:
        refuse_last_administrator(user_id)


@transactional("auth")
def revoke_role(*, user_id: int, role: str) -> None:
    """Takes a role from an account and ends its sessions, whose tokens still contain it. Idempotent.

    Raises like `check_revocable`, also when two administrators revoke each other's role concurrently.
    """
    check_revocable(user_id=user_id, role=role)
    lock_user(user_id)
    removed, _ = UserRole.objects.filter(user_id=user_id, role_id=role_id(role)).delete()
    if removed:
        end_all_sessions(user_id)
        _publish_roles(user_id)


def refuse_last_administrator(user_id: int) -> None:
    """Conflict for the last administrator. The caller holds the transaction, so the check stays true until the
    commit."""
    held = UserRole.objects.select_for_update().filter(role_id=role_id(ADMIN)).order_by("id")
    holders = set(held.values_list("user_id", flat=True))
    others = User.objects.filter(id__in=holders - {user_id}, status=User.Status.ACTIVE, deletion_due_at=None)
    if user_id in holders and not others.exists():
        raise Conflict("the last administrator keeps the role", code="role_needed")


def _publish_roles(user_id: int) -> None:
    User.objects.filter(id=user_id).update(roles_changed_at=timezone.now(), version=F("version") + 1)
    publish(RolesChanged(user_id=user_id, roles=role_names(user_id)))
    after_commit("auth", callback=lambda: announce_revoked([f"roles:{user_id}"]))


@transactional("auth")
def apply_sanction(
    *, user_id: int, banned: bool, at: datetime, action_id: int, notice: dict[str, str] | None = None
) -> None:
    """Bans or unbans an account unless a later decision is in force; a ban ends all sessions. Idempotent.

    Mails the person a `notice` (`reason`, `rule`, `until`): of a ban with a link to appeal, of its end only if it is
    given.
    """
    user = existing_users().select_for_update().filter(id=user_id).first()
    # A pending account has done nothing yet, and the end of a ban must not approve it.
    if user is None or user.status == User.Status.PENDING:
        return
    if user.sanctioned_at is not None and user.sanctioned_at >= at:
        return
    was_banned = user.status == User.Status.BANNED
    user.status = User.Status.BANNED if banned else User.Status.ACTIVE
    user.sanctioned_at = at
    user.version += 1
    user.save(update_fields=["status", "sanctioned_at", "version"])
    if banned:
        end_all_sessions(user_id)
        queue_mail(Mail.Kind.BANNED, user=user, action_id=str(action_id), **(notice or {}))
    elif was_banned and notice is not None:
        queue_mail(Mail.Kind.UNBANNED, user=user, **notice)


@transactional("auth")
def mail_appeal_decision(*, user_id: int, is_accepted: bool, answer: str, is_about_ban: bool) -> None:
    """Mails the answer to an appeal to a banned person, who cannot see notifications.

    Also if the appeal was against a ban that has ended: the answer and the end of the ban come in any order.
    """
    user = existing_users().filter(id=user_id).first()
    if user is not None and (is_about_ban or user.status == User.Status.BANNED):
        queue_mail(Mail.Kind.APPEAL_DECIDED, user=user, is_accepted=is_accepted, answer=answer)


@transactional("auth")
def demand_password_reset(*, user_id: int, is_demanded: bool, at: datetime) -> None:
    """Requires a new password, set with a mailed key, or withdraws the demand, unless a later decision is in force.

    Until then nobody can log in by password. The demand ends all sessions and mails the key; its withdrawal is mailed,
    too. Idempotent.
    """
    user = existing_users().select_for_update().filter(id=user_id).first()
    if user is None or (user.must_reset_password_at is not None and user.must_reset_password_at >= at):
        return
    was_demanded = user.must_reset_password
    user.must_reset_password, user.must_reset_password_at = is_demanded, at
    user.version += 1
    user.save(update_fields=["must_reset_password", "must_reset_password_at", "version"])
    if is_demanded:
        end_all_sessions(user_id)
        queue_mail(Mail.Kind.PASSWORD_RESET_DEMANDED, user=user)
    elif was_demanded:
        queue_mail(Mail.Kind.PASSWORD_RESET_WAIVED, user=user)
