"""Metrics of waiting work: outbox, failed deliveries, queues (Kafka's included), and how far replicas are behind.

They are computed at each scrape: a number kept by one process would be wrong in the others.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

import structlog
from django.conf import settings
from django.db.models import Count, Min, Q
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from socialapp.core.contexts import served
from socialapp.core.ids import id_time
from socialapp.core.replicas import lag_of
from socialapp.messaging.models import FailedDelivery, OutboxEvent
from socialapp.ops.probes import broker_connection

if TYPE_CHECKING:
    from kombu import Connection

log = structlog.get_logger()


class BacklogCollector(Collector):
    """Three queries per context, and one request for each of its queues and for each server with read replicas."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The gauges."""
        yield from _tables()
        yield from _queues()
        yield from _replicas()


def _gauge(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, labels=labels)


def _tables() -> Iterator[GaugeMetricFamily]:
    unsent = _gauge("socialapp_outbox_unsent", "Events not sent to the broker yet.", "context")
    unconfirmed = _gauge("socialapp_outbox_unconfirmed", "Events sent and not confirmed by every listener.", "context")
    lag = _gauge("socialapp_outbox_lag_seconds", "Age of the oldest event not sent yet.", "context")
    unconfirmed_age = _gauge(
        "socialapp_outbox_unconfirmed_seconds", "Age of the oldest event that not every listener has.", "context"
    )
    failing = _gauge("socialapp_deliveries_failing", "Deliveries that failed and will be tried again.", "context")
    failing_age = _gauge(
        "socialapp_deliveries_failing_seconds", "Age of the oldest event that is tried again.", "context"
    )
    dead = _gauge("socialapp_dead_letters", "Deliveries given up.", "context")
    now = timezone.now()
    for context in served():
        labels = [context.name]
        outbox = OutboxEvent.objects.using(context.name)
        new = outbox.filter(state=OutboxEvent.State.NEW).aggregate(count=Count("id"), oldest=Min("created_at"))
        sent = outbox.filter(state=OutboxEvent.State.SENT).aggregate(count=Count("id"), oldest=Min("created_at"))
        failures = FailedDelivery.objects.using(context.name).aggregate(
            given_up=Count("id", filter=Q(dead=True)),
            failing=Count("id", filter=Q(dead=False)),
            oldest=Min("event_id", filter=Q(dead=False)),
        )
        unsent.add_metric(labels, new["count"])
        unconfirmed.add_metric(labels, sent["count"])
        lag.add_metric(labels, (now - new["oldest"]).total_seconds() if new["oldest"] else 0)
        unconfirmed_age.add_metric(labels, (now - sent["oldest"]).total_seconds() if sent["oldest"] else 0)
        failing.add_metric(labels, failures["failing"])
        oldest = failures["oldest"]
        failing_age.add_metric(labels, (now - id_time(oldest)).total_seconds() if oldest else 0)
        dead.add_metric(labels, failures["given_up"])
    yield from (unsent, unconfirmed, lag, unconfirmed_age, failing, failing_age, dead)


def _queues() -> Iterator[GaugeMetricFamily]:
    up = _gauge("socialapp_broker_up", "Whether the broker answered.")
    depth = _gauge("socialapp_queue_depth", "Messages that wait in a queue for a worker.", "queue")
    try:
        for name, count in _depths().items():
            depth.add_metric([name], count)
        up.add_metric([], 1)
    except Exception as error:  # transports raise various errors, and the other metrics are still needed
        log.warning("metrics.broker_away", error=repr(error))
        up.add_metric([], 0)
    yield from (up, depth)


def _depths() -> Counter[str]:
    """The number of waiting messages per queue; with Kafka, a context's events are its lag plus its retries through
    Celery."""
    depths = Counter(dict(_celery_depths()))
    if settings.KAFKA_URL:
        from socialapp.messaging.transports import kafka
        from socialapp.messaging.transports.celery import queue_name

        depths.update({queue_name(context): lag for context, lag in kafka.lag().items()})
    return depths


def _celery_depths() -> Iterator[tuple[str, int]]:
    from socialapp.messaging.transports.celery import queue_name, slow_queue_name, task_queue_name

    with broker_connection() as connection:
        connection.ensure_connection(max_retries=0)
        for context in served():
            for name in (name_of(context.name) for name_of in (queue_name, task_queue_name, slow_queue_name)):
                yield name, _depth(connection, name)


def _depth(connection: "Connection", name: str) -> int:
    """A queue that does not exist holds nothing; asking RabbitMQ for it closes the channel.

    On Redis a queue exists only while it has messages, and kombu with a key prefix considers every queue missing.
    """
    channel: Any = connection.channel()
    must_exist = settings.BROKER_URL.startswith("amqp")
    try:
        with closing(channel):
            return int(channel.queue_declare(queue=name, passive=must_exist).message_count)
    except connection.channel_errors:
        return 0


def _replicas() -> Iterator[GaugeMetricFamily]:
    up = _gauge("socialapp_replica_up", "Whether a server with read replicas answers and replicates.", "server")
    lag = _gauge("socialapp_replica_lag_seconds", "How far it is behind its primary.", "server")
    for server, alias in _replica_servers().items():
        seconds = lag_of(alias)
        up.add_metric([server], seconds is not None)
        if seconds is not None:
            lag.add_metric([server], seconds)
    yield from (up, lag)


def _replica_servers() -> dict[str, str]:
    """Each server that holds replicas, with one of their aliases: all replicas on a server have the same lag."""
    aliases = [alias for names in settings.REPLICAS.values() for alias in names]
    found = [(settings.DATABASES[alias], alias) for alias in aliases]
    return {f"{database['HOST']}:{database['PORT'] or 3306}": alias for database, alias in found}
