"""Rules for usernames, e-mail addresses and passwords."""

import re
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils import timezone

from apps.auth.access import checked_email
from apps.auth.actions.breaches import is_breached
from apps.auth.actions.ciphers import keyed_digest
from apps.auth.models import LOCAL, ReservedName, User
from socialapp.core.errors import FieldError, Invalid
from socialapp.core.text.emails import email_key

MAX_USERNAME = 30
_USERNAME = re.compile(r"(?=.*[A-Za-z0-9])[A-Za-z0-9_][A-Za-z0-9_.]{1,28}[A-Za-z0-9_]")
TOMBSTONE_PREFIX = "deleted_"
_RESERVED_WORDS = """about abuse admin administrator all anonymous api auth everyone help here hostmaster info login
    logout me mod moderator moderators news noreply nobody null official postmaster privacy register root
    search security settings signup socialapp staff status support system team terms undefined webmaster"""
RESERVED = frozenset(_RESERVED_WORDS.split())
# Letters and digits of ASCII that fonts draw alike. Source: Unicode Technical Standard #39, confusables.
_ALIKE = str.maketrans("01i|5", "ollls")
_WORST_SCORE = 2  # zxcvbn: fewer than a million guesses, which any botnet can try
_ZXCVBN_LENGTH = 72
# Providers that ignore dots or tags in the local part of an address.
_WITHOUT_DOTS = frozenset({"gmail.com", "googlemail.com"})
_WITH_PLUS_TAGS = _WITHOUT_DOTS | {
    "outlook.com", "hotmail.com", "live.com", "icloud.com", "me.com", "fastmail.com", "proton.me", "protonmail.com",
}  # fmt: skip
_SAME_DOMAIN = {"googlemail.com": "gmail.com", "protonmail.com": "proton.me"}


@dataclass(frozen=True, slots=True)
class NewAccount:
    """Validated data of a new account; the password is hashed already, because that takes long."""

    username: str
    email: str
    full_name: str
    password_hash: str
    oauth_provider: str = LOCAL
    oauth_id: str | None = None


def checked_username(username: str, *, may_be_reserved: bool = False) -> str:
    """The username; Invalid if its characters or length are wrong or it is reserved."""
    if not _USERNAME.fullmatch(username):
        detail = "A username is 3 to 30 letters, digits, dots and underscores, and neither begins nor ends with a dot."
        raise Invalid.of("username", "username_invalid", detail)
    looks_like = username_skeleton(username.translate(_NO_SEPARATORS))
    if username.casefold().startswith(TOMBSTONE_PREFIX) or (looks_like in _RESERVED_LOOKS and not may_be_reserved):
        raise Invalid.of("username", "username_reserved", "This username is not available.")
    return username


_NO_SEPARATORS = str.maketrans("", "", "._")


def username_skeleton(username: str) -> str:
    """The common form of names that look alike: "paypa1" and "PayPal" have the same skeleton."""
    return username.casefold().translate(_ALIKE).replace("rn", "m").replace("vv", "w")


_RESERVED_LOOKS = frozenset(map(username_skeleton, RESERVED))


def name_digest(username: str) -> str:
    """The digest stored for a former username, so that no table shows the names of erased people."""
    return keyed_digest(username.casefold(), purpose="former username")


def is_name_reserved(username: str, *, for_user: int | None = None) -> bool:
    """Whether this name, or one that looks like it, belonged to a deleted or renamed account until recently.

    One query.
    """
    digests = [name_digest(username), name_digest(username_skeleton(username))]
    rows = ReservedName.objects.filter(digest__in=digests, until__gt=timezone.now())
    if for_user is not None:
        rows = rows.exclude(user_id=for_user)
    return rows.exists()


def acceptable_email(email: str) -> str:
    """The address of a new account, normalized; Invalid if it is not one, or from a disposable-address provider."""
    address = checked_email(email)
    domain = address.rpartition("@")[2]
    parents = {domain, ".".join(domain.split(".")[-2:])}
    refused = settings.EMAIL_DOMAINS_REFUSED
    if parents & refused or (settings.REFUSE_DISPOSABLE_EMAIL and parents & _disposable_domains()):
        raise Invalid.of("email", "email_disposable", "Addresses from this provider are not accepted.")
    return address


def _disposable_domains() -> set[str]:
    """Domains of disposable addresses; thousands, which only a process that takes new addresses loads."""
    from disposable_email_domains import blocklist

    return blocklist


def mailbox_of(address: str) -> str:
    """The mailbox behind an address: without the dots and tags that its provider ignores."""
    local, _, domain = email_key(address).rpartition("@")
    if domain in _WITH_PLUS_TAGS:
        local = local.partition("+")[0] or local
    if domain in _WITHOUT_DOTS:
        local = local.replace(".", "") or local
    return f"{local}@{_SAME_DOMAIN.get(domain, domain)}"


def check_password_strength(password: str, *, user: User, field: str = "password") -> None:
    """Invalid, naming `field`, if the password is too short, too common, too similar to the account's own data or,
    where PASSWORD_RANGE_URL is set, known from a breach. Not for use inside a transaction."""
    try:
        validate_password(password, user=user)
    except ValidationError as error:
        problems = [
            FieldError(field, str(found.code or "invalid"), " ".join(found.messages)) for found in error.error_list
        ]
        raise Invalid("this password is too weak", errors=problems) from None
    from zxcvbn import zxcvbn

    own_words = [word for word in (user.username, user.email.partition("@")[0], user.full_name) if word]
    if zxcvbn(password[:_ZXCVBN_LENGTH], user_inputs=own_words)["score"] < _WORST_SCORE:
        raise Invalid.of(field, "password_too_weak", "This password is easy to guess; use a few unusual words.")
    if is_breached(password):
        raise Invalid.of(
            field, "password_breached", "This password has appeared in a data breach elsewhere; choose another."
        )
