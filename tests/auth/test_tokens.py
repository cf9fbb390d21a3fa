"""Every invalid access token gets 401 on all paths, never a server error."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from django.conf import settings

from apps.auth.actions.keys import forget_loaded_keys
from socialapp.http.tokens import forget_rotated_keys, key_id, public_keys
from tests.conftest import ALL_CONTEXTS, JsonClient, Person

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS)

_PUBLIC = (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
PATHS = ("/v1/auth/me", "/v1/feed", "/v1/hashtags/trending")


def part(content: Any) -> str:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def own_key() -> RSAPrivateKey:
    key = load_pem_private_key(settings.JWT_PRIVATE_KEY.encode(), None)
    assert isinstance(key, RSAPrivateKey)
    return key


def signed(claims: dict[str, Any], *, key: RSAPrivateKey | None = None, kid: str = "") -> str:
    """A token with any claims, signed with our own key, as a bug in the product could do, or with another."""
    key = key or own_key()
    message = f"{part({'alg': 'RS256', 'typ': 'at+jwt', 'kid': kid or key_id(key.public_key())})}.{part(claims)}"
    return f"{message}.{part(key.sign(message.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def signed_with_the_public_key(claims: dict[str, Any]) -> str:
    message = f"{part({'alg': 'HS256', 'typ': 'at+jwt', 'kid': key_id(own_key().public_key())})}.{part(claims)}"
    secret = own_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return f"{message}.{part(hmac.new(secret, message.encode(), hashlib.sha256).digest())}"


def forget_keys() -> None:
    public_keys.cache_clear()
    forget_loaded_keys()
    forget_rotated_keys()


@pytest.fixture
def alice(register: Callable[..., Person]) -> Person:
    return register("alice")


@pytest.fixture
def claims(alice: Person) -> dict[str, Any]:
    return jwt.decode(alice.access, options={"verify_signature": False})


def refused(token: str, code: str = "token_invalid") -> None:
    for path in PATHS:
        answer = JsonClient(token).get(path)
        assert (answer.status_code, answer.json()["code"]) == (401, code), path
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_token_signed_like_ours_is_accepted(claims: dict[str, Any]) -> None:
    assert JsonClient(signed(claims)).get("/v1/auth/me").status_code == 200


def test_a_token_issued_before_the_clock_was_set_back_stays_valid(claims: dict[str, Any]) -> None:
    assert JsonClient(signed({**claims, "iat": claims["exp"] - 1})).get("/v1/auth/me").status_code == 200


def test_unsigned_and_differently_signed_tokens_are_rejected(alice: Person, claims: dict[str, Any]) -> None:
    for name in ("none", "None", "nOnE"):
        refused(f"{part({'alg': name, 'typ': 'at+jwt'})}.{part(claims)}.")
    refused(signed_with_the_public_key(claims))
    head, body, signature = alice.access.split(".")
    refused(f"{head}.{part({**claims, 'roles': ['admin']})}.{signature}")
    refused(f"{head}.{body}.{signature[:-20]}{'A' * 20}")
    refused(f"{head}.{body}")


@pytest.mark.parametrize("header", [b"[" * 2500, b'{"alg": 1}', b'{"alg": null}', b"[]", b"\xff", b'{"kid": 5}'])
def test_a_malformed_header_is_rejected(claims: dict[str, Any], header: Any) -> None:
    refused(f"{part(header)}.{part(claims)}.{part(b'x' * 256)}")


@pytest.mark.parametrize("name", ["iss", "aud", "sub", "sid", "roles", "iat", "exp", "jti"])
def test_each_claim_is_required(claims: dict[str, Any], name: str) -> None:
    del claims[name]
    refused(signed(claims))


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "somebody else"},
        {"aud": "another product"},
        {"iat": 4_000_000_000},
        {"iat": "soon"},
        {"nbf": 4_000_000_000},
        {"exp": "soon"},
        {"sub": 5},
        {"sub": "x"},
        {"sub": "-5"},
        {"sub": "9" * 19},
        {"sub": "9" * 40},
        {"sid": "9" * 40},
        {"sid": None},
        {"roles": "admin"},
        {"roles": None},
        {"roles": {"admin": True}},
        {"roles": [["admin"]]},
        {"token_type": "refresh"},
    ],
    ids=str,
)
def test_each_claim_must_be_valid(claims: dict[str, Any], wrong: dict[str, Any]) -> None:
    refused(signed({**claims, **wrong}))


def test_an_expired_token_gets_its_own_code(claims: dict[str, Any]) -> None:
    refused(signed({**claims, "exp": int(time.time()) - 1}), "token_expired")


def test_tokens_with_unknown_or_mismatched_keys_are_rejected(claims: dict[str, Any]) -> None:
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    refused(signed(claims, key=stranger))
    refused(signed(claims, key=stranger, kid=key_id(own_key().public_key())))
    refused(signed(claims, kid="unknown"))


def test_tokens_of_the_old_key_stay_valid_while_the_key_is_rotated(
    settings: Any, claims: dict[str, Any], anonymous: JsonClient
) -> None:
    """Processes read keys when they start: each change of the settings here represents a rollout."""
    old, new = own_key(), rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = {key: key.public_key().public_bytes(*_PUBLIC).decode() for key in (old, new)}
    issued = {
        key: [signed({**claims, "jti": f"{name}{n}"}, key=key) for n in range(4)]
        for name, key in (("old", old), ("new", new))
    }

    def rollout(**changed: str) -> None:
        for name, value in changed.items():
            setattr(settings, name, value)
        forget_keys()

    def opens(key: RSAPrivateKey) -> bool:
        status = JsonClient(issued[key].pop()).get("/v1/auth/me").status_code
        return {200: True, 401: False}[status]

    def shown() -> set[str]:
        return {key["kid"] for key in anonymous.get("/.well-known/jwks.json").json()["keys"]}

    try:
        assert (opens(old), opens(new)) == (True, False)
        rollout(JWT_PUBLIC_KEY=pem[old] + pem[new])
        assert (opens(old), opens(new)) == (True, True), "before anything is signed with it"
        assert shown() == {key_id(old.public_key()), key_id(new.public_key())}
        private = new.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        rollout(JWT_PRIVATE_KEY=private)
        assert (opens(old), opens(new)) == (True, True)
        rollout(JWT_PUBLIC_KEY="")
        assert (opens(old), opens(new)) == (False, True)
        assert shown() == {key_id(new.public_key())}
    finally:
        forget_keys()


def test_a_refresh_token_grants_no_access(alice: Person) -> None:
    refused(alice.refresh)
