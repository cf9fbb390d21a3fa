"""Redis as broker: kombu's transport with a fix for workers that stop consuming after Redis was away.

A message that cannot be acknowledged, because Redis is away, counts as unacknowledged in kombu for ever. When the
prefetch limit is reached that way, kombu asks Redis for nothing any more and does not notice that it is back.
Reported as https://github.com/celery/celery/issues/8030 and https://github.com/celery/celery/issues/8384; kombu 5.7
still behaves so. Nor does kombu expect a message to be acknowledged on a channel that has been closed meanwhile: its
AttributeError ends the worker. To be removed when tests/faults/test_broker.py passes without it.
"""

from kombu.transport import redis, virtual


class QoS(redis.QoS):
    """Forgets a message that was handled even when Redis cannot be told."""

    def ack(self, delivery_tag: str) -> None:
        """Redis will deliver it again; the inbox recognises it."""
        if self._is_closed():
            virtual.QoS.ack(self, delivery_tag)
            return
        try:
            super().ack(delivery_tag)
        except Exception:
            virtual.QoS.ack(self, delivery_tag)
            raise

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """See `ack`."""
        if self._is_closed():
            virtual.QoS.ack(self, delivery_tag)
            return
        try:
            super().reject(delivery_tag, requeue=requeue)
        except Exception:
            virtual.QoS.ack(self, delivery_tag)
            raise

    def _is_closed(self) -> bool:
        """Whether the channel has lost its connection for good: a task that ends later has nobody to tell."""
        return self.channel.connection is None


class Channel(redis.Channel):
    """Channels that use it."""

    QoS = QoS


class Transport(redis.Transport):
    """The transport for `redis://` in `BROKER_URL`."""

    Channel = Channel
