"""Redis as broker: kombu's transport, without its acknowledgements.

kombu copies each message that it takes into a hash in Redis, where it stays until it is acknowledged, and puts back
what stays there for long. That takes as much time as to send it, and this bus does not need it: the reconciler and the
periodic tasks make up for what a killed worker had taken. kombu also counts a message as unacknowledged forever if
Redis is down when it is handled, until the prefetch limit is reached and the worker asks for no more:
https://github.com/celery/celery/issues/8030 and https://github.com/celery/celery/issues/8384.
"""

from contextlib import suppress
from typing import Any

from kombu.transport import redis, virtual


class QoS(virtual.QoS):
    """Remembers in this process what it has taken and not handled, and puts that back when it ends."""

    channel: Any  # unknown to the stubs, like others below
    _delivered: Any

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """Forgets the message even if it cannot be put back."""
        try:
            super().reject(delivery_tag, requeue=requeue and self._is_open)
        finally:
            self.ack(delivery_tag)

    def restore_unacked(self) -> None:
        """Puts back messages as long as Redis accepts them; kombu writes the others, with all data, into a file."""
        with suppress(*self.channel.connection_errors):
            for message in self._delivered.values() if self._is_open else ():
                self.channel._restore(message)
        self._delivered.clear()

    @property
    def _is_open(self) -> bool:
        return self.channel.connection is not None  # otherwise permanently closed


class Channel(redis.Channel):
    """Channels with this QoS, and one client for all their commands: to make one takes longer than a command."""

    ack_emulation = False
    QoS: Any
    _shared: Any = None

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.QoS = QoS  # kombu has chosen its own

    def _create_client(self, asynchronous: bool = False) -> Any:
        if asynchronous:
            return super()._create_client(asynchronous=True)  # type: ignore[misc]
        if self._shared is None or self._shared.connection_pool is not self.pool:
            self._shared = super()._create_client()  # type: ignore[misc]
        return self._shared


class Transport(redis.Transport):
    """The transport for `redis://` in `BROKER_URL`."""

    Channel = Channel
