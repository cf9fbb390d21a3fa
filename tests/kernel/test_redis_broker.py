"""Redis as the broker: only the worker knows what it has taken; it puts that back, and never stops asking for more."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from kombu import Connection, Queue

from socialapp.messaging.application import celery_app
from tests.faults.proxy import Proxy, proxy_to

QUEUE = "tests.redis-broker"


@pytest.fixture(autouse=True)
def _transport(monkeypatch: pytest.MonkeyPatch) -> None:
    """Creating Celery's application registers the transport; another test may have looked up kombu's own before."""
    monkeypatch.setattr("kombu.transport._transport_cache", {})
    celery_app()


@contextmanager
def _through_proxy() -> Iterator[tuple[Connection, Proxy]]:
    redis = urlsplit(os.environ["REDIS_URL"])
    with proxy_to(redis.port or 6379) as proxy:
        url = redis._replace(netloc=f"{redis.netloc.rpartition(':')[0]}:{proxy.port}")
        yield Connection(urlunsplit(url)), proxy


def _queue(channel: Any) -> Any:
    queue = Queue(QUEUE)(channel)
    queue.declare()
    return queue


@pytest.mark.parametrize("answer", ["ack", "reject", "requeue"])
def test_a_message_handled_while_redis_is_unreachable_does_not_block_the_worker(answer: str) -> None:
    with _through_proxy() as (connection, proxy):
        channel: Any = connection.channel()
        queue = _queue(channel)
        channel.basic_qos(0, 1, False)
        connection.Producer().publish("work", routing_key=QUEUE)
        message: Any = queue.get()
        assert not channel.qos.can_consume(), "one message is unacknowledged, the most that is allowed"
        proxy.close()
        with pytest.raises(channel.connection_errors) if answer == "requeue" else nullcontext():
            {"ack": message.ack, "reject": message.reject, "requeue": message.requeue}[answer]()
    assert channel.qos.can_consume()
    connection.close()


@pytest.mark.parametrize("answer", ["ack", "reject", "requeue"])
def test_a_channel_that_closes_meanwhile_does_not_stop_the_worker(answer: str) -> None:
    connection = Connection(os.environ["REDIS_URL"])
    channel: Any = connection.channel()
    queue = _queue(channel)
    connection.Producer().publish("work", routing_key=QUEUE)
    message: Any = queue.get()
    channel.connection = None  # as kombu leaves it when the worker reconnects
    {"ack": message.ack, "reject": message.reject, "requeue": message.requeue}[answer]()
    with Connection(os.environ["REDIS_URL"]) as again:
        Queue(QUEUE)(again.channel()).purge()


def test_what_was_taken_but_not_handled_is_put_back_at_the_end() -> None:
    with Connection(os.environ["REDIS_URL"]) as connection:
        channel: Any = connection.channel()
        queue = _queue(channel)
        for work in ("handled", "not handled"):
            connection.Producer().publish(work, routing_key=QUEUE)
        taken: list[Any] = [queue.get(), queue.get()]
        taken[0].ack()
        assert not channel.client.exists(channel.unacked_key), "nothing is copied while it is being handled"
    with Connection(os.environ["REDIS_URL"]) as again:
        queue = _queue(again.channel())
        found: list[Any] = [queue.get(no_ack=True), queue.get(no_ack=True)]
    assert (found[0].payload, found[1]) == ("not handled", None)


def test_a_worker_that_ends_while_redis_is_unreachable_writes_no_messages_into_files(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written: list[Any] = []
    monkeypatch.setattr("kombu.transport.virtual.base.emergency_dump_state", lambda state, **_: written.append(state))
    with _through_proxy() as (connection, proxy):
        channel: Any = connection.channel()
        queue = _queue(channel)
        connection.Producer().publish("work", routing_key=QUEUE)
        assert queue.get() is not None
        proxy.close()
        channel.close()
    assert (channel.closed, written) == (True, [])
