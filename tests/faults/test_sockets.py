"""The sockets process is killed: clients reconnect with their last id, and get each notification exactly once."""

import json
import threading
import time
from functools import partial

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.faults.installation import Installation
from tests.faults.sizes import SETTLE_SECONDS, size
from tests.scenarios.product import Member, eventually

KILLS = size(3, 10)
RECEIVED_SECONDS = 10


class Listener:
    """A client that always reconnects, and records every notification that it receives."""

    def __init__(self, url: str, member: Member) -> None:
        self.ids: list[int] = []
        self.connections = 0
        self._url, self._member = url, member
        self._last: int | None = None
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ending.set()
        self._thread.join(20)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                with connect(self._url, subprotocols=["bearer", self._member.access], open_timeout=20) as connection:  # type: ignore[list-item]
                    self._listen(connection)
            except (OSError, ConnectionClosed, TimeoutError, EOFError):
                time.sleep(0.1)

    def _listen(self, connection: object) -> None:
        while not self._ending.is_set():
            try:
                message = json.loads(connection.recv(timeout=0.3))  # type: ignore[attr-defined]
            except TimeoutError:
                continue
            if message["type"] == "ready":
                self.connections += 1
                if self._last is None:
                    self._last = int(message["cursor"] or 0)
                connection.send(json.dumps({"type": "resume", "after": str(self._last)}))  # type: ignore[attr-defined]
            elif message["type"] == "notification":
                self.ids.append(int(message["notification"]["id"]))
                self._last = max(self._last or 0, self.ids[-1])


def _notified(installation: Installation, member: Member) -> list[int]:
    rows = installation.database.sql(
        "SELECT id FROM faults_notifications.notifications WHERE user_id = %s AND kind = 'new_post' ORDER BY id",
        int(member.id),
    )
    return [row[0] for row in rows]


def _have_connected(listeners: list[Listener], times: int) -> bool:
    return all(listener.connections >= times for listener in listeners)


def test_sockets_killed_repeatedly_deliver_each_notification_once(installation: Installation) -> None:
    installation.kill("worker")
    installation.start("worker", WORKER_CONCURRENCY="1")  # with more, resuming may miss one that commits late: ADR 8
    ada = installation.join("ada")
    readers = [installation.join(name) for name in ("bob", "eve", "ida")]
    for reader in readers:
        reader.follow(ada)
    eventually(installation.settled, seconds=SETTLE_SECONDS)
    installation.start("sockets")
    url = f"ws://127.0.0.1:{installation.ports['sockets']}/ws/notifications/"
    listeners = [Listener(url, reader) for reader in readers]
    for listener in listeners:
        listener.start()
    try:
        eventually(lambda: all(listener.connections for listener in listeners), seconds=SETTLE_SECONDS)
        posts = []
        for kills in range(1, KILLS + 1):
            posts += installation.write([ada], 20)
            installation.kill("sockets")
            posts += installation.write([ada], 10)
            installation.start("sockets")
            back = partial(_have_connected, listeners, kills + 1)
            eventually(back, seconds=SETTLE_SECONDS)
        eventually(
            lambda: all(len(_notified(installation, reader)) == len(posts) for reader in readers),
            seconds=SETTLE_SECONDS,
        )
        installation.within(
            RECEIVED_SECONDS,
            lambda: all(
                set(listener.ids) == set(_notified(installation, reader))
                for listener, reader in zip(listeners, readers, strict=True)
            ),
            f"everything received after {KILLS} kills of the socket server",
        )
        time.sleep(1)  # for possible duplicates
    finally:
        for listener in listeners:
            listener.stop()
    for listener, reader in zip(listeners, readers, strict=True):
        assert sorted(listener.ids) == _notified(installation, reader), "nothing missed and nothing twice"
        assert listener.connections >= KILLS + 1
    installation.kill("sockets")
    installation.assert_all_agree(posts, [ada, *readers])
