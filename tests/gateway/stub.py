"""Stub servers instead of the web and sockets roles; they echo requests."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


class _Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        url = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        self.server.seen.append(self.requestline)  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request: dict[str, Any] = {
            "server": self.server.name,  # type: ignore[attr-defined]
            "method": self.command,
            "path": url.path,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "received": len(body),
            "padding": "x" * int(asked.get("size", 0)),
        }
        if "hang_up" in self.server.name:  # type: ignore[attr-defined]
            self.close_connection = True
            return
        time.sleep(float(asked.get("seconds", 0)))
        content = json.dumps(request).encode()
        self.send_response(int(asked.get("status", 200)))
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("X-Request-ID", "of the application")
        if "accel" in asked:
            self.send_header("X-Accel-Redirect", asked["accel"])
            self.send_header("Cache-Control", "public, max-age=31536000, immutable")
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815  (names that the library looks for)

    def log_message(self, *args: object) -> None:
        pass


class Stub(ThreadingHTTPServer):
    """A stub server called `name`; `seen` has the first lines of its requests.

    One with "hang_up" in its name reads requests and closes the connection, as if it had been killed.
    """

    daemon_threads = True

    def __init__(self, name: str) -> None:
        super().__init__(("127.0.0.1", 0), _Echo)
        self.name = name
        self.seen: list[str] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        """Its host and port."""
        return f"127.0.0.1:{self.server_port}"

    def stop(self) -> None:
        """Stops it."""
        self.shutdown()
        self.server_close()
