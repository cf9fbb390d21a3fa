"""The queue of pushes and mails: filled in the notification's transaction, claimed by workers, emptied on sending."""

import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import F
from django.utils import timezone

from apps.notifications.models import Channel, Lane, Notification, OutgoingMessage
from apps.notifications.queries import ChannelFlags, claimed_messages, devices_of, due_messages
from socialapp.core.db import transactional
from socialapp.core.sql import insert_instances

# A delay in which an open page may show the notification or the person read it: then nothing is sent.
PUSH_DELAY = timedelta(seconds=2)
# Activity that joins an existing notification waits longer, so that a burst becomes one push.
GROUPED_PUSH_DELAY = timedelta(seconds=60)
MAIL_DELAY = timedelta(minutes=2)
# The lease of a claim; if a worker dies, its claims expire.
CLAIM_SECONDS = 120
MAX_ATTEMPTS = 8
_FIRST_PAUSE, _LONGEST_PAUSE = 30.0, 3600.0
_MAX_ERROR_CHARACTERS = 500


class NewNotification(NamedTuple):
    """The fields of a notification that the queue needs."""

    id: int
    user_id: int
    kind: str
    actors_count: int


def enqueue(*, rows: Sequence[Notification | NewNotification], flags: Mapping[tuple[int, str], ChannelFlags]) -> None:
    """Queues the pushes and mails of new notifications. The caller holds the transaction. One query, and one more if
    there is anything to send."""
    now = timezone.now()
    chosen = [(row, flags.get((row.user_id, row.kind), ChannelFlags())) for row in rows]
    devices = defaultdict(list)
    for subscription_id, user_id, failures in devices_of({row.user_id for row, wanted in chosen if wanted.push}):
        devices[user_id].append((subscription_id, Lane.RETRY if failures else Lane.FIRST))
    messages = [
        OutgoingMessage(
            channel=Channel.PUSH,
            user_id=row.user_id,
            notification_id=row.id,
            subscription_id=subscription_id,
            lane=lane,
            due_at=now + (PUSH_DELAY if row.actors_count <= 1 else GROUPED_PUSH_DELAY),
        )
        for row, wanted in chosen
        if wanted.push
        for subscription_id, lane in devices[row.user_id]
    ]
    messages += [
        OutgoingMessage(channel=Channel.MAIL, user_id=row.user_id, notification_id=row.id, due_at=now + MAIL_DELAY)
        for row, wanted in chosen
        if wanted.email
    ]
    insert_instances("notifications", instances=messages)


@transactional("notifications")
def claim_due(*, channel: Channel, retries: bool, limit: int) -> list[OutgoingMessage]:
    """Claims up to `limit` due messages for this run; no other run gets them until the claim expires.

    By an UPDATE with their ids, since TiDB ignores SKIP LOCKED.
    """
    now = timezone.now()
    due = due_messages(channel=channel, lane=Lane.RETRY if retries else Lane.FIRST, now=now)
    ids = list(due.order_by("due_at", "id").values_list("id", flat=True)[:limit])
    if not ids:
        return []
    claim = secrets.token_hex(16)
    due.filter(id__in=ids).update(
        claim=claim, due_at=now + timedelta(seconds=CLAIM_SECONDS), attempts=F("attempts") + 1
    )
    return claimed_messages(claim)


@transactional("notifications")
def finish(messages: Iterable[OutgoingMessage]) -> None:
    """Deletes messages that were sent or are no longer wanted."""
    OutgoingMessage.objects.filter(id__in=[message.id for message in messages]).delete()


@transactional("notifications")
def postpone(messages: Iterable[OutgoingMessage], *, until: datetime) -> None:
    """Postpones messages without counting it as a failure, such as until quiet hours end."""
    ids = [message.id for message in messages]
    OutgoingMessage.objects.filter(id__in=ids).update(due_at=until, attempts=F("attempts") - 1, claim="")


@transactional("notifications")
def retry_later(message: OutgoingMessage, *, after: float | None, error: str, until: datetime | None = None) -> None:
    """Retries a message after `after` seconds, or with exponential backoff of up to an hour.

    With `until` it is deleted if the retry would come later; without, it is dead after MAX_ATTEMPTS.
    """
    pause = after if after is not None else min(_FIRST_PAUSE * 2 ** (message.attempts - 1), _LONGEST_PAUSE)
    due_at = timezone.now() + timedelta(seconds=pause)
    if until is not None and due_at > until:
        OutgoingMessage.objects.filter(id=message.id).delete()
        return
    OutgoingMessage.objects.filter(id=message.id).update(
        lane=Lane.RETRY,
        due_at=due_at,
        dead=until is None and message.attempts >= MAX_ATTEMPTS,
        error=error[:_MAX_ERROR_CHARACTERS],
        claim="",
    )


@transactional("notifications")
def mark_dead(message: OutgoingMessage, *, error: str) -> None:
    """Keeps a message that can never be sent as a dead letter."""
    OutgoingMessage.objects.filter(id=message.id).update(dead=True, error=error[:_MAX_ERROR_CHARACTERS], claim="")


@transactional("notifications")
def resend(ids: Iterable[int]) -> int:
    """Queues dead letters again; returns how many."""
    dead = OutgoingMessage.objects.filter(id__in=list(ids), dead=True)
    return dead.update(dead=False, attempts=0, due_at=timezone.now(), error="")
