"""The Celery tasks of the bus."""

from collections.abc import Iterator
from typing import Any

import msgspec
import structlog
from celery import shared_task
from django.db import DatabaseError, InterfaceError

from socialapp.bus.broker import CONTEXT_HEADER, EXCHANGE
from socialapp.bus.delivery import deliver
from socialapp.bus.envelope import Envelope, decode
from socialapp.bus.reconcile import prune, reconcile
from socialapp.contexts import served
from socialapp.partitions import add_ahead

log = structlog.get_logger()


@shared_task(name="bus.deliver", bind=True, acks_late=True, reject_on_worker_lost=True)
def deliver_batch(self: Any, envelopes: list[str], context: str = "") -> None:
    """Delivers a batch to the context whose queue it came from (or, for a retry, to the one named). Idempotent."""
    deliver(context or self.request.get(CONTEXT_HEADER), list(_readable(envelopes)))


def _readable(envelopes: list[str]) -> Iterator[Envelope]:
    """Without those that are damaged beyond reading, which would keep their whole batch from arriving."""
    for text in envelopes:
        try:
            yield decode(text)
        except msgspec.DecodeError as error:
            log.error("bus.unreadable", error=str(error), envelope=text[:200])


def publish_batch(event_type: str, envelopes: list[str]) -> None:
    """Sends events of one type to whoever listens; raises when the broker does not take them."""
    # Celery would also declare its default queue here: the exchange is all that a producer knows.
    routing: dict[str, Any] = {"exchange": EXCHANGE, "routing_key": event_type, "declare": [EXCHANGE], "retry": False}
    deliver_batch.apply_async(args=(envelopes,), **routing)


@shared_task(name="bus.reconcile")
def reconcile_served() -> None:
    """Confirms or re-sends what the served contexts have sent. Periodic."""
    for context in served():
        try:
            reconcile(context.name)
        except (DatabaseError, InterfaceError) as error:
            # Each context has a database of its own: one that is away must not keep the others from being looked at.
            log.warning("bus.not_reconciled", context=context.name, error=repr(error))


@shared_task(name="bus.prune")
def prune_served() -> None:
    """Removes bus rows past their retention. Periodic."""
    for context in served():
        prune(context.name)


@shared_task(name="bus.partitions_ahead")
def add_partitions() -> None:
    """Adds the coming months' partitions to the tables that are partitioned. Periodic; idempotent."""
    add_ahead()
