"""A small TCP proxy between the product and a server, through which a test cuts, slows down or freezes connections."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

_RECEIVED_BYTES = 65_536


@dataclass(eq=False)
class _Line:
    """One connection: its two ends, and whether bytes pass between them now."""

    client: socket.socket
    server: socket.socket
    passes: threading.Event = field(default_factory=threading.Event)

    def cut(self) -> None:
        """Closes both ends, at once."""
        for end in (self.client, self.server):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self.passes.set()


class Proxy:
    """Forwards bytes both ways. `on_request` and `on_answer` see each chunk first; False drops that chunk.

    A chunk has at most `chunk_bytes` and is delayed by `delay` seconds; a connection carries at most `bytes_per_second`
    each way.
    """

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.on_request: Callable[[bytes], bool] = lambda _: True
        self.on_answer: Callable[[bytes], bool] = lambda _: True
        self.chunk_bytes = _RECEIVED_BYTES
        self.delay = 0.0
        self.bytes_per_second = float("inf")
        self._lines: set[_Line] = set()
        self._forgotten: set[_Line] = set()
        self._lock = threading.Lock()
        self._takes_new = threading.Event()
        self._takes_new.set()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        """Closes it and all its connections."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._takes_new.set()
        with self._lock:
            self._lines |= self._forgotten
        self.cut()
        for thread in list(self._threads):
            thread.join(10)
            assert not thread.is_alive(), "the proxy does not stop"

    def cut(self) -> None:
        """Cuts the open connections, which both ends notice; new ones are accepted."""
        with self._lock:
            for line in self._lines:
                line.cut()

    @contextlib.contextmanager
    def dead(self, *, forgets: bool) -> Iterator[None]:
        """Nothing passes and neither end notices, as when packets are dropped; new connections get no response.

        Afterwards the held bytes arrive, late. A network that forgets connections, such as a restarted firewall,
        accepts only new ones: older ones stay open at both ends, and dead.
        """
        with self._lock:
            self._takes_new.clear()
            for line in self._lines:
                line.passes.clear()
            if forgets:
                self._forgotten |= self._lines
                self._lines.clear()
        try:
            yield
        finally:
            with self._lock:
                self._takes_new.set()
                for line in self._lines:
                    line.passes.set()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            pair = threading.Thread(target=self._serve, args=(client,), daemon=True)
            self._threads.append(pair)
            pair.start()

    def _serve(self, client: socket.socket) -> None:
        self._takes_new.wait()
        try:
            server = socket.create_connection(("127.0.0.1", self._target), timeout=5)
        except OSError:
            client.close()
            return
        server.settimeout(None)
        line = _Line(client, server)
        with self._lock:
            self._lines.add(line)
            if self._takes_new.is_set():
                line.passes.set()
        back = threading.Thread(target=self._pump, args=(line, server, client, self._passes_answer), daemon=True)
        back.start()
        self._pump(line, client, server, self._passes_request)
        back.join()
        with self._lock:
            self._lines.discard(line)
        client.close()
        server.close()

    def _passes_request(self, data: bytes) -> bool:
        return self.on_request(data)  # looked up each time: a test may replace it

    def _passes_answer(self, data: bytes) -> bool:
        return self.on_answer(data)

    def _pump(self, line: _Line, source: socket.socket, target: socket.socket, passes: Callable[[bytes], bool]) -> None:
        with contextlib.suppress(OSError):
            while received := source.recv(_RECEIVED_BYTES):
                for start in range(0, len(received), self.chunk_bytes):
                    data = received[start : start + self.chunk_bytes]
                    time.sleep(self.delay + len(data) / self.bytes_per_second)
                    line.passes.wait()
                    if passes(data):
                        target.sendall(data)
        line.passes.wait()
        line.cut()


@contextlib.contextmanager
def proxy_to(port: int) -> Iterator[Proxy]:
    """A proxy to a port on this machine."""
    proxy = Proxy(port)
    try:
        yield proxy
    finally:
        proxy.close()
