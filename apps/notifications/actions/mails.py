"""Sends due mails: about single notifications, and digests of unread ones."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from django.conf import settings
from django.db.models import F
from django.utils import timezone

from apps.notifications.access import load_visibility_to_send
from apps.notifications.actions.excerpts import load_excerpts
from apps.notifications.actions.preferences import next_digest_at, unsubscribe_token
from apps.notifications.actions.queue import claim_due, finish, mark_dead, retry_later
from apps.notifications.gateways.mail import MailGateway
from apps.notifications.gateways.messages import Outcome
from apps.notifications.models import Channel, Digest, Notification, NotificationSettings, OutgoingMessage
from apps.notifications.presenters import Mail, MailItem, digest_mail, mail_item, notification_mail
from apps.notifications.queries import (
    ChannelFlags,
    channel_flags,
    due_digests,
    newest_unread,
    notifications_by_id,
    settings_of,
)
from socialapp.contracts.auth import Auth, MailContact
from socialapp.core.db import transactional
from socialapp.rpc.calls import client

log = structlog.get_logger()

BATCH = 50
MAX_DIGEST_ITEMS = 10
# The newest unread notifications considered for a digest: some may not be visible now.
_MAX_DIGEST_CHECKED = 50


@dataclass(frozen=True, slots=True)
class _Content:
    """A mail, and the newest notification in it."""

    mail: Mail
    newest_id: int


@dataclass(frozen=True, slots=True)
class MailEvent:
    """A report of the mail server about an address: kind is bounce or complaint."""

    kind: str
    address: str
    permanent: bool = True


# --- Sending --------------------------------------------------------------------------------------------------------


def send_due_mails(*, retries: bool) -> int:
    """Sends one batch of due mails, over one connection; returns how many. Safe to run concurrently."""
    messages = claim_due(channel=Channel.MAIL, retries=retries, limit=BATCH)
    if not messages:
        return 0
    contacts = _contacts(message.user_id for message in messages)
    with MailGateway() as gateway:
        return sum(_send(message, contacts.get(message.user_id), gateway) for message in messages)


def _contacts(user_ids: Iterable[int]) -> dict[int, MailContact]:
    """The verified addresses of active people; they belong to auth, and are fetched when needed."""
    return {contact.user_id: contact for contact in client(Auth).mail_contacts(user_ids=sorted(set(user_ids)))}


def _send(message: OutgoingMessage, contact: MailContact | None, gateway: MailGateway) -> bool:
    own = settings_of(user_id=message.user_id)
    content = None
    if contact is not None and not _is_suppressed(own, contact.address):
        content = _digest(message, own) if message.notification_id is None else _single(message, own)
    if contact is None or content is None or not take_allowance(user_id=message.user_id, address=contact.address):
        finish([message])
        return False
    result = gateway.send(
        address=contact.address,
        subject=content.mail.subject,
        text=content.mail.text,
        html=content.mail.html,
        unsubscribe_url=content.mail.unsubscribe_url,
        message_id=message.id,
    )
    log.info("notifications.mail", outcome=result.outcome, digest=message.notification_id is None)
    if result.outcome == Outcome.RETRY:
        give_back_allowance(user_id=message.user_id)
        retry_later(message, after=None, error=result.detail)
        return False
    if result.outcome == Outcome.SENT:
        record_sent(message, newest_id=content.newest_id)
        return True
    if result.outcome == Outcome.GONE:
        record_mail_events([MailEvent(kind="bounce", address=contact.address)])
    mark_dead(message, error=result.detail)
    return False


def _single(message: OutgoingMessage, own: NotificationSettings) -> _Content | None:
    """The mail about one notification; None if it was read, is not visible, or is no longer wanted."""
    rows = notifications_by_id(user_id=message.user_id, ids=[message.notification_id or 0])
    rows = [row for row in rows if not row.is_read]
    flags = channel_flags(kinds=[row.kind for row in rows], user_ids=[message.user_id])
    rows = [row for row in rows if flags.get((row.user_id, row.kind), ChannelFlags()).email]
    if not rows:
        return None
    items = _visible_items(message.user_id, rows, own.language)
    if not items:
        return None
    token = unsubscribe_token(user_id=message.user_id, kind=rows[0].kind)
    return _Content(notification_mail(items[0], language=own.language, unsubscribe_token=token), rows[0].id)


def _digest(message: OutgoingMessage, own: NotificationSettings) -> _Content | None:
    """The mail about unread notifications since the last digest; None if there are none or it is off."""
    if own.digest == Digest.OFF:
        return None
    rows = newest_unread(user_id=message.user_id, after=own.digest_after_id, limit=_MAX_DIGEST_CHECKED)
    items = _visible_items(message.user_id, rows, own.language)
    if not items:
        return None
    token = unsubscribe_token(user_id=message.user_id, kind=None)
    mail = digest_mail(items[:MAX_DIGEST_ITEMS], unread=len(items), language=own.language, unsubscribe_token=token)
    return _Content(mail, rows[0].id)


def _visible_items(user_id: int, rows: Sequence[Notification], language: str) -> list[MailItem]:
    if not rows:
        return []
    visibility = load_visibility_to_send(user_id=user_id, rows=rows)
    visible = [row for row in rows if visibility.shows(row)]
    excerpts = load_excerpts([(row, visibility) for row in visible])
    return [mail_item(row=row, visibility=visibility, excerpt=excerpts.of(row), language=language) for row in visible]


@transactional("notifications")
def record_sent(message: OutgoingMessage, *, newest_id: int) -> None:
    """Deletes a mail that was sent; the next digest starts after the newest notification in this one."""
    if message.notification_id is None:
        rows = NotificationSettings.objects.filter(user_id=message.user_id, digest_after_id__lt=newest_id)
        rows.update(digest_after_id=newest_id)
    OutgoingMessage.objects.filter(id=message.id).delete()


# --- Limits ---------------------------------------------------------------------------------------------------------


@transactional("notifications")
def take_allowance(*, user_id: int, address: str) -> bool:
    """Counts one more mail to a person; returns whether they had fewer than MAILS_PER_DAY on their present day.

    Also records the address, which is all that a bounce contains.
    """
    NotificationSettings.objects.get_or_create(user_id=user_id)
    row = NotificationSettings.objects.select_for_update().get(user_id=user_id)
    today = timezone.now().astimezone(ZoneInfo(row.time_zone)).date().toordinal()
    if row.mail_day != today:
        row.mail_day, row.mails_sent = today, 0
    if row.mails_sent >= settings.MAILS_PER_DAY:
        return False
    row.mails_sent += 1
    digest = _digest_of(address)
    if row.address_digest != digest:
        row.address_digest, row.suppressed_at, row.suppressed_reason = digest, None, ""
    row.save(update_fields=["mail_day", "mails_sent", "address_digest", "suppressed_at", "suppressed_reason"])
    return True


@transactional("notifications")
def give_back_allowance(*, user_id: int) -> None:
    """Subtracts a mail that was not sent from the day's count."""
    NotificationSettings.objects.filter(user_id=user_id, mails_sent__gt=0).update(mails_sent=F("mails_sent") - 1)


def _is_suppressed(own: NotificationSettings, address: str) -> bool:
    return own.suppressed_at is not None and own.address_digest == _digest_of(address)


def _digest_of(address: str) -> str:
    return hashlib.sha256(address.strip().casefold().encode()).hexdigest()


@transactional("notifications")
def record_mail_events(events: Sequence[MailEvent]) -> int:
    """Stops mails to addresses that bounced or complained; returns how many people are affected. Idempotent."""
    concerned = 0
    for event in events:
        if event.kind == "complaint" or event.permanent:
            people = NotificationSettings.objects.filter(
                address_digest=_digest_of(event.address), suppressed_at__isnull=True
            )
            concerned += people.update(suppressed_at=timezone.now(), suppressed_reason=event.kind)
    return concerned


# --- Digests --------------------------------------------------------------------------------------------------------


def queue_due_digests(*, limit: int = 500) -> int:
    """Queues the digests that are due; returns how many. Idempotent: once per hour and person."""
    now = timezone.now()
    return sum(_queue_digest(row, now=now) for row in due_digests(now=now, limit=limit))


@transactional("notifications")
def _queue_digest(row: NotificationSettings, *, now: datetime) -> bool:
    taken = NotificationSettings.objects.filter(user_id=row.user_id, next_digest_at=row.next_digest_at).update(
        next_digest_at=next_digest_at(row, after=now)
    )
    # After a long outage, yesterday's digest is not sent in the middle of today.
    if not taken or row.next_digest_at is None or now - row.next_digest_at > timedelta(hours=12):
        return False
    OutgoingMessage.objects.create(channel=Channel.MAIL, user_id=row.user_id, due_at=now)
    return True
