"""Passwords as they are hashed: RFC 8265, OpaqueString. Keyboards write one and the same letter in different ways."""

from functools import cache

import unicodedata2
from precis_i18n import get_profile
from precis_i18n.profile import Profile


def opaque_string(password: str) -> str:
    """The password in NFC, with every kind of space as U+0020. ValueError when it has characters that RFC 8265 forbids.

    Forbidden are controls, invisible and unassigned characters: they cannot be typed again with certainty.
    """
    if password.isascii() and password.isprintable() and password:
        return password
    return str(_profile().enforce(password))


def comparable(password: str) -> str:
    """The form in which a password is hashed and verified; one that `opaque_string` refuses stays as it is.

    Nothing else is tried: a second hash for some passwords would show by its time whether an account exists.
    """
    try:
        return opaque_string(password)
    except ValueError:
        return password


@cache
def _profile() -> Profile:
    return get_profile("OpaqueString", unicodedata=unicodedata2)
