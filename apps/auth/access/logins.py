"""Finds the account for a login as typed: username or e-mail address, in any spelling."""

import unicodedata

from apps.auth.models import User
from apps.auth.queries import Account, account, user_with_email, user_with_username
from socialapp.core.errors import Invalid, NotFound
from socialapp.core.ids import MAX_ID
from socialapp.core.text.characters import LONGEST_DECOMPOSITION
from socialapp.core.text.emails import MAX_EMAIL, email_key, normalize_email

_LONGEST_FORM = LONGEST_DECOMPOSITION * MAX_EMAIL


def user_by_login(login: str) -> User | None:
    """The account with this e-mail address or username, in any spelling. At most one query.

    Usernames are ASCII, so other input is not looked up: some collations would match "álice" to "alice".
    """
    name = login.strip()
    if "@" in _folded(name):
        return user_with_email(lookup_key(name))
    return user_with_username(name.lower()) if name.isascii() else None


def login_key(login: str) -> str:
    """The normal form of a login, under which attempts are counted, also for names that do not exist."""
    name = login.strip()
    return lookup_key(name) if "@" in _folded(name) else _folded(name)


def _folded(text: str) -> str:
    """The text in NFKC and case-folded: keyboards differ in width, case and composition of characters."""
    return _nfkc(text).casefold()


def _nfkc(text: str) -> str:
    """Of a text that is too long for an address, only the beginning counts: normalization takes quadratic time."""
    return unicodedata.normalize("NFKC", text[:_LONGEST_FORM])


def checked_email(email: str) -> str:
    """The address with its domain in lower-case ASCII (UTS #46); Invalid if it is not an e-mail address."""
    try:
        return normalize_email(_nfkc(email))
    except ValueError:
        raise Invalid.of("email", "email_invalid", "This is not an e-mail address.") from None


def lookup_key(address: str) -> str:
    """The lookup key for this address; input that is not an address gets a key that matches no account."""
    try:
        return email_key(checked_email(address))
    except Invalid:
        return email_key(address.strip())


def resolve_account(who: str) -> Account:
    """The account with this e-mail address, username or id, in that order; NotFound if there is none."""
    user = user_by_login(who)
    if user is not None:
        return account(user.id)
    if not (who.isascii() and who.isdigit() and len(who) <= len(str(MAX_ID)) and int(who) <= MAX_ID):
        raise NotFound("there is no such user")
    return account(int(who))
