"""Many sockets on one process: memory, time from a POST to the sockets, and cost of a delivery."""

import asyncio
import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import psutil
import redis
from websockets.asyncio.client import ClientConnection, connect

from tests.bench.accounting import proportional_memory
from tests.bench.bench_setup import BenchSetup
from tests.bench.delivery_server import CHANNEL, STOCK, layer_settings
from tests.bench.effects import socket_latency
from tests.scenarios.product import eventually, free_port

_AT_ONCE = 50  # concurrent handshakes
_FIRST_ID = 900_000_000_000_000_000  # of users that exist only in their tokens
_DELIVERY_SOCKETS = 500
_MESSAGES, _A_SECOND = 40, 10
_BODY = {
    "kind": "new_post",
    "message": "Somebody posted.",
    "actors": [{"id": "1", "username": "ann"}],
    "is_read": False,
}
MODES = ("raw", "hub", "layer", *STOCK)


def tokens(setup: BenchSetup, number: int) -> list[str]:
    """Access tokens of the given number of users, who need not exist."""
    code = (
        "from apps.auth.actions.tokens import access_token\n"
        f"for one in range({number}): print('token', access_token(user_id={_FIRST_ID} + one, session_id=1, roles=[]))"
    )
    lines = setup.manage("shell", "-c", code).splitlines()
    return [line.split()[1] for line in lines if line.startswith("token ")]


class Holder:
    """Keeps sockets open in a thread with its own event loop, and counts received messages."""

    def __init__(self, url: str, origin: str) -> None:
        self.received = 0
        self._url, self._origin = url, origin
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._connections: list[ClientConnection] = []
        self._readers: list[asyncio.Task[None]] = []

    def open(self, access: list[str]) -> None:
        """Opens one socket for each token."""
        asyncio.run_coroutine_threadsafe(self._open(access), self._loop).result()

    def close(self) -> None:
        """Closes all of them."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def _open(self, access: list[str]) -> None:
        free = asyncio.Semaphore(_AT_ONCE)

        async def one(token: str) -> None:
            async with free:
                options: Any = {"subprotocols": ["bearer", token], "origin": self._origin, "compression": None}
                connection = await connect(self._url, open_timeout=60, ping_interval=None, proxy=None, **options)
                self._connections.append(connection)
                self._readers.append(asyncio.create_task(self._read(connection)))

        await asyncio.gather(*map(one, access))

    async def _read(self, connection: ClientConnection) -> None:
        async for _ in connection:
            self.received += 1

    async def _close(self) -> None:
        for connection in self._connections:
            connection.transport.abort()
        await asyncio.gather(*self._readers, return_exceptions=True)


@contextlib.contextmanager
def holding(port: int, origin: str, access: list[str]) -> Iterator[Holder]:
    """Open sockets."""
    holder = Holder(f"ws://127.0.0.1:{port}/ws/notifications/", origin)
    holder.open(access)
    try:
        yield holder
    finally:
        holder.close()


def many_sockets(setup: BenchSetup, *, number: int, rates: Sequence[int], seconds: float) -> dict[str, Any]:
    """Memory of the given number of open sockets, and the time from a POST to a follower's socket among them."""
    access = tokens(setup, number)
    before = proportional_memory([setup.processes["sockets"]])
    with holding(setup.ports["sockets"], f"http://127.0.0.1:{setup.ports['gateway']}", access) as holder:
        eventually(lambda: holder.received >= number, seconds=120)  # each has received `ready`
        held = proportional_memory([setup.processes["sockets"]])
        latencies = [socket_latency(setup, rate=rate, seconds=seconds) for rate in rates]
    return {"sockets": number, "kib_a_socket": round((held - before) * 1024 / number, 1), "latencies": latencies}


def deliveries(setup: BenchSetup) -> dict[str, float]:
    """The server's CPU microseconds per message and socket, in each mode."""
    access = tokens(setup, _DELIVERY_SOCKETS)
    return {mode: _delivery(setup, mode, access) for mode in MODES}


def _delivery(setup: BenchSetup, mode: str, access: list[str]) -> float:
    port, name = free_port(), f"deliveries_{mode}"
    setup.start(name, [sys.executable, "-m", "tests.bench.delivery_server", mode, str(port)])
    eventually(lambda: _listens(port), seconds=60)
    process = setup.processes[name]
    with holding(port, f"http://127.0.0.1:{setup.ports['gateway']}", access) as holder:
        if mode == "hub":
            eventually(lambda: holder.received >= len(access), seconds=120)
        asyncio.run(_publish(setup, mode, 2, access))  # to warm up
        time.sleep(2)
        holder.received = 0
        started = _cpu(process)
        asyncio.run(_publish(setup, mode, _MESSAGES, access))
        eventually(lambda: holder.received >= _MESSAGES * len(access), seconds=120)
        spent = _cpu(process) - started
    setup.stop(name)
    return round(spent * 1e6 / (_MESSAGES * len(access)), 1)


async def _publish(setup: BenchSetup, mode: str, number: int, access: list[str]) -> None:
    """Sends messages in the mode's way, at a steady rate."""
    client = redis.Redis.from_url(os.environ["REDIS_URL"])
    layer: Any = None
    if mode in STOCK:
        from django.utils.module_loading import import_string

        config = layer_settings(mode, os.environ["REDIS_URL"])["default"]
        layer = import_string(config["BACKEND"])(**config["CONFIG"])
    prefix = setup.environment["REDIS_PREFIX"]
    for _ in range(number):
        ids = [(_FIRST_ID + one, time.time_ns() // 1_000_000 << 16 | one) for one in range(len(access))]
        text = msgspec.json.encode(
            {"type": "notification", "notification": {"id": str(ids[0][1]), **_BODY}, "unread": 1}
        )
        if mode == "raw":
            client.publish(CHANNEL, text)
        elif mode == "hub":
            message = {"type": "notifications", "body": _BODY, "recipients": ids}
            client.publish(f"{prefix}group:users", msgspec.json.encode(message))
        elif mode == "layer":
            client.publish(f"{prefix}group:{CHANNEL}", msgspec.json.encode({"type": "notify", "text": text.decode()}))
        else:
            await layer.group_send(CHANNEL, {"type": "notify", "text": text.decode()})
        await asyncio.sleep(1 / _A_SECOND)


def _cpu(process: psutil.Process) -> float:
    spent = process.cpu_times()
    return float(spent.user + spent.system)


def _listens(port: int) -> bool:
    import socket

    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
