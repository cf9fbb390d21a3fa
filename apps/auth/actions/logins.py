"""Log-in by password, passkey or provider, and to the admin site: different proofs, then one path.

Once the proof is valid, the account is refused if banned or pending, asked for a code if it has an authenticator app
(a passkey with user verification is two factors in one), and gets a session.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from apps.auth.access import refuse_blocked_sign_up
from apps.auth.actions.attempts import forget_attempts, record_failure
from apps.auth.actions.credentials import user_by_password, wrong_credentials
from apps.auth.actions.devices import Device
from apps.auth.actions.passkeys import UsedPasskey, has_passkey, lock_holder, use_passkey
from apps.auth.actions.second_factors import demand_code
from apps.auth.actions.sessions import start_session
from apps.auth.actions.social import SocialProfile, find_person, free_username_for, join_or_sign_up
from apps.auth.models import User
from apps.auth.queries import LoggedIn, has_totp, lock_user
from socialapp.core.db import transactional
from socialapp.core.errors import Forbidden, NotFound, Unauthenticated


def log_in(*, login: str, password: str, otp: str | None, device: Device) -> LoggedIn:
    """Logs in by username or e-mail address; Unauthenticated if the pair is wrong, Forbidden if the account is banned.

    If the account has an authenticator app, `otp` must be one of its codes or a recovery code, and is used up.
    An unknown name takes as long as a wrong password and gets the same answer. TooMany after many attempts.
    """
    user = user_by_password(login=login, password=password, device=device)
    with _wrong_codes_counted(user=user, device=device):
        return _log_in_by_password(user, otp=otp, device=device)


@transactional("auth")
def _log_in_by_password(user: User, *, otp: str | None, device: Device) -> LoggedIn:
    locked = _unchanged(user)
    _admit(locked, otp=otp)
    return start_session(locked, device=device)


def log_in_with_passkey(*, credential: dict[str, object], device: Device) -> LoggedIn:
    """Logs in the holder of the passkey; Unauthenticated if it is not valid, Forbidden if the account is banned."""
    return _log_in_confirmed(use_passkey(credential), device=device)


@transactional("auth")
def _log_in_confirmed(used: UsedPasskey, *, device: Device) -> LoggedIn:
    user = lock_holder(used)
    refuse_inactive(user)
    _refuse_until_reset(user)
    return start_session(user, device=device)


def log_in_social(*, profile: SocialProfile, otp: str | None, device: Device) -> LoggedIn:
    """Logs in the account of a provider's profile, which is joined or created if need be.

    Conflict if the address belongs to an account that cannot be joined; Forbidden if it is banned.
    """
    user = find_person(profile)
    if user is None:
        refuse_blocked_sign_up(email=profile.email, address=device.address)
        return _log_in_social(profile, free_username_for(profile), otp=otp, device=device)
    with _wrong_codes_counted(user=user, device=device):
        return _log_in_social(profile, "", otp=otp, device=device)


@transactional("auth")
def _log_in_social(profile: SocialProfile, username: str, *, otp: str | None, device: Device) -> LoggedIn:
    user, is_new = join_or_sign_up(profile, username=username)
    _admit(user, otp=otp)
    return start_session(user, device=device, is_new_account=is_new)


def admit_to_site(*, login: str, password: str, otp: str | None, device: Device) -> User:
    """The staff member who logs in to the admin site; Unauthenticated or Forbidden if they may not, TooMany after many
    attempts. The session starts once Django has logged them in."""
    user = user_by_password(login=login, password=password, device=device)
    if not user.is_staff:
        record_failure(user=user)
        raise wrong_credentials()
    if settings.STAFF_SECOND_FACTOR and not has_totp(user.id):
        raise _second_factor_required(user)
    with _wrong_codes_counted(user=user, device=device):
        _admit_staff(user, otp=otp)
    return user


def _second_factor_required(user: User) -> Forbidden:
    if has_passkey(user.id):
        detail = "The admin site requires a second factor: log in with your passkey instead of the password."
    else:
        detail = "The admin site requires a second factor of staff: set up a passkey or an authenticator app first."
    return Forbidden(detail, code="second_factor_required")


def admit_to_site_with_passkey(*, credential: dict[str, object]) -> User:
    """The staff member who holds the passkey, which is two factors in one; Unauthenticated if it is not valid,
    Forbidden if its owner may not enter. The session starts once Django has logged them in."""
    return _admit_holder(use_passkey(credential))


@transactional("auth")
def _admit_holder(used: UsedPasskey) -> User:
    user = lock_holder(used)
    refuse_inactive(user)
    _refuse_until_reset(user)
    if not user.is_staff:
        raise Forbidden("the admin site is for staff")
    return user


@transactional("auth")
def _admit_staff(user: User, *, otp: str | None) -> None:
    _admit(_unchanged(user), otp=otp)


def _unchanged(user: User) -> User:
    """The account, locked; refused if its password was changed since it was checked, which happens outside a
    transaction."""
    try:
        locked = lock_user(user.id)
    except NotFound:
        raise wrong_credentials() from None
    if locked.password != user.password:
        raise wrong_credentials()
    return locked


def _admit(user: User, *, otp: str | None) -> None:
    refuse_inactive(user)
    _refuse_until_reset(user)
    demand_code(user, otp=otp)


def _refuse_until_reset(user: User) -> None:
    """Forbidden while a moderator requires a new password."""
    if user.must_reset_password:
        raise Forbidden(
            "our staff require a new password: use the key that was mailed to you, or request another",
            code="password_reset_required",
        )


def refuse_inactive(user: User) -> None:
    """Forbidden for an account that is banned or pending approval; checked only after the password."""
    if user.status == User.Status.BANNED:
        raise Forbidden("this account is banned", code="account_banned")
    if user.status == User.Status.PENDING:
        raise Forbidden("this account is not approved yet", code="account_pending")


@contextmanager
def _wrong_codes_counted(*, user: User, device: Device) -> Iterator[None]:
    """Counts a wrong code like a wrong password; resets the attempts once the owner is in."""
    try:
        yield
    except Unauthenticated as problem:
        if problem.code == "otp_invalid":
            record_failure(user=user)
        raise
    forget_attempts(user=user, device=device)
