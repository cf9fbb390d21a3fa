"""The relay: claims unsent outbox rows, sends them to the broker in batches, and marks them sent.

Rows are claimed by an UPDATE with an expiring claim: ids are not in commit order, so remembering the last one
would lose events, and SKIP LOCKED is not honoured by every MySQL-compatible server.
"""

import random
import threading
import time
from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections
from django.db.models import Q
from django.utils import timezone

from socialapp.bus.broker import declare_queues, queue_name
from socialapp.bus.envelope import decode
from socialapp.bus.models import FailedDelivery, OutboxEvent
from socialapp.bus.publish import WAKE_CHANNEL
from socialapp.bus.tasks import deliver_batch, publish_batch
from socialapp.cache import redis_client, redis_errors
from socialapp.contexts import served
from socialapp.db import atomic
from socialapp.telemetry import metrics, traces
from socialapp.telemetry.operations import Heartbeat

log = structlog.get_logger()

CLAIM_ROWS = 500
BATCH_EVENTS = 100
CLAIM_SECONDS = 10  # a relay that was killed leaves its claim behind: nobody sends those events before it expires
RETRY_SECONDS = 30
POLL_SECONDS = 1.0
DECLARE_SECONDS = 5.0
ALIVE_SECONDS = 60.0


def relay_once(context: str) -> int:
    """Sends one claim's worth of the context's unsent events; how many. Safe to run in many processes at once."""
    rows = _claim(context)
    if not rows:
        return 0
    ids = [row.id for row in rows]
    outbox = OutboxEvent.objects.using(context)
    try:
        _send(rows)
    except Exception:
        outbox.filter(id__in=ids).update(claim=0, claimed_until=None)
        raise
    outbox.filter(id__in=ids).update(state=OutboxEvent.State.SENT, sent_at=timezone.now(), claim=0)
    return len(rows)


def _claim(context: str) -> list[OutboxEvent]:
    now = timezone.now()
    outbox = OutboxEvent.objects.using(context)
    free = Q(claimed_until=None) | Q(claimed_until__lt=now)
    candidates = list(
        outbox.filter(free, state=OutboxEvent.State.NEW).order_by("id").values_list("id", flat=True)[:CLAIM_ROWS]
    )
    if not candidates:
        return []
    claim = random.SystemRandom().getrandbits(62)
    outbox.filter(free, id__in=candidates, state=OutboxEvent.State.NEW).update(
        claim=claim, claimed_until=now + timedelta(seconds=CLAIM_SECONDS)
    )
    return list(outbox.filter(claim=claim).order_by("id"))


def _send(rows: Iterable[OutboxEvent]) -> None:
    by_type: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        by_type[row.type].append(row.envelope)
    for event_type, envelopes in by_type.items():
        for start in range(0, len(envelopes), BATCH_EVENTS):
            _send_batch(event_type, envelopes[start : start + BATCH_EVENTS])


def _send_batch(event_type: str, envelopes: list[str]) -> None:
    since = traces.now()
    publish_batch(event_type, envelopes)
    metrics.count_sent(event_type, len(envelopes))
    if traces.is_on():
        for envelope in map(decode, envelopes):
            kind = traces.Kind.PRODUCER
            traces.record(f"send {event_type}", kind, parent=envelope.traceparent, since=since, event_id=envelope.id)


def send_due_retries(context: str) -> int:
    """Sends the failed deliveries of `context` whose pause is over straight to its own queue; how many."""
    now = timezone.now()
    with atomic(context):
        due = list(
            FailedDelivery.objects.using(context)
            .select_for_update()
            .filter(dead=False, retry_at__lte=now)[:BATCH_EVENTS]
        )
        # The next try writes the true time; should its message be lost, the row comes due again by itself.
        FailedDelivery.objects.using(context).filter(id__in=[row.id for row in due]).update(
            retry_at=now + timedelta(seconds=RETRY_SECONDS)
        )
    for envelope in {row.event_id: row.envelope for row in due}.values():
        deliver_batch.apply_async(args=([envelope], context), queue=queue_name(context), retry=False)
    metrics.count_retries(context, len(due))
    return len(due)


class Relay:
    """The loop of the `relay` role: wakes on commits, looks by itself every second, pauses while the broker is away."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self.is_alive = Heartbeat(ALIVE_SECONDS)
        self._contexts = [context.name for context in served()]
        self._declared_at = 0.0
        self._full_look_at = 0.0
        self._subscription: Any = None

    def stop(self) -> None:
        """Lets the loop end after what is in hand."""
        self.stopping.set()

    def run(self) -> None:
        """Runs until `stop()`."""
        pause = POLL_SECONDS
        pending = list(self._contexts)
        while not self.stopping.is_set():
            self.is_alive.beat()
            try:
                self._tick(pending)
                pause = POLL_SECONDS
            except Exception as error:
                log.warning("relay.failed", error=repr(error), pause_seconds=pause)
                self.stopping.wait(pause)
                pause = min(pause * 2, 5.0)
                pending = list(self._contexts)
                continue
            pending = self._wait()

    def _tick(self, contexts: list[str]) -> None:
        close_old_connections()
        if time.monotonic() - self._declared_at > DECLARE_SECONDS:
            declare_queues()
            self._declared_at = time.monotonic()
        is_full_look = len(contexts) == len(self._contexts)
        for context in contexts:
            try:
                while relay_once(context) == CLAIM_ROWS and not self.stopping.is_set():
                    pass
                if is_full_look:
                    send_due_retries(context)
            except (DatabaseError, InterfaceError) as error:
                # Each context has a database of its own: one that is away must not keep the events of the others.
                log.warning("relay.database_failed", context=context, error=repr(error))

    def _wait(self) -> list[str]:
        """Waits for a commit; the contexts to look at: those that called, or all when nobody did for a second."""
        try:
            called = self._listen()
        except redis_errors():
            self._subscription = None
            self.stopping.wait(POLL_SECONDS)
            called = set()
        now = time.monotonic()
        if not called or now - self._full_look_at > POLL_SECONDS:
            self._full_look_at = now
            return list(self._contexts)
        return [context for context in self._contexts if context in called]

    def _listen(self) -> set[str]:
        if self._subscription is None:
            self._subscription = redis_client().pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
            self._subscription.subscribe(f"{settings.REDIS_PREFIX}{WAKE_CHANNEL}")
            return set()  # what was published before is found by the look at all contexts that follows
        called: set[str] = set()
        message = self._subscription.get_message(timeout=POLL_SECONDS)
        while message is not None:
            called.add(message["data"].decode())
            message = self._subscription.get_message(timeout=0)
        return called
