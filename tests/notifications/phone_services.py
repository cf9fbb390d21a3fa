"""APNs and FCM on a local port: speak HTTP/2 over TLS, check who sends, and answer as Apple and Google do."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded

from tests.notifications.push_service import server_context

TEAM, KEY_ID, TOPIC, PROJECT = "TEAM123456", "KEY1234567", "example.social", "social-example"


@dataclass
class Answer:
    """An answer of a service."""

    status: int = 200
    body: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class PhoneServices:
    """What both services know; `answers` holds what they say next about a device; then they take the message."""

    certificate: Path
    port: int = 0
    connections: int = 0
    grants: int = 0
    granted: str = ""
    transports: set[asyncio.Transport] = field(default_factory=set)
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    received: list[tuple[str, dict[str, str], dict[str, Any]]] = field(default_factory=list)
    apple_key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    google_key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))

    @property
    def url(self) -> str:
        """Where they are."""
        return f"https://localhost:{self.port}"

    def pem(self, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
        """A key as the operator has it."""
        return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """The answer to one request."""
        if path == "/token":
            return self._grant(body)
        if path.startswith("/3/device/"):
            return self._apple(path.removeprefix("/3/device/"), headers, body)
        if path == f"/v1/projects/{PROJECT}/messages:send":
            return self._google(headers, body)
        return Answer(404)

    def _apple(self, token: str, headers: dict[str, str], body: bytes) -> Answer:
        scheme, _, provider_token = headers["authorization"].partition(" ")
        claims = jwt.decode(provider_token, self.apple_key.public_key(), algorithms=["ES256"])
        is_known = claims["iss"] == TEAM and jwt.get_unverified_header(provider_token)["kid"] == KEY_ID
        if scheme != "bearer" or not is_known or abs(claims["iat"] - time.time()) > 3600:
            return Answer(403, {"reason": "InvalidProviderToken"})
        if headers["apns-topic"] != TOPIC:
            return Answer(400, {"reason": "TopicDisallowed"})
        if len(body) > 4096:
            return Answer(413, {"reason": "PayloadTooLarge"})
        if len(headers.get("apns-collapse-id", "")) > 64:
            return Answer(400, {"reason": "BadCollapseId"})
        return self._taken(token, headers, json.loads(body))

    def _google(self, headers: dict[str, str], body: bytes) -> Answer:
        if not self.granted or headers["authorization"] != f"Bearer {self.granted}":
            return Answer(401, {"error": {"code": 401, "status": "UNAUTHENTICATED"}})
        message = json.loads(body)["message"]
        if len(body) > 4096:
            return Answer(400, {"error": {"code": 400, "status": "INVALID_ARGUMENT"}})
        return self._taken(message["token"], headers, message)

    def _grant(self, body: bytes) -> Answer:
        sent = parse_qs(body.decode())
        assert sent["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
        key = self.google_key.public_key()
        claims = jwt.decode(sent["assertion"][0], key, algorithms=["RS256"], audience=f"{self.url}/token")
        assert claims["scope"] == "https://www.googleapis.com/auth/firebase.messaging"
        self.grants += 1
        self.granted = f"access-{self.grants}"
        return Answer(200, {"access_token": self.granted, "expires_in": 3599, "token_type": "Bearer"})

    async def close_connections(self) -> None:
        """Cuts what clients have left open: a transport that outlives its loop is a ResourceWarning in a later test."""
        for transport in tuple(self.transports):
            transport.abort()
        while self.transports:
            await asyncio.sleep(0)

    def _taken(self, token: str, headers: dict[str, str], message: dict[str, Any]) -> Answer:
        self.received.append((token, headers, message))
        waiting = self.answers.get(token)
        return waiting.pop(0) if waiting else Answer()


class _Connection(asyncio.Protocol):
    def __init__(self, services: PhoneServices) -> None:
        self._services = services
        self._h2 = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self._requests: dict[int, tuple[dict[str, str], bytearray]] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greets."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._services.connections += 1
        self._services.transports.add(transport)
        self._h2.initiate_connection()
        transport.write(self._h2.data_to_send())

    def connection_lost(self, exc: Exception | None) -> None:
        """Forgets the connection."""
        self._services.transports.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        """Answers each request at its end."""
        for event in self._h2.receive_data(data):
            match event:
                case RequestReceived(stream_id=int(stream), headers=headers):
                    self._requests[stream] = ({str(k): str(v) for k, v in headers or ()}, bytearray())
                case DataReceived(stream_id=int(stream), data=bytes(part), flow_controlled_length=int(length)):
                    self._requests[stream][1].extend(part)
                    self._h2.acknowledge_received_data(length, stream)
                case StreamEnded(stream_id=int(stream)):
                    self._answer(stream)
        self._transport.write(self._h2.data_to_send())

    def _answer(self, stream: int) -> None:
        headers, body = self._requests.pop(stream)
        answer = self._services.answer(headers[":path"], headers, bytes(body))
        self._h2.send_headers(stream, [(":status", str(answer.status)), *answer.headers.items()])
        self._h2.send_data(stream, json.dumps(answer.body).encode(), end_stream=True)


@contextmanager
def serving_phones(folder: Path) -> Iterator[PhoneServices]:
    """Both services, running."""
    services = PhoneServices(folder / "phones.pem")
    context = server_context(services.certificate)
    context.set_alpn_protocols(["h2"])
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(loop.create_server(lambda: _Connection(services), "127.0.0.1", 0, ssl=context))
    services.port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield services
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(60)
        server.close()
        loop.run_until_complete(services.close_connections())
        loop.close()
