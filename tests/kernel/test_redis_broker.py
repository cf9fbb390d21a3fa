"""Redis as the broker: a worker that could not acknowledge its work continues when Redis is back."""

import os
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from kombu import Connection, Queue

from socialapp.messaging.application import celery_app
from tests.faults.proxy import proxy_to

QUEUE = "tests.redis-broker"


@pytest.fixture(autouse=True)
def _transport(monkeypatch: pytest.MonkeyPatch) -> None:
    """Creating Celery's application registers the transport; another test may have looked up kombu's own before."""
    monkeypatch.setattr("kombu.transport._transport_cache", {})
    celery_app()


@pytest.mark.parametrize("answer", ["ack", "reject", "requeue"])
def test_an_unacknowledged_message_does_not_block_the_worker(answer: str) -> None:
    redis = urlsplit(os.environ["REDIS_URL"])
    with proxy_to(redis.port or 6379) as proxy:
        through_proxy = redis._replace(netloc=f"{redis.netloc.rpartition(':')[0]}:{proxy.port}")
        connection = Connection(urlunsplit(through_proxy))
        channel: Any = connection.channel()
        queue = Queue(QUEUE)(channel)
        queue.declare()
        channel.basic_qos(0, 1, False)
        connection.Producer().publish("work", routing_key=QUEUE)
        message: Any = queue.get()
        assert not channel.qos.can_consume(), "one message is unacknowledged, the most that is allowed"
        proxy.close()
        with pytest.raises(channel.connection_errors):
            {"ack": message.ack, "reject": message.reject, "requeue": message.requeue}[answer]()
    assert channel.qos.can_consume()
    connection.close()


@pytest.mark.parametrize("answer", ["ack", "reject", "requeue"])
def test_a_channel_that_closes_meanwhile_does_not_stop_the_worker(answer: str) -> None:
    connection = Connection(os.environ["REDIS_URL"])
    channel: Any = connection.channel()
    queue = Queue(QUEUE)(channel)
    queue.declare()
    connection.Producer().publish("work", routing_key=QUEUE)
    message: Any = queue.get()
    channel.connection = None  # as kombu leaves it when the worker reconnects
    {"ack": message.ack, "reject": message.reject, "requeue": message.requeue}[answer]()
    with Connection(os.environ["REDIS_URL"]) as again:
        Queue(QUEUE)(again.channel()).purge()
