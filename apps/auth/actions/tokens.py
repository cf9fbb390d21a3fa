"""Makes the tokens that clients hold: signed access tokens, and refresh tokens that count once.

Sources: RFC 8725 (JWT best current practices), RFC 9700 section 4.14 (rotation of refresh tokens).
"""

import base64
import hashlib
import secrets
import time
from functools import cache

import jwt
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.conf import settings
from django.core.signing import BadSignature, Signer

from socialapp.core.ids import MAX_ID
from socialapp.http.tokens import ALGORITHM, key_id

_NONCE_BYTES = 24
_MAX_REFRESH = 200


@cache
def _private_key() -> RSAPrivateKey:
    key = load_pem_private_key(settings.JWT_PRIVATE_KEY.encode(), password=None)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError("JWT_PRIVATE_KEY must be an RSA key")
    return key


@cache
def _key_id() -> str:
    return key_id(_private_key().public_key())


def access_token(*, user_id: int, session_id: int, roles: list[str]) -> str:
    """A signed access token, good for `ACCESS_TOKEN_SECONDS`."""
    now = int(time.time())
    claims = {
        "iss": settings.JWT_ISSUER,
        "aud": settings.JWT_AUDIENCE,
        "sub": str(user_id),
        "sid": str(session_id),
        "roles": roles,
        "iat": now,
        "exp": now + settings.ACCESS_TOKEN_SECONDS,
        "jti": secrets.token_hex(16),
        "token_type": "access",
    }
    return jwt.encode(claims, _private_key(), algorithm=ALGORITHM, headers={"kid": _key_id()})


def new_refresh_token(session_id: int) -> str:
    """A refresh token of a session: random, and signed so that a spent one is told from an invented one."""
    return _signer().sign(f"{session_id}.{secrets.token_urlsafe(_NONCE_BYTES)}")


def session_of_refresh_token(token: str) -> int | None:
    """The session that a refresh token of ours belongs to, spent or not; None when it was never ours."""
    if len(token) > _MAX_REFRESH:
        return None
    try:
        session_id = int(_signer().unsign(token).partition(".")[0])
    except (BadSignature, ValueError):
        return None
    return session_id if session_id <= MAX_ID else None


def digest(token: str) -> str:
    """What is kept of a refresh token. It is random enough to need no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


def cipher(purpose: str) -> Fernet:
    """A cipher under a key of its own for each purpose, derived from SECRET_KEY."""
    derive = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"socialapp {purpose}".encode())
    return Fernet(base64.urlsafe_b64encode(derive.derive(settings.SECRET_KEY.encode())))


def _signer() -> Signer:
    return Signer(salt="socialapp.auth.refresh", sep="~")
