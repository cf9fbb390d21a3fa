"""The reconciler: finds events that were sent but never arrived, and has them sent again. The broker is disposable."""

from datetime import timedelta

import structlog
from django.conf import settings
from django.utils import timezone

from socialapp.api.models import IdempotencyKey
from socialapp.bus.models import InboxEntry, OutboxEvent
from socialapp.calls import client
from socialapp.contexts import CONTEXTS
from socialapp.contracts.bus import EventRef, Inbox
from socialapp.errors import Unavailable

log = structlog.get_logger()

BATCH = 1000


def reconcile(context: str) -> tuple[int, int]:
    """Confirms or re-sends the events of `context` that were sent some seconds ago: (confirmed, sent again)."""
    horizon = timezone.now() - timedelta(seconds=settings.RECONCILE_AFTER_SECONDS)
    outbox = OutboxEvent.objects.using(context)
    confirmed = resent = 0
    last = 0
    while True:
        rows = list(
            outbox.filter(state=OutboxEvent.State.SENT, sent_at__lt=horizon, id__gt=last)
            .order_by("id")
            .values_list("id", "type")[:BATCH]
        )
        if not rows:
            return confirmed, resent
        last = rows[-1][0]
        missing, answered_by_all = _missing([EventRef(id=event_id, type=event_type) for event_id, event_type in rows])
        if missing:
            resent += outbox.filter(id__in=missing).update(state=OutboxEvent.State.NEW, claim=0, claimed_until=None)
            log.warning("bus.sent_again", context=context, events=len(missing))
        if answered_by_all:
            arrived = [event_id for event_id, _ in rows if event_id not in missing]
            confirmed += outbox.filter(id__in=arrived).update(state=OutboxEvent.State.CONFIRMED)


def _missing(events: list[EventRef]) -> tuple[set[int], bool]:
    """The ids that some context has not had, and whether every context could be asked."""
    missing: set[int] = set()
    answered_by_all = True
    for name in CONTEXTS:
        try:
            missing.update(client(Inbox, context=name).missing(events=events))
        except Unavailable:
            answered_by_all = False
    return missing, answered_by_all


def prune(context: str) -> int:
    """Removes confirmed events, inbox entries and idempotency keys past their retention; how many rows."""
    now = timezone.now()
    outbox_until = now - timedelta(days=settings.OUTBOX_RETENTION_DAYS)
    # An inbox entry must outlive every copy of its event that could still be sent.
    inbox_until = now - timedelta(days=settings.OUTBOX_RETENTION_DAYS * 2)
    removed = 0
    for rows in (
        OutboxEvent.objects.using(context).filter(state=OutboxEvent.State.CONFIRMED, sent_at__lt=outbox_until),
        InboxEntry.objects.using(context).filter(handled_at__lt=inbox_until),
        IdempotencyKey.objects.using(context).filter(created_at__lt=now - timedelta(hours=settings.IDEMPOTENCY_HOURS)),
    ):
        while ids := list(rows.values_list("id", flat=True)[:BATCH]):
            removed += rows.model.objects.using(context).filter(id__in=ids).delete()[0]
    return removed
