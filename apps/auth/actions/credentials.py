"""Passwords: checking, changing, and resetting them with a mailed key."""

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.hashers import make_password

from apps.auth.access import user_by_login
from apps.auth.actions.accounts import mark_verified
from apps.auth.actions.adapters import AccountBackend
from apps.auth.actions.attempts import admit_attempt, forget_attempts, record_code, record_failure
from apps.auth.actions.devices import Device, device_token
from apps.auth.actions.mails import is_reset_key, queue_mail
from apps.auth.actions.names import check_password_strength
from apps.auth.actions.sessions import end_all_sessions
from apps.auth.models import LOCAL, Mail, PasskeyChallenge, RecoveryCode, TotpDevice, User
from apps.auth.queries import existing_users, lock_user
from socialapp.core.db import transactional
from socialapp.core.errors import Forbidden, Invalid, NotFound, Unauthenticated
from socialapp.core.ids import MAX_ID


def change_password(*, user_id: int, session_id: int | None, password: str, new_password: str, device: Device) -> None:
    """Sets a new password and ends the other sessions; Forbidden if the present one is wrong."""
    user = confirmed_user(user_id, password=password, device=device)
    check_password_strength(new_password, user=user, field="new_password")
    _set_password(user, make_password(new_password), keep_session=session_id, changed_by="password")


def user_by_password(*, login: str, password: str, device: Device) -> User:
    """The account with this login and password; Unauthenticated if they are wrong, TooMany after many attempts. The
    caller resets the attempts once the log-in is complete."""
    user = user_by_login(login)
    if not _proves(user, login=login, password=password, device=device) or user is None:
        raise wrong_credentials()
    return user


def confirmed_user(user_id: int, *, password: str, device: Device) -> User:
    """The account, if the password is right; else Forbidden (not 401: the token was valid)."""
    user = existing_users().filter(id=user_id).first()
    if user is None:
        raise NotFound("there is no such user")
    if not _proves(user, login=user.username, password=password, device=device):
        raise _wrong_password()
    forget_attempts(user=user, device=device)
    return user


def _proves(user: User | None, *, login: str, password: str, device: Device) -> bool:
    admit_attempt(login=login, user=user, device=device)
    is_right = is_right_password(user, password=password)
    if not is_right:
        record_failure(user=user)
    return is_right


def is_right_password(user: User | None, *, password: str) -> bool:
    """Whether the password is right, by allauth's backend; takes equally long without an account."""
    if user is None:
        make_password(password)
        return False
    return bool(AccountBackend()._check_password(user, password))


def wrong_credentials() -> Unauthenticated:
    """The single answer to an unknown name and to a wrong password."""
    return Unauthenticated("the name or the password is wrong", code="invalid_credentials")


def reset_password(*, key: str, password: str) -> str:
    """Sets a new password with a mailed key and ends all sessions; Invalid for a bad, used or expired key.

    Returns a device token: the reader of the owner's mail is no stranger, however many others guess passwords.
    """
    user = _user_of_key(key)
    if user is None or not is_reset_key(key, user=user):
        raise _bad_key()
    check_password_strength(password, user=user)
    _set_password(user, make_password(password), keep_session=None, changed_by="key")
    return device_token(user_id=user.id)


def _user_of_key(key: str) -> User | None:
    digits = key.partition("-")[0]
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 19 and int(digits) <= MAX_ID):
        return None
    return existing_users().filter(id=int(digits)).first()


@transactional("auth")
def _set_password(user: User, password_hash: str, *, keep_session: int | None, changed_by: str) -> None:
    locked = lock_user(user.id)
    if locked.password != user.password:
        # The account was changed concurrently: the key is used up, or the confirmed password has been replaced.
        raise _bad_key() if changed_by == "key" else _wrong_password()
    locked.password = password_hash
    locked.must_reset_password = False
    locked.version += 1
    locked.save(update_fields=["password", "must_reset_password", "version"])
    end_all_sessions(user.id, but=keep_session)
    # Whoever knew the old password may have requested a new address, and hold its key.
    EmailAddress.objects.filter(user=locked, primary=False).delete()
    if changed_by == "key" and not locked.email_verified and locked.status == User.Status.ACTIVE:
        _begin_ownership(locked)
    record_code(user_id=user.id, is_right=True)  # whoever was guessing codes knew the former password
    queue_mail(Mail.Kind.PASSWORD_CHANGED, user=locked)


def _begin_ownership(user: User) -> None:
    """Gives an unverified account to the reader of its mail, whoever created it.

    Removes all other ways in that were set up before. Source: Sudhodanan and Paverd, Pre-hijacked accounts (2022).
    """
    if Authenticator.objects.filter(user=user).delete()[0]:
        queue_mail(Mail.Kind.TOTP_REMOVED, user=user)
    for rows in (TotpDevice.objects, RecoveryCode.objects, PasskeyChallenge.objects):
        rows.filter(user=user).delete()
    linked = SocialAccount.objects.filter(user=user)
    for provider in linked.values_list("provider", flat=True):
        queue_mail(Mail.Kind.PROVIDER_UNLINKED, user=user, provider=provider)
    linked.delete()
    user.oauth_provider, user.oauth_id = LOCAL, None
    user.save(update_fields=["oauth_provider", "oauth_id"])
    mark_verified(user)


def _wrong_password() -> Forbidden:
    return Forbidden("the password is wrong", code="password_wrong")


def _bad_key() -> Invalid:
    return Invalid.of("key", "key_invalid", "This key is no longer valid; request a new one.")
