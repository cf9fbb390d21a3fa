"""Encryption of stored data, with a separate key for each purpose, derived from SECRET_KEY."""

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


def cipher(purpose: str, *, secret: str | None = None) -> Fernet:
    """A cipher for one purpose; with `secret`, decryption needs that as well."""
    derive = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"socialapp {purpose}".encode())
    key_material = settings.SECRET_KEY if secret is None else f"{settings.SECRET_KEY}\n{secret}"
    return Fernet(base64.urlsafe_b64encode(derive.derive(key_material.encode())))


def keyed_digest(text: str, *, purpose: str) -> str:
    """A digest that cannot be guessed without SECRET_KEY: 64 hexadecimal digits."""
    return hmac.new(f"{settings.SECRET_KEY} {purpose}".encode(), text.encode(), hashlib.sha256).hexdigest()
