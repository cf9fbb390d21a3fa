"""The key pair with which this server signs its Web Push messages. Source: RFC 8292; keys as browsers write them."""

import base64

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_BYTES = 32


def new_private_key() -> str:
    """A new private key: 32 bytes in base64url."""
    number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    return _encoded(number.to_bytes(_BYTES))


def private_key_of(text: str) -> ec.EllipticCurvePrivateKey:
    """The private key that `new_private_key` wrote; ValueError if the text is not one."""
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if len(raw) != _BYTES:
        raise ValueError(f"a VAPID private key is {_BYTES} bytes in base64url")
    return ec.derive_private_key(int.from_bytes(raw), ec.SECP256R1())


def public_key_of(text: str) -> str:
    """The `applicationServerKey` that belongs to a private key: an uncompressed point in base64url."""
    point = private_key_of(text).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return _encoded(point)


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
