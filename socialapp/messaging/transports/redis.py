"""Redis as broker: kombu's transport, with a mistake mended that has workers stop for good when Redis went away.

A message that cannot be acknowledged, because Redis is away, is counted by kombu as being in hand for ever. Once that
many are in hand that no more may be fetched, nothing is asked of Redis any more, and so nobody notices that it is back.
"""

from kombu.transport import redis, virtual


class QoS(redis.QoS):
    """What a worker has in hand: also without Redis' knowing, what is done is done."""

    def ack(self, delivery_tag: str) -> None:
        """Redis delivers again what it does not know to be done; the inbox knows."""
        try:
            super().ack(delivery_tag)
        except Exception:
            virtual.QoS.ack(self, delivery_tag)
            raise

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """See `ack`."""
        try:
            super().reject(delivery_tag, requeue=requeue)
        except Exception:
            virtual.QoS.ack(self, delivery_tag)
            raise


class Channel(redis.Channel):
    """Channels whose messages are counted so."""

    QoS = QoS


class Transport(redis.Transport):
    """What stands for `redis://` in `BROKER_URL`."""

    Channel = Channel
