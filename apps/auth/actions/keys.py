"""Keys that sign access tokens and certificates: the one of the settings, and those added by rotation.

A new key is published before it signs, and an old one until the tokens it signed have expired.
Source: RFC 7517 (JSON Web Key), RFC 7638 (thumbprints).
"""

import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from django.conf import settings
from django.utils import timezone

from apps.auth.actions.ciphers import cipher
from apps.auth.models import SigningKey
from socialapp.core.db import after_commit, transactional
from socialapp.http.tokens import key_id, public_keys

KEY_BITS = 2048
PUBLISHED_BEFORE = timedelta(minutes=10)  # other processes and caches of the key set reload within five minutes


@dataclass(frozen=True, slots=True)
class KeyState:
    """A key as `manage.py keys list` shows it; `state` is next, signing, verifying or retired."""

    kid: str
    state: str
    created_at: datetime | None
    signs_from: datetime | None


@dataclass(frozen=True, slots=True)
class _Loaded:
    at: float
    signing: tuple[str, RSAPrivateKey]
    public: dict[str, RSAPublicKey]


_loaded: _Loaded | None = None
_lock = threading.Lock()


def signing_key() -> tuple[str, RSAPrivateKey]:
    """The `kid` and the key that signs now. Cached for some seconds."""
    return _keys().signing


def verification_keys() -> dict[str, RSAPublicKey]:
    """All keys that verify tokens, by `kid`: those of the settings and those in the table that are not retired."""
    return _keys().public


def published_keys() -> dict[str, str]:
    """The keys that verify tokens, as PEM."""
    encoding = (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return {kid: key.public_bytes(*encoding).decode() for kid, key in verification_keys().items()}


def certificate_keys() -> dict[str, RSAPublicKey]:
    """The keys that verify certificates, including retired ones: certificates are verified years after signing."""
    rows = SigningKey.objects.values_list("kid", "public_key")
    return {**{kid: _public(pem) for kid, pem in rows}, **public_keys()}


def forget_loaded_keys() -> None:
    """Drops the cached keys, after a rotation in this process."""
    global _loaded
    _loaded = None


@transactional("auth")
def rotate_keys(*, at_once: bool = False) -> KeyState:
    """Creates a key that signs from `PUBLISHED_BEFORE` on (or at once, after a leak), and retires long replaced ones.

    At once, keys from earlier rotations also stop verifying; the one of the settings continues to verify.
    """
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    now = timezone.now()
    row = SigningKey(
        kid=key_id(key.public_key()),
        private_key=cipher("signing key").encrypt(_pem(key)).decode(),
        public_key=key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
        signs_from=now if at_once else now + PUBLISHED_BEFORE,
    )
    row.save(force_insert=True)
    retire_replaced_keys(at_once=at_once)
    after_commit("auth", callback=forget_loaded_keys)
    return KeyState(row.kid, "signing" if at_once else "next", row.created_at, row.signs_from)


def retire_replaced_keys(*, at_once: bool = False) -> int:
    """Deletes private keys replaced longer ago than a token's lifetime; returns how many. Idempotent."""
    now = timezone.now()
    signing = list(SigningKey.objects.filter(signs_from__lte=now).exclude(private_key="").order_by("-signs_from"))
    margin = timedelta(0) if at_once else timedelta(seconds=settings.ACCESS_TOKEN_SECONDS) + PUBLISHED_BEFORE
    if len(signing) < 2 or signing[0].signs_from > now - margin:
        return 0
    return SigningKey.objects.filter(id__in=[row.id for row in signing[1:]]).update(private_key="")


def key_states() -> list[KeyState]:
    """All keys, newest first; the one of the settings last."""
    signing = signing_key()[0]
    rows = [
        KeyState(row.kid, _state(row, signing), row.created_at, row.signs_from)
        for row in SigningKey.objects.order_by("-signs_from")
    ]
    configured = [
        KeyState(kid, "signing" if kid == signing else "verifying", None, None)
        for kid in public_keys()
        if kid not in {row.kid for row in rows}
    ]
    return [*rows, *configured]


def _state(row: SigningKey, signing: str) -> str:
    if not row.private_key:
        return "retired"
    if row.kid == signing:
        return "signing"
    return "next" if row.signs_from > timezone.now() else "verifying"


def _keys() -> _Loaded:
    global _loaded
    known = _loaded
    if known is not None and time.monotonic() - known.at < settings.SIGNING_KEY_RELOAD_SECONDS:
        return known
    with _lock:
        if _loaded is known:
            _loaded = _load()
        return _loaded if _loaded is not None else _load()


def _load() -> _Loaded:
    rows = list(SigningKey.objects.exclude(private_key="").order_by("signs_from"))
    due = [row for row in rows if row.signs_from <= timezone.now()]
    signing = (due[-1].kid, _private(due[-1].private_key)) if due else _configured_key(settings.JWT_PRIVATE_KEY)
    public = {**public_keys(), **{row.kid: _public(row.public_key) for row in rows}}
    return _Loaded(time.monotonic(), signing, public)


@cache
def _configured_key(pem: str) -> tuple[str, RSAPrivateKey]:
    key = load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError("JWT_PRIVATE_KEY must be an RSA key")
    return key_id(key.public_key()), key


@cache
def _private(sealed: str) -> RSAPrivateKey:
    key = load_pem_private_key(cipher("signing key").decrypt(sealed.encode()), password=None)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError("signing keys are RSA keys")
    return key


@cache
def _public(pem: str) -> RSAPublicKey:
    key = load_pem_public_key(pem.encode())
    if not isinstance(key, RSAPublicKey):
        raise TypeError("signing keys are RSA keys")
    return key


def _pem(key: RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
