"""The reconciler: finds events that were sent but never arrived, and re-sends them. The broker may lose anything."""

from datetime import timedelta

import structlog
from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from socialapp.contracts.messaging import EventRef, Inbox
from socialapp.core.contexts import CONTEXTS
from socialapp.core.errors import Unavailable
from socialapp.messaging.models import CLOCKS_DIFFER, InboxEntry, OutboxEvent
from socialapp.rpc.calls import client

log = structlog.get_logger()

BATCH = 1000
LONGEST_WAIT = timedelta(seconds=120)


def reconcile(context: str) -> tuple[int, int]:
    """Confirms or re-sends the events of `context` that were sent some seconds ago: (confirmed, sent again)."""
    now = timezone.now()
    some_seconds_ago = now - timedelta(seconds=settings.RECONCILE_AFTER_SECONDS)
    sent = Q(sent_at__lt=some_seconds_ago) | Q(sent_at__gt=now + CLOCKS_DIFFER)
    outbox = OutboxEvent.objects.using(context)
    confirmed = resent = 0
    last = 0
    while True:
        rows = list(
            outbox.filter(sent, state=OutboxEvent.State.SENT, id__gt=last)
            .order_by("id")
            .only("id", "type", "created_at", "sent_at")[:BATCH]
        )
        if not rows:
            return confirmed, resent
        last = rows[-1].id
        missing, answered_by_all = _missing([EventRef(id=row.id, type=row.type) for row in rows])
        if lost := [row.id for row in rows if row.id in missing and _seems_lost(row)]:
            resent += outbox.filter(id__in=lost).update(state=OutboxEvent.State.NEW, claim=0, claimed_until=None)
            log.warning("bus.sent_again", context=context, events=len(lost))
        if answered_by_all:
            arrived = [row.id for row in rows if row.id not in missing]
            confirmed += outbox.filter(id__in=arrived).update(state=OutboxEvent.State.CONFIRMED)


def _seems_lost(row: OutboxEvent) -> bool:
    """Whether to re-send it: with exponential backoff, as it may only be queued behind others at the consumer.

    The pause is the age that the event had when it was last sent, up to a maximum. If a clock was set back since, the
    age is unknown, and the event is re-sent.
    """
    if row.sent_at is None:
        return True
    waited = timezone.now() - row.sent_at
    return waited < -CLOCKS_DIFFER or waited > min(abs(row.sent_at - row.created_at), LONGEST_WAIT)


def _missing(events: list[EventRef]) -> tuple[set[int], bool]:
    """The ids that at least one context has not handled, and whether every context could be reached."""
    missing: set[int] = set()
    answered_by_all = True
    for name in CONTEXTS:
        try:
            missing.update(client(Inbox, context=name).missing(events=events))
        except Unavailable:
            answered_by_all = False
    return missing, answered_by_all


def prune(context: str) -> int:
    """Deletes confirmed events and inbox entries past their retention; returns how many."""
    now = timezone.now()
    outbox_until = now - timedelta(days=settings.OUTBOX_RETENTION_DAYS)
    # An inbox entry must outlive every copy of its event that may still be sent.
    inbox_until = now - timedelta(days=settings.OUTBOX_RETENTION_DAYS * 2)
    removed = 0
    for rows in (
        OutboxEvent.objects.using(context).filter(state=OutboxEvent.State.CONFIRMED, sent_at__lt=outbox_until),
        InboxEntry.objects.using(context).filter(handled_at__lt=inbox_until),
    ):
        while ids := list(rows.values_list("id", flat=True)[:BATCH]):
            removed += rows.model.objects.using(context).filter(id__in=ids).delete()[0]
    return removed
