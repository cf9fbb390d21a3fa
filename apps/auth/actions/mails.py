"""Mails of auth: written down with the state that calls for them, sent by a periodic task, tried again on failure."""

from datetime import timedelta

import structlog
from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core import signing
from django.core.mail import send_mail
from django.db.models import Q
from django.utils import timezone

from apps.auth.actions.names import MAX_EMAIL, lookup_key
from apps.auth.models import Mail, User
from apps.auth.queries import existing_users
from socialapp.core.db import transactional
from socialapp.core.errors import Invalid, NotFound

log = structlog.get_logger()

VERIFICATION_DAYS = 3
_SALT = "socialapp.auth.verify-email"
_BATCH = 100
_MAX_ATTEMPTS = 8
_PAUSE = timedelta(minutes=1)

_SUBJECTS = {
    Mail.Kind.VERIFY_EMAIL: "Confirm your e-mail address",
    Mail.Kind.RESET_PASSWORD: "Set a new password",
    Mail.Kind.EMAIL_CHANGED: "Your e-mail address was changed",
    Mail.Kind.PASSWORD_CHANGED: "Your password was changed",
}


def queue_mail(kind: Mail.Kind, *, user: User) -> None:
    """Has a mail sent to the account's present address, if the open transaction commits."""
    Mail(kind=kind, user=user, address=user.email).save(force_insert=True)


@transactional("auth")
def request_verification(*, user_id: int) -> None:
    """Has the verification mail sent again; nothing happens when the address is verified."""
    user = existing_users().filter(id=user_id).first()
    if user is None:
        raise NotFound("there is no such user")
    if not user.email_verified:
        queue_mail(Mail.Kind.VERIFY_EMAIL, user=user)


@transactional("auth")
def request_password_reset(*, email: str) -> None:
    """Has a mail with a key sent to the account with this address; costs the same when there is none."""
    Mail(kind=Mail.Kind.RESET_PASSWORD, address=lookup_key(email)[:MAX_EMAIL]).save(force_insert=True)


def verification_key(user: User) -> str:
    """A signed key that proves, for `VERIFICATION_DAYS`, that its holder reads the account's mail."""
    return signing.dumps({"user": user.id, "email": user.email_key}, salt=_SALT)


def read_verification_key(key: str) -> tuple[int, str]:
    """The user id and address key of a verification key; Invalid when it is not ours or too old."""
    try:
        content = signing.loads(key, salt=_SALT, max_age=timedelta(days=VERIFICATION_DAYS))
    except signing.SignatureExpired:
        raise Invalid.of("key", "key_expired", "This key is too old; ask for a new one.") from None
    except signing.BadSignature:
        raise Invalid.of("key", "key_invalid", "This key is not valid.") from None
    return int(content["user"]), str(content["email"])


def reset_key(user: User) -> str:
    """A key that lets its holder set a new password once, for `PASSWORD_RESET_TIMEOUT` seconds."""
    return f"{user.id}-{default_token_generator.make_token(user)}"


def user_of_reset_key(key: str, *, user: User) -> bool:
    """Whether the key was made for the account and neither used nor too old."""
    return default_token_generator.check_token(user, key.partition("-")[2])


def send_due_mails() -> int:
    """Sends the mails that are due, each claimed first so that two workers do not both send it; how many."""
    # What nobody has tried yet is due, whatever time it is: the clock may have been set back since it was written.
    due = Mail.objects.filter(Q(attempts=0) | Q(due_at__lte=timezone.now())).order_by("due_at", "id")
    return sum(_send(mail) for mail in due.select_related("user")[:_BATCH])


def _send(mail: Mail) -> bool:
    pause = _PAUSE * 2**mail.attempts
    claimed = Mail.objects.filter(id=mail.id, attempts=mail.attempts).update(
        attempts=mail.attempts + 1, due_at=timezone.now() + pause
    )
    if not claimed:
        return False
    user = _recipient(mail)
    try:
        if user is not None:
            address = mail.address if mail.user_id else user.email
            send_mail(_SUBJECTS[Mail.Kind(mail.kind)], _text(mail, user), settings.DEFAULT_FROM_EMAIL, [address])
    except OSError as error:
        # smtplib's errors are OSErrors too. The claim ends by itself and the mail comes due again.
        log.warning("auth.mail_failed", kind=mail.kind, attempts=mail.attempts + 1, error=repr(error))
        if mail.attempts + 1 < _MAX_ATTEMPTS:
            return False
    Mail.objects.filter(id=mail.id).delete()
    return user is not None


def _recipient(mail: Mail) -> User | None:
    """The account that the mail is for; None when there is nothing to say to it any more."""
    user = mail.user if mail.user_id else existing_users().filter(email_key=mail.address).first()
    if user is None or user.status == User.Status.DELETED:
        return None
    # A key for the present address must never go to an earlier one.
    if mail.kind == Mail.Kind.VERIFY_EMAIL and (user.email_verified or user.email != mail.address):
        return None
    return user


def _text(mail: Mail, user: User) -> str:
    greeting = f"Hello {user.full_name or user.username},\n\n"
    match mail.kind:
        case Mail.Kind.VERIFY_EMAIL:
            return greeting + _with_key(
                "please confirm that this is your address", "verify-email", verification_key(user)
            )
        case Mail.Kind.RESET_PASSWORD:
            return (
                greeting
                + _with_key("set your new password", "reset-password", reset_key(user))
                + "\nIf you did not ask for this, ignore it: nothing changes.\n"
            )
        case Mail.Kind.EMAIL_CHANGED:
            return greeting + "the e-mail address of your account was changed to another one.\n" + _IF_NOT_YOU
        case _:
            return greeting + "the password of your account was changed.\n" + _IF_NOT_YOU


_IF_NOT_YOU = "If it was not you, set a new password at once and end all sessions.\n"


def _with_key(purpose: str, page: str, key: str) -> str:
    return f"{purpose}:\n\n{settings.PUBLIC_URL}/#/{page}?key={key}\n\nYour key: {key}\n"
