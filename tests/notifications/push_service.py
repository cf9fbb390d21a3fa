"""A push service on a local port: checks VAPID, decrypts what it gets, and answers as real ones do."""

import asyncio
import base64
import datetime
import ipaddress
import os
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import http_ece
import jwt
import orjson
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _raw(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Browser:
    """One browser's subscription, and what the service has delivered to it."""

    name: str
    endpoint: str
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    auth: bytes = field(default_factory=lambda: os.urandom(16))
    status: int = 201
    headers: dict[str, str] = field(default_factory=dict)
    hangs: bool = False
    asked: int = 0
    received: list[dict[str, Any]] = field(default_factory=list)

    @property
    def keys(self) -> dict[str, str]:
        """What the browser gives its web page."""
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return {"p256dh": _b64(point), "auth": _b64(self.auth)}


class PushService:
    """Serves until `stop()`; `browser()` makes a subscription."""

    def __init__(self, folder: Path) -> None:
        self.browsers: dict[str, Browser] = {}
        self.certificate = folder / "push.pem"
        self._context = server_context(self.certificate)
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        assert self._ready.wait(60)

    @property
    def host(self) -> str:
        """Name and port."""
        return f"localhost:{self.port}"

    def browser(self, **answers: Any) -> Browser:
        """A new browser, and how the service answers for it."""
        name = str(len(self.browsers))
        made = Browser(name, f"https://{self.host}/push/{name}", **answers)
        self.browsers[name] = made
        return made

    def stop(self) -> None:
        """Ends the thread."""
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(60)
        assert not self._thread.is_alive()

    def _serve(self) -> None:
        self._loop.run_until_complete(self._run())
        self._loop.close()

    async def _run(self) -> None:
        self._stopping = asyncio.Event()
        app = web.Application()
        app.router.add_post("/push/{name}", self._push)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=self._context)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        self._ready.set()
        await self._stopping.wait()
        # A transport that outlives its loop is a ResourceWarning in a later test, and TLS ones close slowly.
        open_ones = [connection.transport for connection in runner.server.connections if connection.transport]  # type: ignore[union-attr]
        await runner.cleanup()
        for transport in open_ones:
            transport.abort()
        await asyncio.sleep(0.05)

    async def _push(self, request: web.Request) -> web.Response:
        browser = self.browsers[request.match_info["name"]]
        browser.asked += 1
        if browser.hangs:
            await self._stopping.wait()
        if browser.status != 201:
            return web.Response(status=browser.status, headers=browser.headers)
        if not self._is_signed(request.headers.get("Authorization", "")):
            return web.Response(status=403)
        if not request.headers.get("TTL", "").isdigit() or request.headers.get("Content-Encoding") != "aes128gcm":
            return web.Response(status=400)
        body = await request.read()
        if len(body) > 4096:
            return web.Response(status=413)
        clear = http_ece.decrypt(body, private_key=browser.key, auth_secret=browser.auth, version="aes128gcm")
        sent = {name: request.headers.get(name) for name in ("TTL", "Topic", "Urgency")}
        browser.received.append({**orjson.loads(clear), "headers": sent, "bytes": len(clear)})
        return web.Response(status=201)

    def _is_signed(self, header: str) -> bool:
        """As RFC 8292 asks: our audience, not too long, a contact."""
        scheme, _, rest = header.partition(" ")
        parts = dict(part.strip().split("=", 1) for part in rest.split(","))
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _raw(parts["k"]))
        claims = jwt.decode(parts["t"], key, algorithms=["ES256"], audience=f"https://{self.host}")
        return scheme == "vapid" and claims["exp"] <= time.time() + 86_400 and claims["sub"].startswith("mailto:")


def server_context(path: Path) -> ssl.SSLContext:
    """A server's context, with a certificate for localhost written to `path`."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(certificate.public_bytes(Encoding.PEM) + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


@contextmanager
def serving_pushes(folder: Path) -> Iterator[PushService]:
    """A running push service."""
    service = PushService(folder)
    try:
        yield service
    finally:
        service.stop()
