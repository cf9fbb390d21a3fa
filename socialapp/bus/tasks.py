"""The Celery tasks of the bus."""

from typing import Any

from celery import shared_task

from socialapp.bus.broker import CONTEXT_HEADER, EXCHANGE
from socialapp.bus.delivery import deliver
from socialapp.bus.envelope import decode
from socialapp.bus.reconcile import prune, reconcile
from socialapp.contexts import served
from socialapp.partitions import add_ahead


@shared_task(name="bus.deliver", bind=True, acks_late=True, reject_on_worker_lost=True)
def deliver_batch(self: Any, envelopes: list[str], context: str = "") -> None:
    """Delivers a batch to the context whose queue it came from (or, for a retry, to the one named). Idempotent."""
    deliver(context or self.request.get(CONTEXT_HEADER), [decode(envelope) for envelope in envelopes])


def publish_batch(event_type: str, envelopes: list[str]) -> None:
    """Sends events of one type to whoever listens; raises when the broker does not take them."""
    # Celery would also declare its default queue here: the exchange is all that a producer knows.
    routing: dict[str, Any] = {"exchange": EXCHANGE, "routing_key": event_type, "declare": [EXCHANGE], "retry": False}
    deliver_batch.apply_async(args=(envelopes,), **routing)


@shared_task(name="bus.reconcile")
def reconcile_served() -> None:
    """Confirms or re-sends what the served contexts have sent. Periodic."""
    for context in served():
        reconcile(context.name)


@shared_task(name="bus.prune")
def prune_served() -> None:
    """Removes bus rows past their retention. Periodic."""
    for context in served():
        prune(context.name)


@shared_task(name="bus.partitions_ahead")
def add_partitions() -> None:
    """Adds the coming months' partitions to the tables that are partitioned. Periodic; idempotent."""
    add_ahead()
