"""The Celery tasks of the bus."""

import time
from typing import Any

import structlog
from celery import shared_task
from django.conf import settings
from django.db import DatabaseError, InterfaceError
from kombu import Exchange

from socialapp.core.answering import answering_contexts
from socialapp.core.contexts import served
from socialapp.messaging.application import celery_app
from socialapp.messaging.delivery import deliver
from socialapp.messaging.envelope import Envelope, encode, readable
from socialapp.messaging.reconcile import prune, reconcile
from socialapp.messaging.registry import handlers_of
from socialapp.messaging.transports.celery import CONTEXT_HEADER, EXCHANGE, SHARED_QUEUE, queue_name

PERIODIC = {"bus.reconcile": settings.RECONCILE_EVERY_SECONDS, "bus.prune": 3600.0}

# A context that takes longer for a batch, or fails, has its events delivered through its own queue for a while, so that
# the others do not wait for it.
SLOW_SECONDS = 5.0
APART_SECONDS = 30.0

log = structlog.get_logger()

_apart_until: dict[str, float] = {}


@shared_task(name="bus.deliver", bind=True, acks_late=True, reject_on_worker_lost=True)
def deliver_batch(self: Any, envelopes: list[str], context: str = "") -> None:
    """Delivers a batch to the context whose queue it came from (or, for a retry, to the one named). Idempotent."""
    deliver(context or self.request.get(CONTEXT_HEADER), envelopes=list(readable(envelopes)))


@shared_task(name="bus.deliver_to_all", bind=True, acks_late=True, reject_on_worker_lost=True)
def deliver_to_all(self: Any, envelopes: list[str]) -> None:
    """Delivers a batch to every context that listens, each by itself; none fails for another. Idempotent.

    If a worker died with the batch it may do so again: then each context gets its part through its own queue.
    """
    batch = list(readable(envelopes))
    died = bool((self.request.delivery_info or {}).get("redelivered"))
    for context in served():
        wanted = [envelope for envelope in batch if handlers_of(context.name, event=envelope.type)]
        if wanted and (died or _apart_until.get(context.name, 0) > time.monotonic()):
            _pass_on(context.name, wanted)
        elif wanted:
            _deliver_timed(context.name, wanted)


def _deliver_timed(context: str, envelopes: list[Envelope]) -> None:
    started = time.monotonic()
    try:
        deliver(context, envelopes=envelopes)
    except Exception as error:
        log.warning("bus.batch_failed", context=context, events=len(envelopes), error=repr(error))
        _pass_on(context, envelopes)
        _apart_until[context] = time.monotonic() + APART_SECONDS
    if time.monotonic() - started > SLOW_SECONDS:
        _apart_until[context] = time.monotonic() + APART_SECONDS


def _pass_on(context: str, envelopes: list[Envelope]) -> None:
    """To the context's own queue; if no broker takes it, the reconciler finds that it has not arrived."""
    try:
        _send(([encode(envelope) for envelope in envelopes], context), queue=queue_name(context))
    except Exception as error:  # brokers raise all sorts
        log.warning("bus.not_passed_on", context=context, events=len(envelopes), error=repr(error))


def publish_to_all(envelopes: list[str]) -> None:
    """Sends events of any types to all contexts at once; raises when the broker does not take them."""
    # The nameless exchange leads to the queue of the routing key's name, on every broker.
    _send((envelopes,), task=deliver_to_all, exchange=Exchange(""), routing_key=SHARED_QUEUE, declare=[])


def publish_batch(event_type: str, *, envelopes: list[str]) -> None:
    """Sends events of one type to whoever listens; raises when the broker does not take them."""
    # Celery would also declare its default queue here: the exchange is all that a producer knows.
    _send((envelopes,), exchange=EXCHANGE, routing_key=event_type, declare=[EXCHANGE])


def deliver_again(context: str, *, envelope: str) -> None:
    """Sends one event to one context that has failed to take it."""
    _send(([envelope], context), queue=queue_name(context))


def _send(arguments: tuple[Any, ...], *, task: Any = deliver_batch, **routing: Any) -> None:
    with celery_app().producer_or_acquire() as producer:
        try:
            task.apply_async(arguments, producer=producer, retry=False, **routing)
        except Exception:
            producer.connection.collect()  # to close it in order, one would wait for the broker that does not answer
            raise


@shared_task(name="bus.reconcile")
def reconcile_served() -> None:
    """Confirms or re-sends what the served contexts have sent. Periodic."""
    for context in answering_contexts():
        try:
            reconcile(context.name)
        except (DatabaseError, InterfaceError) as error:
            # Each context has a database of its own: one that is down must not keep the others waiting.
            log.warning("bus.not_reconciled", context=context.name, error=repr(error))


@shared_task(name="bus.prune")
def prune_served() -> None:
    """Removes bus rows past their retention. Periodic."""
    for context in answering_contexts():
        prune(context.name)
