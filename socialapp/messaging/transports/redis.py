"""Redis as broker: kombu's transport with a fix for workers that stop consuming after Redis was unavailable.

When Redis is down, a message cannot be acknowledged, and kombu counts it as unacknowledged forever. Once the prefetch
limit is reached that way, kombu stops asking Redis for messages and does not notice that it is back. Reported as
https://github.com/celery/celery/issues/8030 and https://github.com/celery/celery/issues/8384; kombu 5.7 still does it.
Also, when a message is acknowledged on a channel that has been closed meanwhile, kombu raises an AttributeError that
ends the worker. Remove this when tests/faults/test_broker.py passes without it.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from kombu.transport import redis, virtual


class QoS(redis.QoS):
    """Forgets a handled message even if Redis cannot be told."""

    def ack(self, delivery_tag: str) -> None:
        """Redis will deliver it again, and the inbox recognises it."""
        self._settle(delivery_tag, super().ack)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """See `ack`."""
        self._settle(delivery_tag, partial(super().reject, requeue=requeue))

    def _settle(self, delivery_tag: str, settle: Callable[[str], None]) -> None:
        is_closed: bool = self.channel.connection is None  # permanently: a task that ends later cannot be acknowledged
        if is_closed:
            virtual.QoS.ack(self, delivery_tag)
            return
        try:
            settle(delivery_tag)
        except Exception:
            virtual.QoS.ack(self, delivery_tag)
            raise


class Channel(redis.Channel):
    """Channels that use this QoS, and one client for all their commands: to make one takes longer than a command."""

    QoS = QoS
    _shared: Any = None

    def _create_client(self, asynchronous: bool = False) -> Any:
        if asynchronous:
            return super()._create_client(asynchronous=True)  # type: ignore[misc]  # unknown to the stubs
        if self._shared is None or self._shared.connection_pool is not self.pool:
            self._shared = super()._create_client()  # type: ignore[misc]
        return self._shared


class Transport(redis.Transport):
    """The transport for `redis://` in `BROKER_URL`."""

    Channel = Channel
