"""Finds the account for a typed log-in: username or e-mail address, in any spelling."""

import unicodedata

from apps.auth.models import User
from apps.auth.queries import Account, account, user_with_email, user_with_username
from socialapp.core.errors import Invalid, NotFound
from socialapp.core.ids import MAX_ID
from socialapp.core.text.emails import email_key, normalize_email


def user_by_login(login: str) -> User | None:
    """The account for a log-in, by e-mail address or username in any spelling. One query at most.

    Usernames are ASCII: some collations would find "alice" by "álice", and others not.
    """
    name = login.strip()
    if "@" in _folded(name):
        return user_with_email(lookup_key(name))
    return user_with_username(name.lower()) if name.isascii() else None


def login_key(login: str) -> str:
    """One normal form for all spellings of a log-in: attempts on a name that does not exist are counted under it."""
    name = login.strip()
    return lookup_key(name) if "@" in _folded(name) else _folded(name)


def _folded(text: str) -> str:
    """Without the differences of width, case and composition that keyboards bring about (NFKC)."""
    return _nfkc(text).casefold()


def _nfkc(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def checked_email(email: str) -> str:
    """The address with its domain in lower-case ASCII, by UTS #46; Invalid when it is no address."""
    try:
        return normalize_email(_nfkc(email))
    except ValueError:
        raise Invalid.of("email", "email_invalid", "This is not an e-mail address.") from None


def lookup_key(address: str) -> str:
    """The key under which an account with this address would be found; whatever is no address is found nowhere."""
    try:
        return email_key(checked_email(address))
    except Invalid:
        return email_key(address.strip())


def resolve_account(who: str) -> Account:
    """The account with this username, address or else id; NotFound when there is none."""
    user = user_by_login(who)
    if user is not None:
        return account(user.id)
    if not (who.isascii() and who.isdigit() and len(who) <= len(str(MAX_ID)) and int(who) <= MAX_ID):
        raise NotFound("there is no such user")
    return account(int(who))
