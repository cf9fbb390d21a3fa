"""Runs the handlers for a batch of events: each effect exactly once, despite duplicates, delays and failures."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import structlog
from django.db import IntegrityError
from django.utils import timezone

from socialapp.core.cache import redis_errors
from socialapp.core.db import atomic
from socialapp.core.errors import Unavailable
from socialapp.core.ids import new_id
from socialapp.core.sql import fetch, insert, placeholders
from socialapp.messaging.envelope import Envelope, encode
from socialapp.messaging.models import FailedDelivery, InboxEntry
from socialapp.messaging.registry import Handler, handlers_of
from socialapp.telemetry import metrics, traces

log = structlog.get_logger()

# Seconds until the next attempt after the first, second, … failure; then the event is a dead letter.
RETRY_PAUSES = (1, 5, 30, 120, 600, 3600)
# An outage of what a handler needs may last a night, through no fault of the event: the last pause is repeated
# again, so that all arrives soon after; then it counts as no more failures than these.
OUTAGE_PAUSES = (1, 5, 10)
_ERROR_CHARACTERS = 2000
_KNOWN = (
    "SELECT event_id, handler, 0 FROM bus_inbox WHERE event_id IN ({ids})"
    " UNION ALL SELECT event_id, handler, 1 FROM bus_failed_delivery WHERE event_id IN ({ids})"
)

_running: ContextVar["Delivery | None"] = ContextVar("delivery_running", default=None)


class DuplicateDelivery(Exception):
    """An event was handled before, or another worker is processing it concurrently."""


@dataclass(slots=True)
class Delivery:
    """Events for one call of one handler, with what the handler gathered from other contexts."""

    handler: Handler
    envelopes: list[Envelope]
    events: list[Any] = field(default_factory=list)
    gathered: Any = None

    @property
    def keys(self) -> list[tuple[int, str]]:
        """Their keys in the inbox."""
        return [(envelope.id, self.handler.name) for envelope in self.envelopes]

    def gather(self) -> None:
        """Decodes the events and gathers from other contexts, before any transaction."""
        self.events = [envelope.event() for envelope in self.envelopes]
        if self.handler.gather:
            with self._traced("gather for"):
                self.gathered = self.handler.gather(self._argument)

    def run(self) -> None:
        """Calls the handler; the caller holds the transaction."""
        token = _running.set(self)
        try:
            with self._traced("handle"):
                arguments = (self._argument, self.gathered) if self.handler.gather else (self._argument,)
                self.handler.run(*arguments)
        finally:
            _running.reset(token)

    def split(self) -> list["Delivery"]:
        """Each event by itself."""
        return [Delivery(self.handler, [envelope]) for envelope in self.envelopes]

    @property
    def _argument(self) -> Any:
        return self.events if self.handler.together else self.events[0]

    @contextmanager
    def _traced(self, doing: str) -> Iterator[None]:
        first = self.envelopes[0]
        with (
            _correlated(first) if len(self.envelopes) == 1 else nullcontext(),
            traces.span(f"{doing} {self.handler.name}", kind=traces.Kind.CONSUMER, event_id=first.id),
        ):
            yield


def _correlated(envelope: Envelope) -> AbstractContextManager[None]:
    """Attributes logs, calls and events in this block to the request that caused the event."""
    return structlog.contextvars.bound_contextvars(
        event_id=envelope.id, request_id=envelope.correlationid, traceparent=envelope.traceparent
    )


def caused_by(event: object) -> AbstractContextManager[None]:
    """For handlers of batches: attributes logs and events in this block to the request behind `event`.

    Does nothing outside of handlers.
    """
    running = _running.get()
    for envelope, one in zip(running.envelopes, running.events, strict=True) if running else ():
        if one is event:
            return _correlated(envelope)
    return nullcontext()


def deliver(context: str, *, envelopes: Iterable[Envelope], look_first: bool = False) -> None:
    """Delivers events to the handlers of `context`: all in one transaction, or one by one if one of them fails.

    Events are nearly always new, so only the retry of a failed delivery looks up first what was handled and what
    failed: otherwise the inbox refuses what was handled, and then the rest is delivered after such a look.
    """
    unique = {envelope.id: envelope for envelope in envelopes}.values()
    wanted = [
        Delivery(handler, [envelope]) for envelope in unique for handler in handlers_of(context, event=envelope.type)
    ]
    failed = False
    if wanted and look_first:
        wanted, failed = _not_yet_handled(context, wanted)
    ready = [one for delivery in _together(wanted) for one in _gathered(context, delivery)]
    if not ready:
        return
    try:
        with atomic(context):
            _take(context, ready)
            for delivery in ready:
                delivery.run()
            if failed:
                _forget_failures(context, ready)
    except Exception as error:
        if isinstance(error, DuplicateDelivery) and not look_first:
            deliver(context, envelopes=unique, look_first=True)
            return
        log.info("bus.batch_split", context=context, events=sum(len(one.envelopes) for one in ready), error=repr(error))
        for delivery in ready:
            _deliver_alone(context, delivery)
    else:
        _count_handled(context, ready)


def failures_so_far() -> int:
    """How often the running handler has failed on its event; 0 outside of handlers. One query."""
    running = _running.get()
    if running is None:
        return 0
    rows = FailedDelivery.objects.using(running.handler.context)
    noted = rows.filter(event_id=running.envelopes[0].id, handler=running.handler.name)
    return noted.values_list("attempts", flat=True).first() or 0


def _not_yet_handled(context: str, wanted: list[Delivery]) -> tuple[list[Delivery], bool]:
    """The deliveries that are left, and whether any has a recorded failure: one query, in SQL for its cost.

    A failure that is noted only after this look stays noted: its next delivery finds the event handled and forgets it.
    """
    ids = sorted({event_id for delivery in wanted for event_id, _ in delivery.keys})
    rows = fetch(context, sql=_KNOWN.format(ids=placeholders(ids)), values=[*ids, *ids])
    handled = {(event_id, handler) for event_id, handler, failed in rows if not failed}
    failed = {(event_id, handler) for event_id, handler, failed in rows if failed}
    done = [delivery for delivery in wanted if not handled.isdisjoint(delivery.keys)]
    if any(not failed.isdisjoint(delivery.keys) for delivery in done):
        _forget_failures(context, done)
    left = [delivery for delivery in wanted if handled.isdisjoint(delivery.keys)]
    return left, any(not failed.isdisjoint(delivery.keys) for delivery in left)


def _together(deliveries: list[Delivery]) -> list[Delivery]:
    """One delivery for all events of a handler of batches."""
    found: list[Delivery] = []
    shared: dict[str, Delivery] = {}
    for delivery in deliveries:
        if delivery.handler.together and delivery.handler.name in shared:
            shared[delivery.handler.name].envelopes += delivery.envelopes
        else:
            shared[delivery.handler.name] = delivery
            found.append(delivery)
    return found


def _gathered(context: str, delivery: Delivery) -> list[Delivery]:
    """The deliverable part: the whole delivery, or those of its events that gathered successfully."""
    try:
        delivery.gather()
    except Exception as error:
        if len(delivery.envelopes) > 1:
            return [one for alone in delivery.split() for one in _gathered(context, alone)]
        _note_failure(context, delivery, error)
        return []
    return [delivery]


def _count_handled(context: str, deliveries: list[Delivery]) -> None:
    for delivery in deliveries:
        for envelope in delivery.envelopes:
            metrics.count_handled(context, event_type=envelope.type, published_at=envelope.time)


def _take(context: str, deliveries: list[Delivery]) -> None:
    """Enters the deliveries into the inbox; DuplicateDelivery if one of them is there already."""
    now = timezone.now()
    rows = [(new_id(), *key, now) for delivery in deliveries for key in delivery.keys]
    try:
        insert(context, model=InboxEntry, columns=("id", "event_id", "handler", "handled_at"), rows=rows)
    except IntegrityError:
        raise DuplicateDelivery from None


def _deliver_alone(context: str, delivery: Delivery) -> None:
    """Delivers in a transaction of its own; several events that fail together are delivered one by one."""
    try:
        with atomic(context):
            _take(context, [delivery])
            delivery.run()
            _forget_failures(context, [delivery])
    except Exception as error:
        if len(delivery.envelopes) > 1:
            for one in (one for alone in delivery.split() for one in _gathered(context, alone)):
                _deliver_alone(context, one)
        elif not isinstance(error, DuplicateDelivery):
            _note_failure(context, delivery, error)
    else:
        _count_handled(context, [delivery])


def _forget_failures(context: str, deliveries: list[Delivery]) -> None:
    keys = {key for delivery in deliveries for key in delivery.keys}
    for row in FailedDelivery.objects.using(context).filter(event_id__in=[event_id for event_id, _ in keys]):
        if (row.event_id, row.handler) in keys:
            row.delete(using=context)


def _note_failure(context: str, delivery: Delivery, error: Exception) -> None:
    """Records the failure and the time of the retry; if even that fails, the reconciler sends the event again."""
    envelope, handler = delivery.envelopes[0], delivery.handler
    with _correlated(envelope):
        log.warning("bus.handler_failed", handler=handler.name, type=envelope.type, error=repr(error))
    with atomic(context):
        row, _ = (
            FailedDelivery.objects.using(context)
            .select_for_update()
            .get_or_create(
                event_id=envelope.id,
                handler=handler.name,
                defaults={
                    "type": envelope.type,
                    "subject": envelope.subject,
                    "envelope": encode(envelope),
                    "attempts": 0,
                    "retry_at": timezone.now(),
                    "error": "",
                },
            )
        )
        if isinstance(error, (Unavailable, *redis_errors())):
            row.attempts = min(row.attempts + 1, len(OUTAGE_PAUSES))
            pause = OUTAGE_PAUSES[row.attempts - 1]
        else:
            row.attempts += 1
            row.dead = row.attempts > len(RETRY_PAUSES)
            pause = RETRY_PAUSES[min(row.attempts, len(RETRY_PAUSES)) - 1]
        row.retry_at = timezone.now() + timedelta(seconds=pause)
        row.error = repr(error)[:_ERROR_CHARACTERS]
        row.save(using=context)
    metrics.count_failed(envelope.type, dead=row.dead)
