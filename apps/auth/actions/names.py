"""What a username, an e-mail address and a password may be."""

import re
from dataclasses import dataclass

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from apps.auth.models import User
from socialapp.core.errors import FieldError, Invalid

MAX_EMAIL = 254
MAX_USERNAME = 30
_USERNAME = re.compile(r"(?=.*[A-Za-z0-9])[A-Za-z0-9_.]{3,30}")
TOMBSTONE_PREFIX = "deleted_"
_RESERVED_WORDS = """about abuse admin administrator all anonymous api auth everyone help here hostmaster info login
    logout me mod moderator moderators news noreply no_reply nobody null official postmaster privacy register root
    search security settings signup socialapp staff status support system team terms undefined webmaster"""
RESERVED = frozenset(re.findall(r"\w+", _RESERVED_WORDS))


@dataclass(frozen=True, slots=True)
class NewAccount:
    """Checked data of an account to be made; the password is hashed, which takes long and so is done before."""

    username: str
    email: str
    full_name: str
    password_hash: str
    oauth_provider: str | None = None
    oauth_id: str | None = None


def checked_username(username: str, *, may_be_reserved: bool = False) -> str:
    """The username; Invalid when it has other characters, another length, or means something else here."""
    if not _USERNAME.fullmatch(username):
        raise Invalid.of("username", "username_invalid", "A username is 3 to 30 letters, digits, dots and underscores.")
    key = username.casefold()
    if key.startswith(TOMBSTONE_PREFIX) or (key in RESERVED and not may_be_reserved):
        raise Invalid.of("username", "username_reserved", "This username is not available.")
    return username


def checked_email(email: str) -> str:
    """The address with its domain in lower-case ASCII; Invalid when it is none."""
    refusal = Invalid.of("email", "email_invalid", "This is not an e-mail address.")
    local, _, domain = email.strip().rpartition("@")
    try:
        address = f"{local}@{domain.encode('idna').decode().lower()}"
        validate_email(address)
    except (UnicodeError, ValidationError):
        raise refusal from None
    if len(address) > MAX_EMAIL:
        raise refusal
    return address


def email_key(address: str) -> str:
    """The form in which addresses are compared: no mail provider of note tells upper from lower case."""
    return address.casefold()


def lookup_key(address: str) -> str:
    """The key under which an account with this address would be found; whatever is no address is found nowhere."""
    try:
        return email_key(checked_email(address))
    except Invalid:
        return email_key(address.strip())


def check_password_strength(password: str, *, user: User, field: str = "password") -> None:
    """Invalid, naming `field`, when the password is too short, too common or too much like the account's own data."""
    try:
        validate_password(password, user=user)
    except ValidationError as error:
        problems = [
            FieldError(field, str(found.code or "invalid"), " ".join(found.messages)) for found in error.error_list
        ]
        raise Invalid("this password is too weak", errors=problems) from None
