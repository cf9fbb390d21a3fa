"""Passkeys: registration, and log-in without name and password. The rows belong to allauth's mfa.

Source: Web Authentication level 3 (W3C). A challenge is valid once: answering it deletes its row.
"""

import hashlib
import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal.auth import WebAuthn
from cryptography.exceptions import UnsupportedAlgorithm
from django.conf import settings
from django.utils import timezone
from fido2.cose import UnsupportedKey
from fido2.server import Fido2Server
from fido2.utils import websafe_decode
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    AuthenticatorData,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from apps.auth.actions.adapters import MfaAdapter, relying_party
from apps.auth.actions.mails import queue_mail
from apps.auth.models import Mail, PasskeyChallenge, User
from apps.auth.queries import Passkey, lock_user
from socialapp.core.db import transactional
from socialapp.core.errors import Conflict, Invalid, NotFound, Unauthenticated
from socialapp.core.ids import MAX_ID

CHALLENGE_SECONDS = 300
MAX_PASSKEYS = 20
_LONGEST_MEMBER = 20_000  # characters: several times what authenticators send; fido2 reads CBOR in quadratic time
# Members that fido2 decodes from text. Of a number it would make as many zero bytes.
_BINARY = frozenset({"clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"})
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
# What fido2 raises for malformed answers: they come from clients, so they are never server errors.
_MALFORMED = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    AssertionError,  # no credential in the answer to a registration
    NotImplementedError,  # a key of an algorithm that fido2 cannot verify
    OverflowError,
    RecursionError,
    struct.error,
    UnsupportedAlgorithm,
)


@transactional("auth")
def begin_registration(*, user_id: int) -> dict[str, Any]:
    """The options of `navigator.credentials.create`, for a discoverable passkey with user verification."""
    user = lock_user(user_id)
    rows = _rows(user_id)
    _refuse_more_than_allowed(rows)
    options, state = _server().register_begin(
        user=PublicKeyCredentialUserEntity(**MfaAdapter().get_public_key_credential_user_entity(user)),
        credentials=[_credential(row) for row in rows],
        resident_key_requirement=ResidentKeyRequirement.REQUIRED,
        user_verification=UserVerificationRequirement.REQUIRED,
        extensions={"credProps": True},
    )
    _remember(state, user=user)
    return _plain(options)


def verify_new_passkey(*, user_id: int, credential: Mapping[str, Any]) -> AuthenticatorData:
    """Verifies a new passkey's answer to a challenge of `begin_registration`, which is used up; Invalid if it is
    wrong."""
    data = _registered_data(credential, user_id=user_id)
    if data is None:
        raise Invalid.of("credential", "passkey_invalid", "This passkey does not answer our challenge; try again.")
    return data


def add_passkey(*, user_id: int, name: str, credential: Mapping[str, Any], data: AuthenticatorData) -> Passkey:
    """Stores a passkey that `verify_new_passkey` accepted; Conflict if it is registered already, or one too
    many."""
    row = _keep(user_id, name, credential, data)
    return Passkey(row.pk, name, row.created_at, row.last_used_at)


def _registered_data(credential: Mapping[str, Any], *, user_id: int) -> AuthenticatorData | None:
    state = _take_challenge(credential, user_id=user_id)
    if state is None:
        return None
    try:
        data: AuthenticatorData = _server().register_complete(state, _only_known(credential))
        can_log_in = not isinstance(data.credential_data.public_key, UnsupportedKey)
    except _MALFORMED:
        return None
    return data if can_log_in else None


@transactional("auth")
def _keep(user_id: int, name: str, credential: Mapping[str, Any], data: AuthenticatorData) -> Authenticator:
    user = lock_user(user_id)
    rows = _rows(user.id)
    _refuse_more_than_allowed(rows)
    known = {_credential(row).credential_id for row in rows}
    if data.credential_data.credential_id in known:
        raise Conflict("this passkey is registered already", code="passkey_known")
    row: Authenticator = WebAuthn.add(user, name, _only_known(credential)).instance
    row.data["sign_count"] = data.counter
    row.save(update_fields=["data"])
    queue_mail(Mail.Kind.PASSKEY_ADDED, user=user)
    return row


def _refuse_more_than_allowed(rows: Sequence[Authenticator]) -> None:
    if len(rows) >= MAX_PASSKEYS:
        raise Conflict(f"there are {MAX_PASSKEYS} passkeys already; remove one first", code="passkeys_full")


@transactional("auth")
def remove_passkey(*, user_id: int, passkey_id: int) -> None:
    """Removes a passkey; NotFound if the account has none with this id."""
    user = lock_user(user_id)
    removed, _ = Authenticator.objects.filter(pk=passkey_id, user_id=user_id, type=Authenticator.Type.WEBAUTHN).delete()
    if not removed:
        raise NotFound("there is no such passkey")
    queue_mail(Mail.Kind.PASSKEY_REMOVED, user=user)


@transactional("auth")
def begin_authentication() -> dict[str, Any]:
    """The options of `navigator.credentials.get`: any passkey for this site; the browser knows its user."""
    options, state = _server().authenticate_begin(user_verification=UserVerificationRequirement.REQUIRED)
    _remember(state, user=None)
    return _plain(options)


@dataclass(frozen=True, slots=True)
class UsedPasskey:
    """A passkey that has answered a challenge."""

    id: int
    user_id: int


def use_passkey(credential: Mapping[str, Any]) -> UsedPasskey:
    """The passkey that answered a challenge of `begin_authentication`; Unauthenticated if it is not valid.

    The challenge is used up in a transaction of its own, even if the answer is wrong.
    """
    state = _take_challenge(credential, user_id=None)
    used = _use_passkey(credential, state) if state is not None else None
    if used is None:
        raise _refused()
    return used


@transactional("auth")
def _use_passkey(credential: Mapping[str, Any], state: dict[str, Any]) -> UsedPasskey | None:
    """The passkey that answered the challenge, with its use recorded; None if the answer is not valid."""
    user = _owner(credential)
    rows = _rows(user.id) if user else []
    try:
        response = AuthenticationResponse.from_dict(_only_known(credential))
        used = _server().authenticate_complete(state, [_credential(row) for row in rows], response)
        counter = response.response.authenticator_data.counter
    except _MALFORMED:
        return None
    row = next(row for row in rows if _credential(row).credential_id == used.credential_id)
    if user is None or not _counts_up(row, counter):
        return None
    row.last_used_at = timezone.now()
    row.save(update_fields=["data", "last_used_at"])
    return UsedPasskey(row.pk, user.id)


def lock_holder(used: UsedPasskey) -> User:
    """The account of a passkey, locked; Unauthenticated if the passkey was removed since it was used. The caller holds
    the transaction."""
    user = lock_user(used.user_id)
    if not Authenticator.objects.filter(pk=used.id, user_id=user.id).exists():
        raise _refused()
    return user


def has_passkey(user_id: int) -> bool:
    """Whether the account has a passkey."""
    return bool(Authenticator.objects.filter(user_id=user_id, type=Authenticator.Type.WEBAUTHN).exists())


def delete_old_challenges() -> None:
    """Deletes expired challenges. Idempotent."""
    PasskeyChallenge.objects.filter(expires_at__lt=timezone.now()).delete()


def _server() -> Fido2Server:
    entity = PublicKeyCredentialRpEntity(**MfaAdapter().get_public_key_credential_rp_entity())
    return Fido2Server(entity, verify_origin=_is_own_origin)


def _is_own_origin(origin: str) -> bool:
    """Whether this is exactly one of our origins; on the same machine both localhost and the IP address count."""
    if origin in settings.ALLOWED_ORIGINS:
        return True
    if relying_party() != "localhost":
        return False
    ports = {urlsplit(own).port for own in settings.ALLOWED_ORIGINS}
    try:
        parts = urlsplit(origin)
        return parts.hostname in _LOOPBACK and parts.port in ports
    except ValueError:
        return False


def _rows(user_id: int) -> list[Authenticator]:
    return list(Authenticator.objects.filter(user_id=user_id, type=Authenticator.Type.WEBAUTHN).order_by("pk"))


def _credential(row: Authenticator) -> AttestedCredentialData:
    found: AttestedCredentialData = row.wrap().authenticator_data.credential_data
    return found


def _owner(credential: Mapping[str, Any]) -> User | None:
    """The account that the authenticator names, locked."""
    try:
        handle = websafe_decode(credential["response"]["userHandle"]).decode("ascii")
    except _MALFORMED:
        return None
    if not handle.isdigit() or len(handle) > 19 or int(handle) > MAX_ID:
        return None
    return User.objects.select_for_update().filter(id=int(handle)).exclude(status=User.Status.DELETED).first()


def _counts_up(row: Authenticator, counter: int) -> bool:
    """Whether the authenticator's counter has grown; authenticators without a counter always send zero."""
    before = int(row.data.get("sign_count", 0))
    if counter <= before and (counter or before):
        return False  # a clone of the authenticator has been used
    row.data["sign_count"] = counter
    return True


def _remember(state: Any, *, user: User | None) -> None:
    PasskeyChallenge(
        digest=_digest(str(state["challenge"])),
        user=user,
        state=dict(state),
        expires_at=timezone.now() + timedelta(seconds=CHALLENGE_SECONDS),
    ).save(force_insert=True)


@transactional("auth")
def _take_challenge(credential: Mapping[str, Any], *, user_id: int | None) -> dict[str, Any] | None:
    """The state of the challenge that was answered, which is used up; None if there is none or it has expired."""
    try:
        if not _is_decodable(credential):
            return None
        client_data = json.loads(websafe_decode(credential["response"]["clientDataJSON"]))
        digest = _digest(str(client_data["challenge"]))
    except _MALFORMED:
        return None
    row = PasskeyChallenge.objects.filter(digest=digest, expires_at__gt=timezone.now()).first()
    if row is None or row.user_id != user_id or not PasskeyChallenge.objects.filter(id=row.id).delete()[0]:
        return None
    return dict(row.state)


def _is_decodable(credential: Mapping[str, Any]) -> bool:
    """Whether all that fido2 decodes is text, and no member of the response is too long."""
    response = credential["response"]
    decoded = [credential["rawId"], *(response[name] for name in _BINARY if response.get(name) is not None)]
    return all(isinstance(value, str) for value in decoded) and all(
        len(str(value)) <= _LONGEST_MEMBER for value in response.values()
    )


def _digest(challenge: str) -> str:
    return hashlib.sha256(challenge.rstrip("=").encode()).hexdigest()


def _only_known(credential: Mapping[str, Any]) -> dict[str, Any]:
    """Only the members that fido2 reads: browsers add others."""
    known = ("id", "rawId", "response", "type", "authenticatorAttachment", "clientExtensionResults")
    return {name: credential[name] for name in known if name in credential}


def _plain(options: Any) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(dict(options), default=dict))
    return plain


def _refused() -> Unauthenticated:
    return Unauthenticated("this passkey is unknown, or answers another challenge", code="passkey_invalid")
