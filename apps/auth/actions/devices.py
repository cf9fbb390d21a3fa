"""Devices: where a log-in comes from, and which devices are known for an account.

Source: OWASP, Device Cookies.
"""

import secrets
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from django.core import signing

from apps.auth.actions.ciphers import keyed_digest
from socialapp.http.admission import address_block

_SALT = "socialapp.auth.device"
DEVICE_DAYS = 365
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Device:
    """Where a request comes from; `token` is the device token of an earlier log-in, if any."""

    user_agent: str
    address: str
    token: str = ""


def device_token(*, user_id: int) -> str:
    """A token that identifies a device of the account's owner, so that others' guesses do not lock it out."""
    return signing.dumps([user_id, secrets.token_urlsafe(12)], salt=_SALT)


def device_of_token(token: str, *, user_id: int) -> str:
    """The name of the device, if its token is for this account; else empty."""
    try:
        owner, name = signing.loads(token, salt=_SALT, max_age=DEVICE_DAYS * _DAY)
    except (signing.BadSignature, ValueError, TypeError):
        return ""
    return str(name) if owner == user_id else ""


def address_range(address: str) -> str:
    """The part of an address that people are shown: enough to recognize a town, not a household."""
    try:
        parsed = ip_address(address_block(address).partition("/")[0])
    except ValueError:
        return ""
    return str(ip_network((parsed, 24 if parsed.version == 4 else 48), strict=False))


def address_digest(address: str) -> str:
    """A digest by which an address is recognized again without being stored."""
    return keyed_digest(address_block(address), purpose="address")
