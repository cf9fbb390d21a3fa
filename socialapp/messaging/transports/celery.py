"""Events over Celery: one topic exchange, one durable queue per context, and a Celery task for each delivery.

A Celery message does not say which queue it was taken from, and the same message is in the queue of every context
that listens. So the queue adds its context to the headers of the messages that it passes to its consumer.
"""

from collections.abc import Callable, Collection
from functools import partial
from typing import Any

from django.conf import settings
from kombu import Exchange, Queue, binding

from socialapp.core.contexts import served
from socialapp.messaging.application import celery_app
from socialapp.messaging.registry import events_of

EXCHANGE = Exchange(f"{settings.QUEUE_PREFIX}socialapp.events", type="topic", durable=True)
TASKS = Exchange(f"{settings.QUEUE_PREFIX}socialapp.tasks", type="topic", durable=True)
CONTEXT_HEADER = "socialapp_context"
_PREFIX = f"{settings.QUEUE_PREFIX}events."


class ContextQueue(Queue):
    """The queue of one context, bound to the event types of its handlers."""

    def consume(
        self,
        consumer_tag: str = "",
        callback: Callable[..., None] | None = None,
        *options: Any,
        **named_options: Any,
    ) -> str:
        """Consumes like any queue, with the context's name added to the headers of every message."""
        marking = partial(_mark, self.name.removeprefix(_PREFIX), callback) if callback else None
        return super().consume(consumer_tag, marking, *options, **named_options)


def _mark(context: str, callback: Callable[..., None], message: Any) -> None:
    message.headers[CONTEXT_HEADER] = context
    callback(message)


def queue_name(context: str) -> str:
    """The name of the queue that holds the events for `context`."""
    return f"{_PREFIX}{context}"


def task_queue_name(context: str) -> str:
    """The name of the queue that holds the tasks of `context`."""
    return f"{settings.QUEUE_PREFIX}tasks.{context}"


def slow_queue_name(context: str) -> str:
    """The name of the queue for the slow tasks of `context`, so that no other task waits behind them."""
    return f"{settings.QUEUE_PREFIX}slow.{context}"


def queue_names(contexts_with_slow_tasks: Collection[str]) -> list[str]:
    """The queues that this worker consumes, by WORKER_QUEUES: quick, slow, or all."""
    quick = [name for context in served() for name in (queue_name(context.name), task_queue_name(context.name))]
    slow = [slow_queue_name(context) for context in contexts_with_slow_tasks]
    return {"quick": quick, "slow": slow, "all": quick + slow}[settings.WORKER_QUEUES]


def queues(*, quorum: bool, contexts_with_slow_tasks: Collection[str] = ()) -> list[Queue]:
    """The queues of every served context: for events, for its own tasks, and for slow tasks if it has any."""
    arguments = {"x-queue-type": "quorum"} if quorum else None
    found: list[Queue] = []
    for context in served():
        bindings = [binding(EXCHANGE, routing_key=event) for event in events_of(context.name)]
        name, tasks = queue_name(context.name), task_queue_name(context.name)
        own = binding(TASKS, routing_key=name)
        found.append(
            ContextQueue(name, exchange=TASKS, routing_key=name, bindings=[own, *bindings], queue_arguments=arguments)
        )
        found.append(Queue(tasks, exchange=TASKS, routing_key=tasks, queue_arguments=arguments))
        if context.name in contexts_with_slow_tasks:
            slow = slow_queue_name(context.name)
            found.append(Queue(slow, exchange=TASKS, routing_key=slow, queue_arguments=arguments))
    return found


def declare_queues() -> None:
    """Declares the queues and bindings of the served contexts, also after a broker lost them. Idempotent."""
    app = celery_app()
    with app.connection_for_write() as connection, connection.channel() as channel:
        for queue in app.amqp.queues.values():
            queue(channel).declare()
