"""Normalizes passwords for hashing (RFC 8265, OpaqueString), as keyboards encode the same letter in different ways."""

from functools import cache
from typing import Final

import unicodedata2
from precis_i18n import get_profile
from precis_i18n.profile import Profile

from socialapp.core.text.characters import LONGEST_DECOMPOSITION

MAX_PASSWORD: Final = 256


def opaque_string(password: str) -> str:
    """The password in NFC, with every kind of space as U+0020. ValueError if it has characters that RFC 8265 forbids.

    These are control, invisible and unassigned characters: users may be unable to type them again. Neither may it be
    longer than any password: normalization takes quadratic time.
    """
    if len(password) > MAX_PASSWORD * LONGEST_DECOMPOSITION:
        raise ValueError("the password is too long")
    if password.isascii() and password.isprintable() and password:
        return password
    return str(_profile().enforce(password))


def comparable(password: str) -> str:
    """The form in which a password is hashed and verified; one that `opaque_string` rejects stays as it is.

    Only one form is tried: the time of a second hash for some passwords would reveal whether an account exists.
    """
    try:
        return opaque_string(password)
    except ValueError:
        return password


@cache
def _profile() -> Profile:
    return get_profile("OpaqueString", unicodedata=unicodedata2)
