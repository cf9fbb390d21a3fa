"""The relay: claims unsent outbox rows, sends them to the broker in batches, and marks them sent.

Rows are claimed by an UPDATE with an expiring claim: ids are not in commit order, so remembering the last one
would lose events, and SKIP LOCKED is not honored by every MySQL-compatible server.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import close_old_connections, connections
from django.db.models import Q
from django.utils import timezone

from socialapp.core.cache import redis_client, redis_errors
from socialapp.core.contexts import served
from socialapp.core.db import atomic
from socialapp.core.sql import execute, fetch, instances, placeholders
from socialapp.messaging.envelope import decode
from socialapp.messaging.models import CLOCKS_DIFFER, FailedDelivery, OutboxEvent
from socialapp.messaging.publish import WAKE_CHANNEL
from socialapp.messaging.tasks import deliver_again
from socialapp.messaging.transports.port import BATCH_EVENTS, keeps_order, prepare, send
from socialapp.telemetry import metrics, traces
from socialapp.telemetry.operations import Heartbeat

log = structlog.get_logger()

CLAIM_BATCH = 500
CLAIM_SECONDS = 10  # a relay that was killed leaves its claim behind: nobody sends those events before it expires
RETRY_SECONDS = 30
POLL_SECONDS = 1.0
# Events in quick succession are batched: a batch costs little more than one event does.
GATHER_SECONDS = 0.1
PREPARE_SECONDS = 5.0
ALIVE_SECONDS = 60.0
SILENT_POLLS = 5  # without a message, before Redis is pinged; after twice as many the connection counts as lost
_LONGEST_PAUSE = 5.0
_NEW = f"state = {OutboxEvent.State.NEW.value}"
_FREE = "(claimed_until IS NULL OR claimed_until < %s OR claimed_until > %s)"


def relay_once(context: str) -> int:
    """Sends one batch of the context's unsent events; returns how many. Safe to run concurrently in many processes."""
    rows = _claim(context)
    if not rows:
        return 0
    try:
        _send(rows)
    except Exception:
        _set(context, rows, claim=0, claimed_until=None)
        raise
    _set(context, rows, state=OutboxEvent.State.SENT.value, sent_at=timezone.now())  # a claim is only of new ones
    return len(rows)


def _claim(context: str) -> list[OutboxEvent]:
    """The oldest unclaimed events; if order is kept, none while another relay is sending some.

    Two statements, in SQL for their cost, unless another relay claims at the same time.
    """
    now = timezone.now()
    until, latest = now + timedelta(seconds=CLAIM_SECONDS), now + CLOCKS_DIFFER
    unsent, values = (_NEW, []) if keeps_order() else (f"{_NEW} AND {_FREE}", [now, latest])
    oldest = f"{unsent} ORDER BY id LIMIT {CLAIM_BATCH}"
    rows = instances(OutboxEvent, alias=context, condition=oldest, values=values)
    if not rows or any(row.claimed_until and now <= row.claimed_until <= latest for row in rows):
        return []
    claim = random.SystemRandom().getrandbits(62)
    still_free = f"id IN ({placeholders(rows)}) AND {_NEW} AND {_FREE}"
    sql = f"UPDATE bus_outbox SET claim = %s, claimed_until = %s WHERE {still_free}"  # noqa: S608 (names of ours only)
    if execute(context, sql=sql, values=[claim, until, *[row.id for row in rows], now, latest]) < len(rows):
        rows = instances(OutboxEvent, alias=context, condition=f"{_NEW} AND claim = %s ORDER BY id", values=[claim])
    if rows and keeps_order():
        others = OutboxEvent.objects.using(context).filter(state=OutboxEvent.State.NEW).exclude(claim=claim)
        if others.filter(claimed_until__gte=now, claimed_until__lte=latest, id__lt=rows[-1].id).exists():
            _set(context, rows, claim=0, claimed_until=None)  # another relay has claimed older ones concurrently
            return []
    return rows


def _set(context: str, rows: Sequence[OutboxEvent], **columns: object) -> None:
    """Sets columns of the rows."""
    assigned = ", ".join(f"{name} = %s" for name in columns)
    sql = f"UPDATE bus_outbox SET {assigned} WHERE id IN ({placeholders(rows)})"  # noqa: S608 (names of ours only)
    execute(context, sql=sql, values=[*columns.values(), *[row.id for row in rows]])


def _send(rows: list[OutboxEvent]) -> None:
    since = traces.now()
    send(rows)
    for event_type, count in Counter(row.type for row in rows).items():
        metrics.count_sent(event_type, count=count)
    if traces.is_on():
        for envelope in (decode(row.envelope) for row in rows):
            kind = traces.Kind.PRODUCER
            traces.record(
                f"send {envelope.type}", kind=kind, parent=envelope.traceparent, since=since, event_id=envelope.id
            )


_WAITING = (
    f"SELECT EXISTS (SELECT 1 FROM bus_outbox WHERE {_NEW}),"  # noqa: S608 (a number of ours only)
    " EXISTS (SELECT 1 FROM bus_failed_delivery WHERE dead = 0 AND (retry_at <= %s OR failed_at > %s))"
)


def waiting(context: str) -> tuple[bool, bool]:
    """Whether there are unsent events, and due failed deliveries: both mostly none.

    One statement, in SQL for its cost: it runs every second for every context.
    """
    now = timezone.now()
    ((is_unsent, is_due),) = fetch(context, sql=_WAITING, values=[now, now + CLOCKS_DIFFER])
    return bool(is_unsent), bool(is_due)


def send_due_retries(context: str) -> int:
    """Sends the due failed deliveries of `context` straight to its own queue; returns how many."""
    now = timezone.now()
    is_due = Q(retry_at__lte=now) | Q(failed_at__gt=now + CLOCKS_DIFFER)
    rows = FailedDelivery.objects.using(context).filter(is_due, dead=False)
    with atomic(context):
        due = list(rows.select_for_update().order_by("retry_at")[:BATCH_EVENTS])
        for row in due:
            # The next try writes the true time; should its message be lost, the row comes due again by itself.
            row.retry_at = now + timedelta(seconds=RETRY_SECONDS)
            row.failed_at = min(row.failed_at, now)
        FailedDelivery.objects.using(context).bulk_update(due, ["retry_at", "failed_at"])
    for envelope in {row.event_id: row.envelope for row in due}.values():
        deliver_again(context, envelope=envelope)
    metrics.count_retries(context, count=len(due))
    return len(due)


class Relay:
    """The `relay` role: one loop per served context, so that none waits for the database of another."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self._prepared = threading.Event()
        self._prepare_at = 0.0
        self._loops = {context.name: _Loop(context.name, self.stopping, self._prepared) for context in served()}
        self._subscription: Any = None
        self._silent_polls = 0

    @property
    def contexts(self) -> list[str]:
        """The contexts whose events it sends."""
        return list(self._loops)

    def is_alive(self) -> bool:
        """Whether every loop has run recently."""
        return all(loop.is_beating() for loop in self._loops.values())

    def stop(self) -> None:
        """Ends the loops after their present batch."""
        self.stopping.set()
        for loop in self._loops.values():
            loop.called.set()

    def run(self) -> None:
        """Runs until `stop()`. A commit wakes its context's loop at once; every loop also polls."""
        threads = [threading.Thread(target=loop.run, name=f"relay-{name}") for name, loop in self._loops.items()]
        for thread in threads:
            thread.start()
        while not self.stopping.is_set():
            self._prepare()
            for context in self._listen():
                if context in self._loops:
                    self._loops[context].called.set()
        for thread in threads:
            thread.join()

    def _prepare(self) -> None:
        """Every few seconds; while it fails the loops idle: what is sent to a broker without queues is lost."""
        if time.monotonic() < self._prepare_at:
            return
        try:
            prepare()
            self._prepared.set()
        except Exception as error:
            log.warning("relay.broker_away", error=repr(error))
            self._prepared.clear()
        self._prepare_at = time.monotonic() + (PREPARE_SECONDS if self._prepared.is_set() else POLL_SECONDS)

    def _listen(self) -> set[str]:
        """The contexts that have published events, after a second at most."""
        try:
            return self._calls()
        except redis_errors():
            self._subscription = None
            self.stopping.wait(POLL_SECONDS)
            return set()

    def _calls(self) -> set[str]:
        if self._subscription is None:
            self._subscription = redis_client().pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
            self._subscription.subscribe(f"{settings.REDIS_PREFIX}{WAKE_CHANNEL}")
            self._silent_polls = 0
        called: set[str] = set()
        message = self._subscription.get_message(timeout=POLL_SECONDS)
        self._silent_polls = 0 if message else self._silent_polls + 1
        while message is not None:
            if message["type"] == "message":
                called.add(message["data"].decode())
            message = self._subscription.get_message(timeout=0)
        if self._silent_polls == 2 * SILENT_POLLS:
            log.warning("relay.redis_silent")
            self._subscription = None
        elif self._silent_polls == SILENT_POLLS:
            self._subscription.ping()
        return called


class _Loop:
    """Sends the events of one context: when it is called, and every second; pauses while something is unavailable."""

    def __init__(self, context: str, stopping: threading.Event, prepared: threading.Event) -> None:
        self.called = threading.Event()
        self.is_beating = Heartbeat(ALIVE_SECONDS)
        self._context = context
        self._stopping = stopping
        self._prepared = prepared
        self._look_at = 0.0

    def run(self) -> None:
        """Until `stopping` is set."""
        pause = POLL_SECONDS
        while not self._stopping.is_set():
            self.is_beating.beat()
            if not self._prepared.wait(POLL_SECONDS):
                continue
            was_called = self.called.is_set()
            self.called.clear()
            try:
                self._look(was_called=was_called)
                pause = POLL_SECONDS
                self._stopping.wait(GATHER_SECONDS)  # one after a quiet spell has been sent at once
                self.called.wait(POLL_SECONDS)
            except Exception as error:
                log.warning("relay.failed", context=self._context, error=repr(error), pause_seconds=pause)
                self._stopping.wait(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
        connections.close_all()

    def _look(self, *, was_called: bool) -> None:
        close_old_connections()
        is_unsent, is_due = was_called, False
        if not was_called or time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + POLL_SECONDS
            is_unsent, is_due = waiting(self._context)
        while is_unsent and not self._stopping.is_set():
            is_unsent = relay_once(self._context) == CLAIM_BATCH
            self.is_beating.beat()
        if is_due:
            send_due_retries(self._context)
