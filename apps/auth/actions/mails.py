"""Mails of auth: queued in the transaction of the change they report, sent by a periodic task, retried on failure."""

import re
from collections.abc import Collection
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog
from allauth.account import app_settings as allauth_settings
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core import signing
from django.core.mail import EmailMultiAlternatives
from django.db.models import Q
from django.template.loader import render_to_string
from django.utils import timezone

from apps.auth.access import lookup_key
from apps.auth.actions.ciphers import keyed_digest
from apps.auth.actions.names import mailbox_of
from apps.auth.models import Mail, User
from apps.auth.queries import existing_users, user_with_email
from socialapp.core.cache import redis_client, redis_errors
from socialapp.core.db import transactional
from socialapp.core.errors import Invalid, NotFound, TooMany
from socialapp.core.text.emails import MAX_EMAIL, email_key

log = structlog.get_logger()

_BATCH = 100
_MAX_ATTEMPTS = 8
_PAUSE = timedelta(minutes=1)
_APPEAL_SALT = "socialapp.auth.appeal"
# Can be requested by others than the owner of the address, so limited per address and hour. So is every mail to an
# address that nobody has verified: whoever has registered it may be a stranger to its reader.
_ASKED_FOR = frozenset({Mail.Kind.VERIFY_EMAIL, Mail.Kind.RESET_PASSWORD, Mail.Kind.CONFIRM_CODE})
_HOUR = 3600
# Sent after the account is erased, so their details contain what they need of it.
_DELIVERED_WITHOUT_ACCOUNT = frozenset({Mail.Kind.REGISTRATION_REJECTED})


def queue_mail(kind: Mail.Kind, *, user: User, address: str = "", **details: Any) -> None:
    """Queues a mail to the account's present address, or another, with the open transaction."""
    to = address or user.email
    is_owners = user.email_verified and not address
    if to and ((is_owners and kind not in _ASKED_FOR) or _is_within_limit(kind, mailbox_of(to))):
        Mail(kind=kind, user=user, address=to, details=details or None).save(force_insert=True)


def queue_verification(*, user: User, address: str) -> None:
    """Queues the key that verifies an address for this account; nothing if it is another account's by now, whose owner
    has not asked for it."""
    others = User.objects.exclude(id=user.id)
    if not others.filter(Q(email_key=address) | Q(email_mailbox=mailbox_of(address))).exists():
        queue_mail(Mail.Kind.VERIFY_EMAIL, user=user, address=address)


@transactional("auth")
def request_verification(*, user_id: int) -> None:
    """Mails the key for the unverified address again; does nothing if there is none."""
    user = existing_users().filter(id=user_id).first()
    if user is None:
        raise NotFound("there is no such user")
    unproven = EmailAddress.objects.filter(user_id=user_id, verified=False).order_by("primary").first()
    if unproven is not None:
        queue_verification(user=user, address=unproven.email)


@transactional("auth")
def request_verification_by_key(*, key: str) -> None:
    """Mails a new key to the address of an earlier one, which may have expired, unless it is verified; Invalid if we
    never issued it."""
    try:
        address_id = signing.loads(key, salt=allauth_settings.SALT)
    except signing.BadSignature:
        raise _bad_key() from None
    unproven = EmailAddress.objects.filter(pk=address_id, verified=False).select_related("user").first()
    if unproven is not None and unproven.user.status != User.Status.DELETED:
        queue_verification(user=unproven.user, address=unproven.email)


@transactional("auth")
def request_password_reset(*, email: str) -> None:
    """Mails a key to the account with this address; takes as long if there is none."""
    address = lookup_key(email)[:MAX_EMAIL]
    if _is_within_limit(Mail.Kind.RESET_PASSWORD, address):
        Mail(kind=Mail.Kind.RESET_PASSWORD, address=address).save(force_insert=True)


def admit_new_address(*, user_id: int) -> None:
    """TooMany if an account requests mails to many new addresses within an hour: each may be a stranger's."""
    if settings.RATE_LIMITS and _sent_within_hour("new-address", str(user_id)) > settings.NEW_ADDRESSES_PER_ACCOUNT:
        raise TooMany("the address was changed too often; try again in an hour", retry_after=_HOUR)


def _is_within_limit(kind: Mail.Kind, address: str) -> bool:
    return bool(not settings.RATE_LIMITS or _sent_within_hour(kind, email_key(address)) <= settings.MAILS_PER_ADDRESS)


def _sent_within_hour(kind: str, target: str) -> int:
    """Counts one more mail of a kind to an address or for an account; 0, so no limit, without Redis."""
    key = f"{settings.REDIS_PREFIX}rate:mail:{kind}:{keyed_digest(target, purpose='mail')[:32]}"
    try:
        pipe = redis_client().pipeline(transaction=True)
        pipe.set(key, 0, ex=_HOUR, nx=True)
        pipe.incr(key)
        return int(pipe.execute()[1])
    except redis_errors() as error:
        log.warning("auth.mail_limit_unknown", error=str(error))
        return 0


def delete_mail_files(addresses: Collection[str]) -> None:
    """Deletes the mails to these addresses that were written to files for lack of a mail server."""
    if not addresses or not settings.EMAIL_BACKEND.endswith("filebased.EmailBackend"):
        return
    named = "|".join(re.escape(address) for address in addresses)
    pattern = re.compile(rf"(?<![\w.+-])(?:{named})(?![\w.-])".encode(), re.IGNORECASE)
    for path in Path(settings.EMAIL_FILE_PATH).glob("*.log"):
        if pattern.search(path.read_bytes()):
            path.unlink(missing_ok=True)


def read_verification_key(key: str) -> EmailAddress | None:
    """The address that a key was mailed to; None if it is no longer the account's. Invalid for a bad or expired key."""
    try:
        days = allauth_settings.EMAIL_CONFIRMATION_EXPIRE_DAYS
        address_id = signing.loads(key, max_age=timedelta(days=days), salt=allauth_settings.SALT)
    except signing.SignatureExpired:
        raise Invalid.of("key", "key_expired", "This key has expired; request a new one.") from None
    except signing.BadSignature:
        raise _bad_key() from None
    found: EmailAddress | None = EmailAddress.objects.filter(pk=address_id).first()
    return found


def _bad_key() -> Invalid:
    return Invalid.of("key", "key_invalid", "This key is not valid.")


class _ResetTokens(PasswordResetTokenGenerator):
    """Tokens that end with a new password or another address, but not, as Django's and allauth's do, with each log-in
    and each pending address: somebody who has the password could keep its owner from resetting it."""

    key_salt = "socialapp.auth.reset"

    def _make_hash_value(self, user: AbstractBaseUser, timestamp: int) -> str:
        return f"{user.pk}{user.password}{timestamp}{user.email_key}"  # type: ignore[attr-defined]


_reset_tokens = _ResetTokens()


def reset_key(user: User) -> str:
    """A key that sets a new password once, valid for `PASSWORD_RESET_TIMEOUT` seconds."""
    return f"{user.id}-{_reset_tokens.make_token(user)}"


def is_reset_key(key: str, *, user: User) -> bool:
    """Whether the key is for the account, unused and not expired."""
    return _reset_tokens.check_token(user, key.partition("-")[2])


def appeal_key(user: User, *, action_id: int) -> str:
    """A key that lets a banned person appeal against an action, and nothing else."""
    return signing.dumps([user.id, action_id], salt=_APPEAL_SALT)


def read_appeal_key(key: str) -> tuple[int, int]:
    """The user and the action that an appeal key is for; Invalid if it is not ours or has expired."""
    try:
        user_id, action_id = signing.loads(key, salt=_APPEAL_SALT, max_age=timedelta(days=settings.APPEAL_DAYS))
    except signing.BadSignature:
        raise Invalid.of("key", "key_invalid", "This link is no longer valid.") from None
    return int(user_id), int(action_id)


def send_due_mails() -> int:
    """Sends the mails that are due, claiming each first so that no two workers send it; returns how many."""
    # Work without an attempt is due whatever its time: the clock may have been set back since it was queued.
    due = Mail.objects.filter(Q(attempts=0) | Q(due_at__lte=timezone.now())).order_by("due_at", "id")
    return sum(_send(mail) for mail in due.select_related("user")[:_BATCH])


def _send(mail: Mail) -> bool:
    pause = _PAUSE * 2**mail.attempts
    claimed = Mail.objects.filter(id=mail.id, attempts=mail.attempts).update(
        attempts=mail.attempts + 1, due_at=timezone.now() + pause
    )
    if not claimed:
        return False
    message = _message(mail)
    try:
        if message is not None:
            message.send()
    except OSError as error:
        # smtplib's errors are OSErrors too. The claim expires and the mail is retried.
        log.warning("auth.mail_failed", kind=mail.kind, attempts=mail.attempts + 1, error=repr(error))
        if mail.attempts + 1 < _MAX_ATTEMPTS:
            return False
    Mail.objects.filter(id=mail.id).delete()
    return message is not None


def _message(mail: Mail) -> EmailMultiAlternatives | None:
    """The mail as text and HTML; None if it is obsolete."""
    if mail.kind in _DELIVERED_WITHOUT_ACCOUNT:
        return _rendered(mail, {}, address=mail.address)
    user = mail.user if mail.user_id else user_with_email(mail.address)
    if user is None or user.status == User.Status.DELETED:
        return None
    link = _link(mail, user)
    if link is None:
        return None
    # A short name: somebody who types a stranger's address must not be able to send them free text.
    return _rendered(mail, {"username": user.username, **link}, address=mail.address if mail.user_id else user.email)


def _rendered(mail: Mail, values: dict[str, str], *, address: str) -> EmailMultiAlternatives:
    context = {
        "instance": settings.INSTANCE_NAME,
        "public_url": settings.PUBLIC_URL,
        "contact": settings.INSTANCE_CONTACT or settings.DEFAULT_FROM_EMAIL,
        **values,
        **(mail.details or {}),
    }
    subject, _, text = render_to_string(f"auth/mail/{mail.kind}.txt", context).partition("\n\n")
    message = EmailMultiAlternatives(subject, text, settings.DEFAULT_FROM_EMAIL, [address])
    paragraphs = text.strip().split("\n\n")
    parts = {"subject": subject, "paragraphs": paragraphs, "url": values.get("url")}
    html = render_to_string("auth/mail/layout.html", parts)
    message.attach_alternative(html, "text/html")
    return message


def _link(mail: Mail, user: User) -> dict[str, str] | None:
    """The key and the link of a mail that has one; {} for others, None if the key would no longer be valid."""
    if mail.kind == Mail.Kind.VERIFY_EMAIL:
        address = EmailAddress.objects.filter(user=user, email=email_key(mail.address), verified=False).first()
        if address is None:
            return None
        key = EmailConfirmationHMAC(address).key
        return {"key": key, "url": settings.VERIFY_EMAIL_URL.replace("{key}", key)}
    if mail.kind in (Mail.Kind.RESET_PASSWORD, Mail.Kind.PASSWORD_RESET_DEMANDED):
        key = reset_key(user)
        return {"key": key, "url": settings.RESET_PASSWORD_URL.replace("{key}", key)}
    if mail.kind == Mail.Kind.BANNED:
        key = appeal_key(user, action_id=int((mail.details or {})["action_id"]))
        return {"key": key, "url": settings.APPEAL_URL.replace("{key}", key)}
    return {}
