"""URLs of media: permanent public ones, signed ones that expire within minutes, and signed ones for uploads.

They contain the id of the media, so that visibility is checked for each; the digest of the content makes the file
behind a URL immutable.
"""

import hmac
import time

from django.conf import settings

_DIGEST_CHARACTERS = 32


def path_of(media_id: int | str, *, digest: str, extension: str) -> str:
    """The path of a file of some media, under MEDIA_URL."""
    return f"{media_id}/{digest[:_DIGEST_CHARACTERS]}.{extension}"


def is_url_of(url: str, *, media_id: int) -> bool:
    """Whether a URL is of a file of these media."""
    return f"/{media_id}/" in url


def public_url(path: str) -> str:
    """The public URL, valid as long as the media are public."""
    return f"{settings.MEDIA_URL}{path}"


def next_expiry() -> int:
    """When URLs that are signed now expire, in seconds since 1970.

    The same for all URLs of a time window, so that a browser that reloads a page can use its cache.
    """
    window: int = settings.MEDIA_LINK_SECONDS
    return (int(time.time()) // window + 2) * window


def signed_url(path: str, *, audience: str, expires: int) -> str:
    """The signed URL, valid until it expires or `audience` is no longer the media's audience."""
    return f"{settings.MEDIA_URL}{path}?{signed_query(path, audience=audience, expires=expires)}"


def signed_query(path: str, *, audience: str, expires: int) -> str:
    """The signature that `seconds_left` accepts."""
    return f"expires={expires}&signature={_signature(path, expires, audience)}"


def seconds_left(path: str, *, audience: str, expires: str, signature: str) -> int | None:
    """For how many seconds a signed URL is still valid; None if it is not."""
    if not (expires.isascii() and expires.isdigit() and len(expires) <= 12):
        return None
    left = int(expires) - int(time.time())
    valid = hmac.compare_digest(signature.encode(), _signature(path, int(expires), audience).encode())
    return left if valid and left > 0 else None


def _signature(path: str, expires: int, audience: str) -> str:
    text = f"media\n{path}\n{expires}\n{audience}"
    return hmac.digest(settings.SECRET_KEY.encode(), text.encode(), "sha256").hex()[:_DIGEST_CHARACTERS]
