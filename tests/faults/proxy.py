"""A small TCP proxy between the product and a server, through which a test cuts, slows and holds connections."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

_CHUNK = 65_536


class Proxy:
    """Passes bytes on both ways. `on_request` and `on_answer` see each chunk first; False holds that chunk for good."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.on_request: Callable[[bytes], bool] = lambda _: True
        self.on_answer: Callable[[bytes], bool] = lambda _: True
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        """Ends it with all its connections."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for thread in list(self._threads):
            thread.join(10)
            assert not thread.is_alive(), "the proxy does not end"

    def cut(self) -> None:
        """Cuts the connections that are open now; new ones are taken."""
        with self._lock:
            for end in self._open:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._target), timeout=5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            with self._lock:
                self._open |= {client, server}
            pair = threading.Thread(target=self._serve, args=(client, server), daemon=True)
            self._threads.append(pair)
            pair.start()

    def _serve(self, client: socket.socket, server: socket.socket) -> None:
        back = threading.Thread(target=self._pump, args=(server, client, self._passes_answer), daemon=True)
        back.start()
        self._pump(client, server, self._passes_request)
        back.join()
        with self._lock:
            self._open -= {client, server}
        client.close()
        server.close()

    def _passes_request(self, data: bytes) -> bool:
        return self.on_request(data)  # looked up each time: a test may exchange it

    def _passes_answer(self, data: bytes) -> bool:
        return self.on_answer(data)

    def _pump(self, source: socket.socket, target: socket.socket, passes: Callable[[bytes], bool]) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(_CHUNK):
                if passes(data):
                    target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def proxy_to(port: int) -> Iterator[Proxy]:
    """A proxy to a port of this machine."""
    proxy = Proxy(port)
    try:
        yield proxy
    finally:
        proxy.close()
