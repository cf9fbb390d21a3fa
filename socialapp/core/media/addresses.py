"""Addresses of media: public ones that hold for ever, signed ones that hold for minutes, and those that take uploads.

Both name the media they belong to, so that what may be seen is decided again for each; the digest of the content makes
what is behind an address immutable.
"""

import hmac
import time

from django.conf import settings

_DIGEST_CHARACTERS = 32


def path_of(media_id: int | str, *, digest: str, extension: str) -> str:
    """The path of a file of some media, behind MEDIA_URL."""
    return f"{media_id}/{digest[:_DIGEST_CHARACTERS]}.{extension}"


def public_url(path: str) -> str:
    """Where anybody finds it as long as it is public."""
    return f"{settings.MEDIA_URL}{path}"


def next_expiry() -> int:
    """When addresses that are signed now expire, in seconds since 1970.

    The same for all addresses of a window, so that a browser that reads a page again finds what it has cached.
    """
    window: int = settings.MEDIA_LINK_SECONDS
    return (int(time.time()) // window + 2) * window


def signed_url(path: str, *, audience: str, expires: int) -> str:
    """Where whoever has the address finds it until it expires, as long as it is still meant for `audience`."""
    return f"{settings.MEDIA_URL}{path}?{signed_query(path, audience=audience, expires=expires)}"


def signed_query(path: str, *, audience: str, expires: int) -> str:
    """What makes an address one that `seconds_left` accepts."""
    return f"expires={expires}&signature={_signature(path, expires, audience)}"


def seconds_left(path: str, *, audience: str, expires: str, signature: str) -> int | None:
    """For how many seconds a signed address is still valid; None when it is not."""
    if not (expires.isascii() and expires.isdigit() and len(expires) <= 12):
        return None
    left = int(expires) - int(time.time())
    valid = hmac.compare_digest(signature.encode(), _signature(path, int(expires), audience).encode())
    return left if valid and left > 0 else None


def _signature(path: str, expires: int, audience: str) -> str:
    text = f"media\n{path}\n{expires}\n{audience}"
    return hmac.digest(settings.SECRET_KEY.encode(), text.encode(), "sha256").hex()[:_DIGEST_CHARACTERS]
