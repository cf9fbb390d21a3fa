"""Redis as broker: kombu's transport with a fix for workers that stop consuming after Redis was unavailable.

A message that cannot be acknowledged, because Redis is down, counts as unacknowledged in kombu for ever. When the
prefetch limit is reached that way, kombu asks Redis for nothing any more and does not notice that it is back.
Reported as https://github.com/celery/celery/issues/8030 and https://github.com/celery/celery/issues/8384; kombu 5.7
still behaves so. Nor does kombu expect a message to be acknowledged on a channel that has been closed meanwhile: its
AttributeError ends the worker. To be removed when tests/faults/test_broker.py passes without it.
"""

from collections.abc import Callable
from functools import partial

from kombu.transport import redis, virtual


class QoS(redis.QoS):
    """Forgets a message that was handled even when Redis cannot be informed."""

    def ack(self, delivery_tag: str) -> None:
        """Redis will deliver it again; the inbox recognises it."""
        self._settle(delivery_tag, super().ack)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """See `ack`."""
        self._settle(delivery_tag, partial(super().reject, requeue=requeue))

    def _settle(self, delivery_tag: str, settle: Callable[[str], None]) -> None:
        is_closed: bool = self.channel.connection is None  # for good: a task that ends later cannot be acknowledged
        if is_closed:
            virtual.QoS.ack(self, delivery_tag)
            return
        try:
            settle(delivery_tag)
        except Exception:
            virtual.QoS.ack(self, delivery_tag)
            raise


class Channel(redis.Channel):
    """Channels that use it."""

    QoS = QoS


class Transport(redis.Transport):
    """The transport for `redis://` in `BROKER_URL`."""

    Channel = Channel
