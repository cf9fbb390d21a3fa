"""A software authenticator: creates passkeys and signs with them, as a phone or a security key does.

Uses only `cryptography`: the existing packages need an old fido2. Source: Web Authentication level 3.
"""

import base64
import hashlib
import json
import os
import struct
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

_PRESENT_VERIFIED, _ATTESTED = 0x05, 0x40


def encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _cbor(value: Any) -> bytes:
    if isinstance(value, int):
        return _head(0, value) if value >= 0 else _head(1, -1 - value)
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        return _head(3, len(value.encode())) + value.encode()
    return _head(5, len(value)) + b"".join(_cbor(key) + _cbor(inner) for key, inner in value.items())


def _head(kind: int, number: int) -> bytes:
    if number < 24:
        return bytes([kind << 5 | number])
    if number < 256:
        return bytes([kind << 5 | 24, number])
    return bytes([kind << 5 | 25]) + struct.pack(">H", number)


class Authenticator:
    """Stores passkeys and counts their uses; `origin` is that of the browser's page."""

    def __init__(self, origin: str) -> None:
        self.origin, self.count, self.counts_up = origin, 0, True
        self.keys: dict[bytes, tuple[ec.EllipticCurvePrivateKey, str, str]] = {}

    def create(self, options: dict[str, Any], *, algorithm: int = -7, attested: bool = True) -> dict[str, Any]:
        """A new passkey for `options`, as `PublicKeyCredential.toJSON` writes it.

        `algorithm` is what it claims to sign with; without `attested` it lacks the key.
        """
        key, credential_id, rp = ec.generate_private_key(ec.SECP256R1()), os.urandom(32), options["rp"]["id"]
        self.keys[credential_id] = (key, rp, options["user"]["id"])
        point = key.public_key().public_numbers()
        public = _cbor({1: 2, 3: algorithm, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")})
        own = bytes(16) + struct.pack(">H", len(credential_id)) + credential_id + public
        data = self._data(rp, _PRESENT_VERIFIED | _ATTESTED) + own if attested else self._data(rp, _PRESENT_VERIFIED)
        attestation = _cbor({"fmt": "none", "attStmt": {}, "authData": data})
        return {
            "id": encode(credential_id),
            "rawId": encode(credential_id),
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {"credProps": {"rk": True}},
            "response": {
                "clientDataJSON": encode(self._client_data("create", options["challenge"])),
                "attestationObject": encode(attestation),
                "transports": ["internal"],
            },
        }

    def get(self, options: dict[str, Any]) -> dict[str, Any]:
        """The response of the first passkey for the relying party in `options`."""
        credential_id, (key, rp, user) = next(item for item in self.keys.items() if item[1][1] == options["rpId"])
        self.count += self.counts_up
        data, client_data = self._data(rp, _PRESENT_VERIFIED), self._client_data("get", options["challenge"])
        signature = key.sign(data + hashlib.sha256(client_data).digest(), ec.ECDSA(hashes.SHA256()))
        return {
            "id": encode(credential_id),
            "rawId": encode(credential_id),
            "type": "public-key",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": encode(client_data),
                "authenticatorData": encode(data),
                "signature": encode(signature),
                "userHandle": user,
            },
        }

    def _data(self, rp: str, flags: int) -> bytes:
        return hashlib.sha256(rp.encode()).digest() + bytes([flags]) + struct.pack(">I", self.count)

    def _client_data(self, kind: str, challenge: str) -> bytes:
        content = {"type": f"webauthn.{kind}", "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(content).encode()
