"""Takes events from Kafka and delivers them: one thread per served context, each a member of its context's group.

Offsets are committed after the handlers' transaction. If a consumer is killed in between, another one gets its events
again, and the inbox prevents them from taking effect twice.
"""

import threading
from contextlib import closing

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message
from django.db import close_old_connections, connections

from socialapp.core.contexts import served
from socialapp.messaging.delivery import deliver
from socialapp.messaging.envelope import readable
from socialapp.messaging.registry import handlers_of
from socialapp.messaging.transports import kafka
from socialapp.messaging.transports.port import BATCH_EVENTS

log = structlog.get_logger()

POLL_SECONDS = 1.0
_LONGEST_PAUSE = 10.0


def consume(stopping: threading.Event) -> None:
    """Delivers the events of all served contexts until told to stop; the current batch is then finished."""
    contexts = [context.name for context in served() if kafka.topics_for(context.name)]
    threads = [threading.Thread(target=_consume, args=(name, stopping), name=f"consume-{name}") for name in contexts]
    for thread in threads:
        thread.start()
    stopping.wait()
    for thread in threads:
        thread.join()


def _consume(context: str, stopping: threading.Event) -> None:
    """Restarts from the committed offsets when anything fails, as in an outage of Kafka or the database."""
    pause = POLL_SECONDS
    while not stopping.is_set():
        try:
            kafka.make_topics()
            with closing(kafka.consumer(context)) as consumer:
                while not stopping.is_set():
                    if _deliver_next(context, consumer):
                        pause = POLL_SECONDS
        except Exception as error:
            log.warning("consumer.failed", context=context, error=repr(error), pause_seconds=pause)
            stopping.wait(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
    connections.close_all()


def _deliver_next(context: str, consumer: Consumer) -> bool:
    """Delivers and commits the available events, at most a batch; returns whether there were any."""
    messages = _next_messages(consumer)
    if messages:
        close_old_connections()
        envelopes = readable(message.value() or b"" for message in messages)
        deliver(context, envelopes=[envelope for envelope in envelopes if handlers_of(context, event=envelope.type)])
    _commit(context, consumer)
    return bool(messages)


def _next_messages(consumer: Consumer) -> list[Message]:
    first = consumer.poll(POLL_SECONDS)
    if first is None:
        return []
    messages = [first, *consumer.consume(BATCH_EVENTS - 1, timeout=0)]
    for message in messages:
        if error := message.error():
            raise KafkaException(error)
    return messages


def _commit(context: str, consumer: Consumer) -> None:
    """Commits everything that was taken. During a rebalance this may fail; the next poll tries again."""
    try:
        consumer.commit(asynchronous=False)
    except KafkaException as error:
        if error.args[0].code() != KafkaError._NO_OFFSET:
            log.info("consumer.not_committed", context=context, error=str(error))
