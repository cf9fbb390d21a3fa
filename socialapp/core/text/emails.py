"""E-mail addresses: a local part of ASCII, and a domain by UTS #46 (non-transitional), written in ASCII."""

from typing import Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from socialapp.core.text.domains import ascii_domain

MAX_EMAIL: Final = 254  # RFC 5321, 4.5.3.1.3, without the angle brackets
_MAX_LOCAL_PART: Final = 64  # RFC 5321, 4.5.3.1.1


def normalize_email(text: str) -> str:
    """The address with its domain in lower-case ASCII. ValueError if it is invalid, or its local part is not ASCII.

    Mailboxes that are not ASCII need SMTPUTF8 (RFC 6531) on every server on the way, and can look like those of others.
    """
    local, _, domain = text.strip().rpartition("@")
    if not local.isascii():
        raise ValueError("the part before the @ has characters beyond ASCII")
    address = f"{local}@{ascii_domain(domain)}"
    if len(local) > _MAX_LOCAL_PART or len(address) > MAX_EMAIL:
        raise ValueError("the address is too long")
    try:
        validate_email(address)
    except ValidationError:
        raise ValueError("this is not an e-mail address") from None
    return address


def email_key(address: str) -> str:
    """The form in which addresses are compared: no major mail provider distinguishes upper from lower case."""
    return address.lower()
