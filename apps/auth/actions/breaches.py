"""Checks passwords against known breaches by a range API: only the first five digits of a SHA-1 are sent.

Off unless PASSWORD_RANGE_URL is set. Source: haveibeenpwned.com, API v3, "Searching by range" (k-anonymity).
"""

import hashlib

import structlog
from django.conf import settings

from socialapp.core.outgoing import Limits, OutgoingError, request
from socialapp.core.text.passwords import comparable

log = structlog.get_logger()

_LIMITS = Limits(seconds=2.0, max_bytes=2**18, redirects=0)
_PREFIX = 5  # hexadecimal digits, which hundreds of breached passwords share


def is_breached(password: str) -> bool:
    """Whether the password is in a known breach; False if the check is off or gets no answer within two seconds.

    Not for use inside a transaction.
    """
    if not settings.PASSWORD_RANGE_URL:
        return False
    digest = hashlib.sha1(comparable(password).encode(), usedforsecurity=False).hexdigest().upper()
    prefix, rest = digest[:_PREFIX], digest[_PREFIX:]
    try:
        # Padded, so that the length of an encrypted answer does not reveal the prefix.
        answer = request("GET", settings.PASSWORD_RANGE_URL + prefix, headers={"Add-Padding": "true"}, limits=_LIMITS)
    except OutgoingError as error:
        log.warning("auth.breaches_unknown", error=str(error))
        return False
    if answer.status != 200:
        log.warning("auth.breaches_unknown", status=answer.status)
        return False
    return _count(answer.body, rest) > 0


def _count(body: bytes, rest: str) -> int:
    """How often the hash ending in `rest` was seen; 0 for padding and for hashes missing from the answer."""
    for line in body.decode("ascii", errors="replace").splitlines():
        suffix, _, count = line.partition(":")
        if suffix.strip().upper() == rest:
            return int(count) if count.strip().isdigit() else 0
    return 0
