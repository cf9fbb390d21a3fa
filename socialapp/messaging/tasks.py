"""The Celery tasks of the bus."""

from typing import Any

import structlog
from celery import shared_task
from django.conf import settings
from django.db import DatabaseError, InterfaceError

from socialapp.core.answering import answering_contexts
from socialapp.messaging.application import celery_app
from socialapp.messaging.delivery import deliver
from socialapp.messaging.envelope import readable
from socialapp.messaging.reconcile import prune, reconcile
from socialapp.messaging.transports.celery import CONTEXT_HEADER, EXCHANGE, queue_name

PERIODIC = {"bus.reconcile": settings.RECONCILE_EVERY_SECONDS, "bus.prune": 3600.0}

# Celery would add the arguments as text for its logs, which takes long and contains personal data.
_NOT_DESCRIBED: dict[str, Any] = {"argsrepr": "", "kwargsrepr": ""}

log = structlog.get_logger()


@shared_task(name="bus.deliver", bind=True, acks_late=True, reject_on_worker_lost=True)
def deliver_batch(self: Any, envelopes: list[str], context: str = "") -> None:
    """Delivers a batch to the context whose queue it came from (for a retry, to the given one). Idempotent."""
    taken_from = context or self.request.get(CONTEXT_HEADER)
    deliver(taken_from, envelopes=readable(envelopes), look_first=bool(context))


def publish_batch(event_type: str, *, envelopes: list[str]) -> None:
    """Sends events of one type to all consumers; raises if the broker does not accept them."""
    # Celery would also declare its default queue here: the exchange is all that a producer knows.
    _send((envelopes,), exchange=EXCHANGE, routing_key=event_type, declare=[EXCHANGE])


def deliver_again(context: str, *, envelope: str) -> None:
    """Sends one event to one context that has failed to handle it."""
    _send(([envelope], context), queue=queue_name(context))


def _send(arguments: tuple[Any, ...], **routing: Any) -> None:
    with celery_app().producer_or_acquire() as producer:
        try:
            deliver_batch.apply_async(arguments, producer=producer, retry=False, **_NOT_DESCRIBED, **routing)
        except Exception:
            producer.connection.collect()  # to close it in order, one would wait for the broker that does not answer
            raise


@shared_task(name="bus.reconcile")
def reconcile_served() -> None:
    """Confirms or re-sends events of the served contexts. Periodic."""
    for context in answering_contexts():
        try:
            reconcile(context.name)
        except (DatabaseError, InterfaceError) as error:
            # Each context has a database of its own: one that is down must not keep the others waiting.
            log.warning("bus.not_reconciled", context=context.name, error=repr(error))


@shared_task(name="bus.prune")
def prune_served() -> None:
    """Deletes bus rows past their retention. Periodic."""
    for context in answering_contexts():
        prune(context.name)
