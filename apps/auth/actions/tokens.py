"""Issues the tokens that clients hold: signed access tokens, and refresh tokens that are valid once.

Sources: RFC 8725 (JWT best current practices), RFC 9068 (JWT access tokens), RFC 9700 section 4.14 (rotation of
refresh tokens).
"""

import hashlib
import secrets
from datetime import timedelta
from typing import Any

import jwt
from django.conf import settings
from django.core.signing import BadSignature, Signer
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError
from rest_framework_simplejwt.tokens import Token

from apps.auth.actions.keys import signing_key, verification_keys
from socialapp.core.ids import MAX_ID
from socialapp.http.tokens import ACCESS_TOKEN_TYPE, ALGORITHM

_NONCE_BYTES = 24
_MAX_REFRESH = 200


class KeyedBackend(TokenBackend):  # type: ignore[misc]
    """Signs with the current key and sets its `kid`: simplejwt's own backend knows only one key and sets none."""

    def encode(self, payload: dict[str, Any]) -> str:
        """A token signed with the current key; `typ` distinguishes it from other tokens (RFC 8725 3.11)."""
        kid, key = signing_key()
        claims = {**payload, "aud": self.audience, "iss": self.issuer}
        return jwt.encode(claims, key, algorithm=ALGORITHM, headers={"kid": kid, "typ": ACCESS_TOKEN_TYPE})

    def get_verifying_key(self, token: str) -> Any:
        """The key that the token names; TokenBackendError if the key is unknown or the token has another type."""
        try:
            header = jwt.get_unverified_header(token)
        except jwt.InvalidTokenError:
            raise TokenBackendError("this is no token") from None
        key = verification_keys().get(str(header.get("kid")))
        if key is None or header.get("typ") != ACCESS_TOKEN_TYPE:
            raise TokenBackendError("this is no access token of ours")
        return key


class AccessToken(Token):  # type: ignore[misc]
    """simplejwt's token with the claims that the other contexts read: user, session and roles."""

    token_type = "access"  # noqa: S105 (a kind of token)

    def __init__(self, token: Token | None = None, verify: bool = True) -> None:
        self.lifetime = timedelta(seconds=settings.ACCESS_TOKEN_SECONDS)
        super().__init__(token, verify)

    @property
    def token_backend(self) -> TokenBackend:
        """Our backend, with the current settings."""
        return KeyedBackend(ALGORITHM, signing_key="", audience=settings.JWT_AUDIENCE, issuer=settings.JWT_ISSUER)

    def get_token_backend(self) -> TokenBackend:
        """Our backend, under the name that simplejwt uses."""
        return self.token_backend


def access_token(*, user_id: int, session_id: int, roles: list[str]) -> str:
    """A signed access token, valid for `ACCESS_TOKEN_SECONDS`."""
    token = AccessToken()
    token["sub"] = str(user_id)
    token["sid"] = str(session_id)
    token["roles"] = roles
    return str(token)


def new_refresh_token(session_id: int) -> str:
    """A refresh token of a session: random, and signed, so that spent tokens can be told from invented ones."""
    return _signer().sign(f"{session_id}.{secrets.token_urlsafe(_NONCE_BYTES)}")


def session_of_refresh_token(token: str) -> int | None:
    """The session of a refresh token, spent or not; None if we never issued it."""
    if len(token) > _MAX_REFRESH:
        return None
    try:
        session_id = int(_signer().unsign(token).partition(".")[0])
    except (BadSignature, ValueError):
        return None
    return session_id if session_id <= MAX_ID else None


def digest(token: str) -> str:
    """The stored digest of a refresh token. The token is random enough that a fast hash suffices."""
    return hashlib.sha256(token.encode()).hexdigest()


def _signer() -> Signer:
    return Signer(salt="socialapp.auth.refresh", sep="~")
