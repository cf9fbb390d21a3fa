"""Caching proxies in front of media, and purging them: a port, with one adapter per kind of cache."""

import json
from collections.abc import Sequence
from typing import Protocol

from django.conf import settings

from socialapp.core import outgoing
from socialapp.core.outgoing import OutgoingError


class Cache(Protocol):
    """A cache. `most` is how many URLs it purges in one call."""

    most: int

    def forget(self, urls: Sequence[str]) -> None:
        """Purges these URLs from the cache. OutgoingError unless it confirms that."""


class PurgeMethod:
    """Caches that accept `PURGE <URL>`: nginx with ngx_cache_purge, Varnish."""

    most = 1

    def forget(self, urls: Sequence[str]) -> None:
        """See `Cache.forget`."""
        for url in urls:
            answer = outgoing.request("PURGE", url, headers=self._headers())
            if answer.status >= 300 and answer.status != 404:  # 404: nothing was cached
                raise OutgoingError(f"the cache answers {answer.status}")

    def _headers(self) -> dict[str, str]:
        return {}


class Fastly(PurgeMethod):
    """Fastly, with a token that may purge. Source: https://www.fastly.com/documentation/reference/api/purging/"""

    def _headers(self) -> dict[str, str]:
        return {"Fastly-Key": settings.MEDIA_PURGE_TOKEN}


class Cloudflare:
    """Cloudflare. Source: https://developers.cloudflare.com/api/resources/cache/methods/purge/"""

    most = 30

    def forget(self, urls: Sequence[str]) -> None:
        """See `Cache.forget`."""
        answer = outgoing.request(
            "POST",
            f"{settings.MEDIA_PURGE_API}/zones/{settings.MEDIA_PURGE_ZONE}/purge_cache",
            headers={"Authorization": f"Bearer {settings.MEDIA_PURGE_TOKEN}", "Content-Type": "application/json"},
            content=json.dumps({"files": list(urls)}).encode(),
        )
        if answer.status != 200:
            raise OutgoingError(f"Cloudflare answers {answer.status}")


_CACHES: dict[str, type[Cache]] = {"nginx": PurgeMethod, "fastly": Fastly, "cloudflare": Cloudflare}


def cache() -> Cache | None:
    """The cache of MEDIA_PURGE; None if there is none."""
    return _CACHES[settings.MEDIA_PURGE]() if settings.MEDIA_PURGE else None
